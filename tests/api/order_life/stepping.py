"""A whole platform on fake devices whose work is done one job at a time, so that a test can come between any two."""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pytest
from sqlalchemy import func, select

import templates
from activation.contracts import PlatformRules
from activation.drivers.fake import FakeDriver, FakeNetwork, Phase
from activation.drivers.registry import DriverRegistry
from activation.tables import fragments
from api.runtime import batch
from api.runtime.tables import events, moves
from api.runtime.worker import Worker
from api.settings import Settings
from api.system import System
from api.wiring import running_system
from inventory.documents import Document
from inventory.model import AddressPool, Device, Link, Network, PonPort, Premises, VlanPool
from inventory.network import NetworkStore
from inventory.store import DocumentStore
from inventory.tables import free_ranges, products, reservations, services

HERE: Final = Path(__file__).parent
NAMES: Final = ("olt1", "sw1", "r1")
STOOD: Final = "hostname x\n"
STEPS: Final = 500
LINES: Final = range(2000, 2200)
"""Places, each with a copper line of its own."""

Meet = Callable[[str, Phase], None]


class WatchedNetwork(FakeNetwork):
    """Fake devices that tell ``meet`` of each phase before it is done."""

    meet: Meet | None = None

    def open(self, device: Device, rules: PlatformRules) -> "FakeDriver":
        fake = self.devices[device.name]
        driver = WatchedDriver(fake, confirmed_commit=bool(rules.options.get("confirmed_commit", True)))
        driver.network = self
        self.drivers.append(driver)
        return driver


class WatchedDriver(FakeDriver):
    """One session with a fake that is watched."""

    network: WatchedNetwork

    def strike(self, phase: Phase) -> Any:
        meet = self.network.meet
        if meet is not None:
            meet(self._fake.name, phase)
        return super().strike(phase)


@dataclass(slots=True, kw_only=True)
class Stepping:
    """The platform, its worker that never starts, and its devices."""

    system: System
    worker: Worker
    network: WatchedNetwork
    steps: list[str] = field(default_factory=list)

    def create(self, name: str, body: Document) -> dict[str, Any]:
        """Create a resource as the front door does."""
        with self.system.database.begin(actor="tester") as uow:
            return dict(self.system.creates[name](uow, body))

    def step(self) -> bool:
        """Do one job; say whether there was one."""
        return self._database_job() or self._device_job()

    def go(self, jobs: int) -> int:
        """Do so many jobs, or those there are; return how many were done."""
        return sum(1 for _ in range(jobs) if self.step())

    def drain(self) -> int:
        """Do every job that is due; return how many those were."""
        done = 0
        while self.step():
            done += 1
            assert done < STEPS, f"no end after {done} jobs: {self.steps[-20:]}"
        with self.system.database.read() as connection:
            assert self.system.database.queue.parked(connection) == []
        return done

    def drain_database(self) -> None:
        """Do every database job that is due."""
        while self._database_job():
            pass

    def get(self, store: DocumentStore, key: str) -> dict[str, Any]:
        with self.system.database.read() as connection:
            return dict(store.get(connection, key).document)

    def running(self) -> Mapping[str, str]:
        return {name: device.running for name, device in self.network.devices.items()}

    def footprint(self) -> dict[str, Any]:
        """Return all that an order may change and a cancelled one may not have changed."""
        live_services = select(services.c.id, services.c.document).where(services.c.state == "active")
        live_products = select(products.c.id, products.c.document).where(products.c.state == "active")
        busy = select(products.c.id).where(products.c.task.like('%"order":"%'))
        with self.system.database.read() as connection:
            return {
                "devices": self.running(),
                "reservations": sorted(map(tuple, connection.execute(select(reservations.c.resource_id)))),
                "free": connection.execute(select(func.sum(free_ranges.c.last - free_ranges.c.first + 1))).scalar(),
                "fragments": sorted(map(tuple, connection.execute(select(fragments.c.service_id, fragments.c.text)))),
                "services": {row.id: _shown(row.document) for row in connection.execute(live_services)},
                "products": {row.id: _shown(row.document) for row in connection.execute(live_products)},
                "busy": sorted(connection.execute(busy).scalars()),
            }

    @contextmanager
    def met(self, call: int, act: Callable[[], object]) -> Iterator[list[str]]:
        """Do ``act``, and all it means for the database, before the devices' phase number ``call``; yield which it was.

        The list that is yielded is empty where there was no such phase.
        """
        seen: list[str] = []
        found: list[str] = []
        turn = threading.Lock()

        def meet(device: str, phase: Phase) -> None:
            if phase == "connect":
                return
            # Devices are at work side by side: two that count at once would both miss the phase that is meant.
            with turn:
                seen.append(f"{device}: {phase}")
                if len(seen) == call + 1:
                    found.append(seen[-1])
                    act()
                    self.drain_database()

        self.network.meet = meet
        try:
            yield found
        finally:
            self.network.meet = None

    def moves(self, key: str, item: str = "") -> list[tuple[str, str]]:
        here = moves.c
        wanted = select(here.from_state, here.to_state).where(here.resource_id == key, here.item == item)
        with self.system.database.read() as connection:
            return [(row.from_state, row.to_state) for row in connection.execute(wanted.order_by(here.id))]

    def state_changes(self, correlation_id: str) -> dict[tuple[str, str], int]:
        """Return how many events told of a new state, by the kind and the id of what has it."""
        here = events.c
        wanted = select(here.resource_kind, here.resource_id, func.count()).where(
            here.correlation_id == correlation_id, here.event_type.like("%StateChangeEvent")
        )
        with self.system.database.read() as connection:
            found = connection.execute(wanted.group_by(here.resource_kind, here.resource_id))
            return {(kind, key): count for kind, key, count in found}

    def _database_job(self) -> bool:
        worker, queue = self.worker, self.system.database.queue
        with self.system.database.begin() as unit:
            claims = queue.claim(unit.reader, worker.handlers, limit=1)
            with mock.patch.object(batch, "_run_followers"):
                worker._run(unit, claims)
        self.steps.extend(claim.job.kind for claim in claims)
        return bool(claims)

    def _device_job(self) -> bool:
        worker = self.worker
        worker._here.register()
        worker.at_desks = 1
        with self.system.database.begin() as unit:
            leased = worker._lease(unit)
        with worker._hands.lock:
            worker._hands.running |= {claim.job.job_id: claim for claim in leased}
        worker._hand_over(leased)
        with worker._hands.emptied:
            assert worker._hands.emptied.wait_for(lambda: not worker._hands.running, timeout=120)
        worker._settle_last()
        self.steps.extend(claim.job.kind for claim in leased)
        return bool(leased)


