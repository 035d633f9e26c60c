"""What is known of a deployed lab between two commands: ``lastmile.json`` in the lab's folder."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from labs.runtimes.processes import ProcessMark
from labs.topology import Topology

STATE: Final = "lastmile.json"
LOG: Final = "lastmile.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabState:
    """One deployed lab.

    Attributes:
        topology: the topology file it was deployed from.
        digest: of that file's text, to see that it was changed since.
        holder: the process that holds the lab; None where another tool does.
        up_in_s: how long the nodes took to start; None while they start.
    """

    lab: str
    runtime: str
    topology: Path
    digest: str
    holder: ProcessMark | None
    up_in_s: float | None = None

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the state in ``folder``, or None where there is none (or half of one, of a process that died)."""
        try:
            raw = json.loads((folder / STATE).read_text(encoding="utf-8"))
            return cls(
                lab=raw["lab"],
                runtime=raw["runtime"],
                topology=Path(raw["topology"]),
                digest=raw["digest"],
                holder=ProcessMark(pid=raw["pid"], start_ticks=raw["startTicks"]) if raw["pid"] else None,
                up_in_s=raw["upInS"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def alive(self) -> bool:
        """Whether a process of ours holds the lab now."""
        return self.holder is not None and self.holder.alive()

    def write(self, folder: Path) -> None:
        """Write the state into ``folder``."""
        raw: dict[str, object] = {
            "lab": self.lab,
            "runtime": self.runtime,
            "topology": str(self.topology),
            "digest": self.digest,
            "pid": self.holder.pid if self.holder is not None else None,
            "startTicks": self.holder.start_ticks if self.holder is not None else None,
        }
        raw["upInS"] = self.up_in_s
        fresh = folder / f"{STATE}.new"
        fresh.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
        fresh.replace(folder / STATE)


def digest_of(topology: Topology) -> str:
    """Return a digest of the topology's file as it stands now."""
    return sha256(topology.path.read_bytes()).hexdigest()


def claim(folder: Path) -> int | None:
    """Return a handle that makes its owner the one process that holds the lab in ``folder``; None while there is one.

    The handle is for the process to be: what inherits it holds the lab until it ends.
    """
    handle = os.open(folder / LOG, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def claimed(folder: Path) -> bool:
    """Say whether a process holds the lab in ``folder``, or is just about to."""
    if not (folder / LOG).exists():
        return False
    handle = claim(folder)
    if handle is not None:
        os.close(handle)
    return handle is None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold ``folder`` against other commands while the block runs; it is made where it does not exist.

    The lock is on the folder itself: it leaves no file, and it dies with the process.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if folder.is_dir() and os.path.samestat(folder.stat(), os.fstat(handle)):
                yield
                return
            # Somebody destroyed the lab, folder and all, while this process waited for it.
        finally:
            os.close(handle)
