"""Devices that outlive the platform, a database that may be killed, and the processes between them."""

import os
import random
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from api.runtime.database import Database, open_database
from api.settings import FTTH_LAB, Settings
from api.storage import DATABASE_FILE, storage
from api.wiring_lab import NETWORK_FILE, devices_of, links_of
from inventory.network import NetworkStore
from inventory.network_file import load_network_file
from labs.embedded.lab import EmbeddedLab
from labs.topology import load_topology
from tests.crash.customers import Crowd
from tests.crash.life import Fate, Life, begin, until
from tests.crash.truth import assert_configured, assert_consistent
from tests.postgres import PostgresServer

SEED: Final = 4711
NO_OTHERS: Final[Mapping[str, str]] = {}


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a run has been through."""

    kills: int = 0
    orders: int = 0
    started_s: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        return f"{self.kills} kills, {self.orders} orders, {time.monotonic() - self.started_s:.0f} seconds"


@dataclass(slots=True, kw_only=True)
class Site:
    """One platform's surroundings; SQLite in ``folder`` unless there is a ``server``.

    Attributes:
        base: the devices' configurations before the first order.
        moments: chooses when to kill, and whom: the same in every run.
    """

    folder: Path
    lab: EmbeddedLab
    tally: Tally
    server: PostgresServer | None
    url: str | None
    port: int
    base: dict[str, str]
    moments: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - no secret
    lives: list[Life] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Return where the platform answers."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self, doom: Fate | None = None) -> Life:
        """Start everything in one process."""
        return self._begin(doom, "serve", "--port", str(self.port), "--lab", "none", "--auth", "off")

    def api(self, doom: Fate | None = None) -> Life:
        """Start an API process."""
        return self._begin(doom, "api", "--port", str(self.port), "--auth", "off")

    def worker(self, doom: Fate | None = None, *, kinds: str = "") -> Life:
        """Start a worker process, of these kinds of jobs if any are named."""
        return self._begin(doom, "worker", *(("--kinds", kinds) if kinds else ()))

    def kill(self, life: Life) -> None:
        """Kill a process, and count it."""
        life.kill()
        self.tally.kills += 1

    def kill_server(self) -> None:
        """Kill the database server and start it again."""
        assert self.server is not None
        self.server.kill()
        self.tally.kills += 1
        self.server.start()

    def await_doom(self, life: Life) -> None:
        """Return when the process has killed itself, and count it."""
        life.await_doom()
        self.tally.kills += 1

    def pause(self, longest_s: float) -> None:
        """Let the platform work until the next random moment."""
        time.sleep(self.moments.uniform(0.0, longest_s))

    def configurations(self) -> dict[str, str]:
        """Return every device's configuration."""
        return {node.name: self.lab.running_config(node.name) for node in self.lab.nodes()}

    def assert_all_well(self, crowd: Crowd) -> None:
        """Check everything while services are live; then cease them all, and check that nothing is left."""
        self._assert_consistent(crowd)
        crowd.cease()
        self._assert_consistent(crowd)
        assert self.configurations() == self.base
        self.tally.orders += crowd.placed()

    def assert_clean(self) -> None:
        """Check that nobody left anything on a device: no lock, no dirty candidate, no pending commit."""
        names = [node.name for node in self.lab.nodes()]
        until(lambda: not any(map(self.lab.leftovers, names)), f"clean devices; {self._leftovers()}")

    def _leftovers(self) -> dict[str, tuple[str, ...]]:
        return {node.name: self.lab.leftovers(node.name) for node in self.lab.nodes()}

    def _assert_consistent(self, crowd: Crowd) -> None:
        database = open_database(self.url or self.folder / DATABASE_FILE, routes={})
        try:
            until(lambda: _is_quiet(database), "the last jobs ended")
            with database.read() as connection:
                assert_consistent(connection, crowd)
                assert_configured(connection, crowd, self.configurations())
        finally:
            database.close()

    def _begin(self, doom: Fate | None, *arguments: str) -> Life:
        where = ("--database", self.url) if self.url else ("--data", str(self.folder))
        life = begin([*arguments, *where], self.folder / f"{len(self.lives)}-{arguments[0]}.log", doom)
        self.lives.append(life)
        return life


@contextmanager
def built_site(
    folder: Path, tally: Tally, server: PostgresServer | None = None, *, drivers: Mapping[str, str] = NO_OTHERS
) -> Iterator[Site]:
    """Start the devices and tell an empty database of them; end every process at the end.

    ``drivers`` are others than the platforms' own, by device.
    """
    folder.mkdir()
    url = server.new_database() if server is not None else None
    with EmbeddedLab(load_topology(FTTH_LAB, os.environ), ssh_port=0, netconf_port=0) as lab:
        network = load_network_file(FTTH_LAB.parent / NETWORK_FILE)
        devices = [replace(each, driver=drivers.get(each.name, "")) for each in devices_of(lab.nodes())]
        network = replace(network, devices=tuple(devices), links=links_of(load_topology(FTTH_LAB, os.environ)))
        with storage(Settings.read({}, data=folder, database=url), routes={}) as database, database.begin() as uow:
            NetworkStore().load(uow, network)
        site = Site(folder=folder, lab=lab, tally=tally, server=server, url=url, port=_free_port(), base={})
        site.base = site.configurations()
        try:
            yield site
        finally:
            for life in site.lives:
                life.end()


def _is_quiet(database: Database) -> bool:
    with database.read() as connection:
        assert database.queue.parked(connection) == []
        return database.queue.pending(connection) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