@contextmanager
def stepping(folder: Path, **settings: object) -> Iterator[Stepping]:
    """Start a platform on an empty data folder whose worker does nothing by itself."""
    made = folder / "templates"
    shutil.copytree(HERE / "templates", made)
    shutil.copy(Path(templates.__file__).parent / "intents.yaml", made)
    network = WatchedNetwork(dict.fromkeys(NAMES, STOOD))
    started: list[Worker] = []
    given = {"port": 0, "data": folder / "data", "lab": "none", "auth": False, **settings}
    with (
        mock.patch.object(Worker, "start", lambda worker: started.append(worker)),  # noqa: PLW0108 - a builtin is no method
        mock.patch.object(Worker, "stop", return_value=True),
        running_system(
            Settings.read({}, **given), drivers=DriverRegistry({"boxes": network.open}), platforms=made
        ) as system,
    ):
        with system.database.begin() as uow:
            NetworkStore().load(uow, small_network())
        yield Stepping(system=system, worker=started[0], network=network)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Stepping]:
    with stepping(tmp_path) as running:
        yield running


def small_network() -> Network:
    return Network(
        devices=(_device("olt1", "olt"), _device("sw1", "switch"), _device("r1", "router")),
        links=(
            Link(a_device="olt1", a_interface="uplink1", b_device="sw1", b_interface="Ethernet1"),
            Link(a_device="sw1", a_interface="Ethernet2", b_device="r1", b_interface="eth1"),
        ),
        pon_ports=(
            PonPort(olt="olt1", name="pon1", channel_partition="c", channel_pair="d", first_onu_id=1, last_onu_id=127),
        ),
        premises=tuple(
            Premises(
                place_id=f"ADDR-{number}",
                name=f"Way {number}",
                olt="olt1",
                pon_port="pon1",
                attributes={"dslInterface": f"Ethernet{number}"},
            )
            for number in (1015, 1016, 1017, *LINES)
        ),
        vlan_pools=(VlanPool(name="subscriber-vlans", first_vlan_id=1042, last_vlan_id=1999),),
        address_pools=(
            AddressPool(
                name="residential", prefix="10.42.1.0/24", first="10.42.1.15", last="10.42.1.250", gateway="10.42.1.1"
            ),
        ),
    )


def _device(name: str, role: str) -> Device:
    return Device(name=name, platform="boxes", role=role, address="127.0.0.1", port=1, username="u", password="p")


def _shown(text: str) -> str:
    return text
