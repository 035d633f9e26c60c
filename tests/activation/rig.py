"""The activation core with everything around it: fake devices or the embedded lab, and the real database."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from activation.drivers.cli_netmiko import open_cli
from activation.drivers.eos_eapi import open_eapi
from activation.drivers.eos_napalm import open_eos
from activation.drivers.fake import FakeNetwork
from activation.drivers.netconf_asyncssh import FastNetconf
from activation.drivers.netconf_ncclient import NcclientNetconf
from activation.drivers.registry import DriverRegistry
from activation.engine import ActivationCore
from activation.intent import load_intents
from activation.platforms import load_platforms
from activation.reach import Reach
from activation.render import Renderer
from activation.service_activation import RUN
from activation.sessions import SessionPool
from activation.store import MONITORS, SERVICES, journal_of
from activation.tables import metadata as activation_tables
from api.runtime.database import Database, open_database
from api.runtime.tables import metadata as runtime_tables
from inventory.documents import Document, characteristic_list
from inventory.errors import UnknownResource
from inventory.ledger import DeviceJob, Job, Retry, Transactions
from inventory.model import Device
from inventory.store import Row
from labs.embedded.lab import EmbeddedLab
from labs.topology import load_topology

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
FAKE_TEMPLATES: Final = HERE / "fake_templates"
TEMPLATES: Final = ROOT / "templates"
REAL_DRIVERS: Final = DriverRegistry(
    {
        "netconf": NcclientNetconf(),
        "netconf-fast": FastNetconf(),
        "napalm": open_eos,
        "napalm-eapi": open_eapi,
        "netmiko": open_cli,
    }
)
STOOD: Final = "hostname x\nport 1\n  set speed 10\n"


class DeviceList:
    """Devices by name, as :class:`activation.contracts.Devices`."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self._devices = {device.name: device for device in devices}

    def device(self, name: str) -> Device:
        if name not in self._devices:
            raise UnknownResource("device", name, self._devices)
        return self._devices[name]

    def devices(self) -> Sequence[Device]:
        return sorted(self._devices.values(), key=lambda device: device.name)


def fake_device(name: str, platform: str = "fake", *, timeout_s: float = 5.0) -> Device:
    return Device(
        name=name,
        platform=platform,
        role="box",
        address="127.0.0.1",
        port=1,
        username="admin",
        password="hidden-word",
        timeout_s=timeout_s,
    )


@dataclass(slots=True)
class Rig:
    """A core on a database; requests run in this thread, as the worker would run them."""

    core: ActivationCore
    database: Database

    def create(self, service: Document, external_id: str = "") -> Row:
        with self.database.begin() as uow:
            monitor_id = self.core.create(uow, service, external_id=external_id or fresh(), correlation_id="order-1")
        return self.run(monitor_id)

    def modify(self, service: Document) -> Row:
        with self.database.begin() as uow:
            monitor_id = self.core.modify(uow, service, external_id=fresh(), correlation_id="order-1")
        return self.run(monitor_id)

    def terminate(self, service_id: str) -> Row:
        with self.database.begin() as uow:
            monitor_id = self.core.terminate(uow, service_id, external_id=fresh(), correlation_id="order-1")
        return self.run(monitor_id)

    def run(self, monitor_id: str, transactions: Transactions | None = None) -> Row:
        assert self.try_once(monitor_id, transactions) is None
        return self.monitor(monitor_id)

    def try_once(self, monitor_id: str, transactions: Transactions | None = None) -> Retry | None:
        """Run the job of a monitor once, and return what it says about running again."""
        job = Job(job_id=1, kind=RUN, lane="svc-1", payload={"monitorId": monitor_id}, attempt=1)
        return self.core.run(job, transactions or self.database)

    def job(self, monitor_id: str, end: Callable[[object], None], *, failures: int = 0) -> DeviceJob:
        """Return the job of a monitor as a worker would hand it over."""
        job = Job(job_id=1, kind=RUN, lane=monitor_id, payload={"monitorId": monitor_id}, attempt=1)
        return DeviceJob(job=job, transactions=self.database, end=end, failures=failures)

    def accept(self, service: Document) -> str:
        """Take a request without running it; return its monitor's id."""
        with self.database.begin() as uow:
            return self.core.create(uow, service, external_id=fresh(), correlation_id="order-1")

    def monitor(self, monitor_id: str) -> Row:
        with self.database.read() as connection:
            return MONITORS.get(connection, monitor_id)

    def service(self, service_id: str) -> Row | None:
        with self.database.read() as connection:
            return SERVICES.find(connection, service_id)

    def steps(self, monitor: Row) -> list[str]:
        with self.database.read() as connection:
            return [step for step, _ in journal_of(connection, monitor.id)]


