"""The data folder: one process at a time, and the second one is told who holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.errors import StartRefused

LOCK_FILE = "lastmile.lock"


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Hold ``folder`` while the block runs; it is made where it does not exist. The lock dies with the process.

    Raises:
        StartRefused: it cannot be made, or another process holds it; says which one.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_FILE).open("a+", encoding="utf-8")
    except OSError as error:
        raise StartRefused(f"data folder {folder}: {error.strerror}; choose another with --data") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            message = f"data folder {folder} is in use by process {holder}; end it or choose another with --data"
            raise StartRefused(message) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield folder
