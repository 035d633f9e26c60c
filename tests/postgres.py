"""A PostgreSQL server of our own for tests: started in a folder, stopped, killed and started again at will."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
import pytest

WHY_SKIPPED: Final = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
INSTALLED: Final = Path("/usr/lib/postgresql")
START_TIMEOUT_S: Final = 30.0
_QUICK: Final = {"fsync": "off", "full_page_writes": "off"}
_SMALL: Final = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "autovacuum_naptime": "5s",
}


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest version's; None where it is not installed."""
    found = shutil.which("pg_ctl")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(INSTALLED.glob("*/bin/pg_ctl"), key=lambda path: float(path.parent.parent.name))
    return versions[-1].parent if versions else None


@dataclass(slots=True, kw_only=True)
class PostgresServer:
    """One cluster in ``folder`` on a port of 127.0.0.1.

    Attributes:
        is_durable: whether commits reach the disk; only tests that kill nothing may do without.
    """

    folder: Path
    is_durable: bool
    port: int = 0
    _process: "subprocess.Popen[bytes] | None" = None
    _databases: int = 0
    _settings: Mapping[str, str] = field(default_factory=dict)

    def create(self) -> None:
        """Make the cluster and start it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        self._settings = _SMALL if self.is_durable else {**_SMALL, **_QUICK}
        _give_away(self.folder)
        data = str(self.folder / "data")
        _run("initdb", "-D", data, "-U", "lastmile", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        own = ["-D", str(self.folder / "data"), "-p", str(self.port), "-k", str(self.folder), *options]
        log = (self.folder / "server.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [_program("postgres"), *own],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **_as_somebody(),  # type: ignore[call-overload]  # user, group, extra_groups or nothing
            )
        _until(self._answers, START_TIMEOUT_S, f"PostgreSQL did not start; see {self.folder}/server.log")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server; SIGINT is its quick and orderly way."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_TIMEOUT_S)
            self._process = None

    def kill(self) -> None:
        """End the server and all its children as a power cut would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(START_TIMEOUT_S)
            self._process = None

    def new_database(self) -> str:
        """Return the URL of a new, empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._dsn(name)

    def _dsn(self, database: str) -> str:
        return f"postgresql://lastmile@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._dsn("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_server(*, is_durable: bool) -> Iterator[PostgresServer]:
    """Run a server while the block runs; skip the test where PostgreSQL is not installed.

    Its folder is not one of pytest's: those are closed to the user that the server runs as.
    """
    if programs() is None:
        pytest.skip(WHY_SKIPPED)
    with tempfile.TemporaryDirectory(prefix="lastmile-postgres-") as folder:
        server = PostgresServer(folder=Path(folder), is_durable=is_durable)
        server.create()
        try:
            yield server
        finally:
            server.stop()


def _program(name: str) -> str:
    folder = programs()
    if folder is None:
        raise FileNotFoundError(WHY_SKIPPED)
    return str(folder / name)


def _run(name: str, *arguments: str) -> None:
    subprocess.run([_program(name), *arguments], check=True, capture_output=True, cwd="/", **_as_somebody())  # type: ignore[call-overload]  # as above


def _as_somebody() -> Mapping[str, object]:
    """PostgreSQL refuses to run as root: name somebody who is not, where we are."""
    if os.geteuid() != 0:
        return {}
    somebody = _somebody()
    return {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": ()}


def _somebody() -> pwd.struct_passwd:
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _give_away(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    os.chown(folder, _somebody().pw_uid, _somebody().pw_gid)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _until(done: Callable[[], bool], timeout_s: float, message: str) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline_s:
            raise TimeoutError(message)
        time.sleep(0.02)