def fresh() -> str:
    return str(uuid.uuid4())


def database(folder: Path) -> Database:
    """Return a new database; its file is a copy, as to create the tables takes longer than most tests do."""
    (folder / "rig.db").write_bytes(_empty())
    return open_database(folder / "rig.db", routes={})


@cache
def _empty() -> bytes:
    with TemporaryDirectory(prefix="lastmile-empty-") as folder:
        base = open_database(Path(folder) / "rig.db", routes={})
        base.create_tables(runtime_tables, activation_tables)
        base.close()
        return (Path(folder) / "rig.db").read_bytes()


def fake_network() -> FakeNetwork:
    return FakeNetwork({"a": STOOD, "b": STOOD, "c": STOOD})


def fake_core(network: FakeNetwork, *, timeout_s: float = 5.0, renderer: type[Renderer] = Renderer) -> ActivationCore:
    """Return a core over fakes: ``a`` and ``b`` with confirmed commits, ``c`` without."""
    devices = [
        fake_device("a", timeout_s=timeout_s),
        fake_device("b", timeout_s=timeout_s),
        fake_device("c", "fake_line", timeout_s=timeout_s),
    ]
    return core(devices, FAKE_TEMPLATES, DriverRegistry({"fake": network.open}), renderer)


def core(
    devices: Sequence[Device], templates: Path, drivers: DriverRegistry, renderer: type[Renderer] = Renderer
) -> ActivationCore:
    platforms = load_platforms(templates)
    listed = DeviceList(devices)
    return ActivationCore(
        reach=Reach(devices=listed, platforms=platforms, sessions=SessionPool(listed, platforms, drivers)),
        intents=load_intents(templates / "intents.yaml"),
        renderer=renderer(templates, platforms),
    )


def fake_service(speed: int = 100, *, names: Sequence[str] = ("a", "b", "c"), number: int = 7) -> dict[str, Any]:
    supporting = [part(f"svc-{number}-{name}", "fake-port", device=name, number=number, speed=speed) for name in names]
    return {"id": f"svc-{number}", "serviceSpecification": {"id": "line"}, "supportingService": supporting}


def part(service_id: str, specification: str, **values: object) -> dict[str, Any]:
    listed = characteristic_list(values)
    return {"id": service_id, "serviceSpecification": {"id": specification}, "serviceCharacteristic": listed}


def ftth_lab() -> EmbeddedLab:
    return EmbeddedLab(load_topology(ROOT / "labs/ftth/ftth.clab.yml", environ={}), ssh_port=0, netconf_port=0)


def lab_devices(lab: EmbeddedLab, *, timeout_s: float = 2.0) -> dict[str, Device]:
    return {
        node.name: Device(
            name=node.name,
            platform=node.platform,
            role=node.role,
            address=node.address,
            port=node.port,
            username=node.username,
            password=node.password,
            timeout_s=timeout_s,
        )
        for node in lab.nodes()
    }


def configurations(lab: EmbeddedLab) -> Mapping[str, str]:
    return {node.name: lab.running_config(node.name) for node in lab.nodes()}


def broadband(down_mbps: int = 100, up_mbps: int = 50) -> dict[str, Any]:
    """Return the demo's first service."""
    gpon = part(
        "svc-1042-gpon",
        "gpon-access",
        olt="olt1",
        channelPartition="cpart1",
        channelPair="cpair1",
        onuId=1,
        ontSerialNumber="ABCD12345678",
        vlanId=1042,
        uplinkInterface="uplink1",
        upstreamBps=up_mbps * 1_000_000,
        assuredBps=up_mbps * 500_000,
        subscriber="1042",
    )
    transport = part(
        "svc-1042-transport",
        "aggregation-transport",
        switch="sw1",
        accessInterface="Ethernet1",
        uplinkInterface="Ethernet2",
        vlanId=1042,
        downstreamMbps=down_mbps,
        burstKbytes=down_mbps * 10,
    )
    edge = part(
        "svc-1042-edge",
        "ip-edge",
        router="r1",
        routerInterface="eth1",
        vlanId=1042,
        address="10.42.1.15",
        gateway="10.42.1.1",
    )
    return {
        "id": "svc-1042",
        "serviceSpecification": {"id": "internet-access"},
        "supportingService": [gpon, transport, edge],
    }
