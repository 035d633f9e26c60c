"""A platform with instant devices in this process, and a network large enough to order from."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest import mock

from sqlalchemy import func, select

import templates
from activation.drivers.registry import DriverRegistry
from api.collector import settle_heap
from api.http.app import create_app
from api.http.server import bind, serving
from api.runtime.worker import Worker
from api.settings import Settings
from api.system import System
from api.wiring import running_system
from inventory.model import AddressPool, Device, Link, Network, PonPort, Premises, VlanPool
from inventory.network import NetworkStore
from inventory.store import Query
from orders.product.tables import product_orders
from orders.states import FINAL
from tests.bench.instant import InstantNetwork
from tests.bench.orders import order

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
INTENTS: Final = Path(templates.__file__).parent / "intents.yaml"
PORTS: Final = 64
ONUS: Final = 60
ENDS: Final = tuple(state.value for state in FINAL)
PATIENCE_S: Final = 120.0
LOOK_EVERY_S: Final = 0.05


@dataclass(slots=True, kw_only=True)
class Rig:
    """A running platform.

    Attributes:
        url: where it serves HTTP.
        placed: how many orders were placed with :meth:`place`.
    """

    system: System
    url: str
    placed: int = 0

    def rate(self, count: int) -> float:
        """Return how many orders per second complete, of ``count`` that are there at once."""
        done = self.placed
        self.place(count)
        started_s = time.perf_counter()
        self.wait_for(done + count)
        return count / (time.perf_counter() - started_s)

    def complete(self, count: int) -> None:
        """Place that many orders and return when they have completed."""
        self.rate(count)

    def query(self, limit: int) -> Query:
        """Return the query for the first page."""
        return Query(limit=limit)

    def place(self, count: int) -> None:
        """Store ``count`` more product orders in one transaction."""
        create = self.system.creates["productOrder"]
        with self.system.database.begin() as uow:
            for number in range(self.placed, self.placed + count):
                create(uow, order(number))
        self.placed += count

    def completed(self) -> int:
        """Return how many product orders have completed.

        Raises:
            RuntimeError: one has ended in another way; a figure about failures would mean nothing.
        """
        here = product_orders.c.state
        wanted = select(here, func.count()).where(here.in_(ENDS)).group_by(here)
        with self.system.database.read() as connection:
            found: dict[str, int] = dict(connection.execute(wanted).all())
        if bad := found.keys() - {"completed"}:
            raise RuntimeError(f"orders ended {', '.join(sorted(bad))}")
        return found.get("completed", 0)

    def wait_for(self, count: int) -> None:
        """Return when ``count`` orders have completed.

        Raises:
            TimeoutError: they did not within two minutes.
        """
        deadline_s = time.monotonic() + PATIENCE_S
        while self.completed() < count:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{self.completed()} of {count} orders completed within {PATIENCE_S:g} s")
            time.sleep(LOOK_EVERY_S)


@contextmanager
def running(*, works: bool = True, **settings: object) -> Iterator[Rig]:
    """Start a platform on a new data folder, load the network, serve HTTP; stop and remove it all.

    Without ``works`` nothing is done about what is taken, as in a process that is an API alone.
    """
    with ExitStack() as stack:
        if not works:
            stack.enter_context(mock.patch.multiple(Worker, start=lambda _: None, stop=lambda *_, **__: True))
        yield stack.enter_context(_running(settings))


@contextmanager
def _running(settings: Mapping[str, object]) -> Iterator[Rig]:
    with platforms() as folder, tempfile.TemporaryDirectory(prefix="lastmile-bench-") as data:
        given = {"port": 0, "data": Path(data), "lab": "none", "auth": False, **settings}
        with running_system(Settings.read({}, **given), drivers=instant_drivers(), platforms=folder) as system:
            with system.database.begin() as uow:
                NetworkStore().load(uow, network())
            settle_heap()
            with serving(create_app(system), bind("127.0.0.1", 0)) as url:
                yield Rig(system=system, url=url)


@contextmanager
def platforms() -> Iterator[Path]:
    """Make a folder of platforms whose one platform is the instant one."""
    with tempfile.TemporaryDirectory(prefix="lastmile-bench-") as folder:
        made = Path(folder) / "templates"
        shutil.copytree(HERE / "templates", made)
        shutil.copy(INTENTS, made)
        yield made


def instant_drivers() -> DriverRegistry:
    """Return drivers to a new network of instant devices."""
    return DriverRegistry({"instant": InstantNetwork().open})


def network() -> Network:
    """Return one OLT, one switch and one router, and premises for nearly four thousand orders."""
    ports = [f"pon{number}" for number in range(PORTS)]
    return Network(
        devices=(_device("olt1", "olt"), _device("sw1", "switch"), _device("r1", "router")),
        links=(
            Link(a_device="olt1", a_interface="uplink1", b_device="sw1", b_interface="Ethernet1"),
            Link(a_device="sw1", a_interface="Ethernet2", b_device="r1", b_interface="eth1"),
        ),
        pon_ports=tuple(
            PonPort(olt="olt1", name=name, channel_partition="cp", channel_pair="cq", first_onu_id=1, last_onu_id=64)
            for name in ports
        ),
        premises=tuple(
            Premises(place_id=f"P-{number}", name=f"Way {number}", olt="olt1", pon_port=ports[number % PORTS])
            for number in range(PORTS * ONUS)
        ),
        vlan_pools=(VlanPool(name="subscriber-vlans", first_vlan_id=2, last_vlan_id=4094),),
        address_pools=(
            AddressPool(
                name="residential", prefix="10.42.0.0/16", first="10.42.0.15", last="10.42.255.250", gateway="10.42.0.1"
            ),
        ),
    )


def _device(name: str, role: str) -> Device:
    return Device(
        name=name, platform="instant", role=role, address="127.0.0.1", port=1, username="none", password="none"
    )
