"""A person at a terminal: the OpenSSH client on a pty, typing and reading."""

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.labs.embedded.cli_devices import ADMIN

PATIENCE_S = 10.0
OPTIONS = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "PubkeyAuthentication=no")


class Person:
    """Reads what the terminal shows and types."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self.shown = self._rest = ""

    def until(self, text: str) -> str:
        """Return what was shown up to and with ``text``, since the last time."""
        deadline = time.monotonic() + PATIENCE_S
        seen = self._rest
        while text not in seen:
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"{text!r} never came; shown: {seen!r}"
            if select.select([self._terminal], [], [], left_s)[0]:
                seen += os.read(self._terminal, 65536).decode()
        before, _, self._rest = seen.partition(text)
        self.shown = before + text
        return self.shown

    def type(self, keys: str, *, until: str) -> str:
        os.write(self._terminal, keys.encode())
        return self.until(until)

    def end(self) -> None:
        """Read until the other side hangs up."""
        deadline = time.monotonic() + PATIENCE_S
        with suppress(OSError):  # how a pty says that its other end is closed
            while os.read(self._terminal, 65536):
                assert time.monotonic() < deadline


@contextmanager
def person(port: int, *arguments: str, address: str = "127.0.0.1") -> Iterator[Person]:
    """Log in with the OpenSSH client on a terminal of 80 by 24."""
    ssh = shutil.which("ssh")
    if ssh is None:
        pytest.skip("the OpenSSH client is not installed")
    with TemporaryDirectory() as folder:
        asked = Path(folder) / "askpass"
        asked.write_text(f"#!/bin/sh\necho {ADMIN.password}\n")
        asked.chmod(0o700)
        options = [part for option in OPTIONS for part in ("-o", option)]
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [ssh, *options, "-p", str(port), f"{ADMIN.username}@{address}", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={
                **os.environ,
                "SSH_ASKPASS": str(asked),
                "SSH_ASKPASS_REQUIRE": "force",
                "DISPLAY": ":0",
                "TERM": "vt100",
            },
            start_new_session=True,
        )
        os.close(theirs)
        try:
            yield Person(ours)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)
            os.close(ours)
