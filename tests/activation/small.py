"""A core over one small device: no lab, no sockets; a group of services goes through all of it in milliseconds."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, Final

from activation.contracts import PlatformRules
from activation.drivers.registry import DriverRegistry
from activation.engine import ActivationCore
from activation.errors import EditRefused
from activation.fragment_store import fragments_of
from activation.model import DeviceEdit
from activation.model import Path as NodePath
from activation.reach import Reach
from activation.sessions import SessionPool
from activation.states import MonitorState
from inventory.model import Device
from tests.activation.rig import DeviceList, Rig, database, fake_device, fresh, part
from tests.activation.services import BASES, DEVICE, INTENT_OF, INTENTS, PLATFORMS, RENDERER, characteristics
from tests.activation.test_plan_laws import BENCHES, Bench

VLAN_IDS: Final = tuple(range(1042, 1048))
PATIENCE_S: Final = 30.0
Wish = tuple[int, int | None]
"""A service by its VLAN, and the speed it is to have; None: it is to go."""


class SmallDevice:
    """A device that takes edits as its manual says; refuses those that hold a certain text.

    Attributes:
        refuses: what no edit may hold.
        commits: how often something was committed.
    """

    def __init__(self, bench: Bench, base: str) -> None:
        self.bench, self.running, self.refuses, self.commits = bench, bench.normal(base), "", 0

    def open(self, device: Device, rules: PlatformRules) -> "SmallDriver":  # noqa: ARG002 - one device, one kind
        """Return a session."""
        return SmallDriver(self)


class SmallDriver:
    """One session; see :class:`activation.contracts.Driver`."""

    confirmed_commit = True
    host_key = ""

    def __init__(self, device: SmallDevice) -> None:
        self._device = device
        self._before: str | None = None

    def read(self, touched: Sequence[NodePath]) -> str:  # noqa: ARG002 - the whole is never less
        return self._device.running

    def stage(self, edit: DeviceEdit, *, token: str) -> None:  # noqa: ARG002 - one nameless candidate
        if self._device.refuses and self._device.refuses in edit.edit:
            raise EditRefused(edit.device, "stage", "% no such thing")

    def commit(self, edit: DeviceEdit, *, token: str, confirm_timeout_s: int) -> None:  # noqa: ARG002 - no clock
        self._before = self._device.running
        self._device.running = self._device.bench.apply(self._before, edit.edit)
        self._device.commits += 1

    def confirm(self, edit: DeviceEdit, *, token: str) -> None:  # noqa: ARG002 - it holds
        self._before = None

    def rollback(self, edit: DeviceEdit, *, token: str, undone: Callable[[str], bool]) -> None:  # noqa: ARG002
        if self._before is not None:
            self._device.running, self._before = self._before, None

    def discard(self) -> None:
        pass

    def ping(self) -> None:
        pass

    def alive(self) -> bool:
        return True

    def close(self) -> None:
        pass


class Site:
    """A core with one small device, and the requests that go to it in groups."""

    def __init__(self, rig: Rig, device: SmallDevice, platform: str) -> None:
        self.rig, self.device, self.platform = rig, device, platform
        self.base = device.running
        self.live: dict[int, int] = {}

    def bring(self, group: Sequence[Wish]) -> dict[int, str]:
        """Bring all wishes in one group; return how each ended, by VLAN."""
        ended: SimpleQueue[object] = SimpleQueue()
        with self.rig.database.begin() as uow:
            asked = {vlan_id: self._ask(uow, vlan_id, mbps) for vlan_id, mbps in group}
        with self.rig.core.reach.locks.held([DEVICE]):
            self.rig.core.accept([self.rig.job(monitor_id, ended.put) for monitor_id in asked.values()])
        assert [ended.get(timeout=PATIENCE_S) for _ in asked] == [None] * len(asked)
        states = {vlan_id: self.rig.monitor(monitor_id).state for vlan_id, monitor_id in asked.items()}
        for vlan_id, mbps in group:
            if states[vlan_id] == MonitorState.COMPLETED:
                self.live.pop(vlan_id, None)
                self.live |= {vlan_id: mbps} if mbps is not None else {}
        return states

    def union(self) -> str:
        """Return the base with the fragments of all live services merged into it."""
        with self.rig.database.read() as connection:
            held = fragments_of(connection, [f"svc-{vlan_id}" for vlan_id in VLAN_IDS])
        text = self.base
        for fragment in (fragment for fragments in held.values() for fragment in fragments):
            text = self.device.bench.merge(text, fragment.text)
        assert {root for root, fragments in held.items() if fragments} == {f"svc-{vlan_id}" for vlan_id in self.live}
        return text

    def fresh(self) -> str:
        """Return what a device carries on which the live services were all created anew, in one group."""
        with small_site(self.platform, occupied=False) as other:
            other.device.running = other.base = self.base
            other.bring(list(self.live.items()))
            return other.device.running

    def _ask(self, uow: Any, vlan_id: int, mbps: int | None) -> str:
        names = {"external_id": fresh(), "correlation_id": "order-1"}
        if mbps is None:
            return self.rig.core.terminate(uow, f"svc-{vlan_id}", **names)
        wanted = part(f"svc-{vlan_id}", INTENT_OF[self.platform], **characteristics(self.platform, vlan_id, mbps))
        ask = self.rig.core.modify if vlan_id in self.live else self.rig.core.create
        return ask(uow, wanted, **names)


@contextmanager
def small_site(platform: str, *, occupied: bool) -> Iterator[Site]:
    """Make a core over one small device of ``platform``."""
    device = SmallDevice(BENCHES[platform], BASES[platform][occupied])
    drivers = DriverRegistry({PLATFORMS[platform].driver: device.open})
    with TemporaryDirectory(prefix="lastmile-laws-") as folder:
        rig = Rig(small_core([fake_device(DEVICE, platform)], drivers), database(Path(folder)))
        try:
            yield Site(rig, device, platform)
        finally:
            rig.core.close()
            rig.database.close()


def small_core(devices: Sequence[Device], drivers: DriverRegistry) -> ActivationCore:
    """Return a core over these devices, with the templates that come with the product."""
    listed = DeviceList(devices)
    sessions = SessionPool(listed, PLATFORMS, drivers)
    reach = Reach(devices=listed, platforms=PLATFORMS, sessions=sessions)
    return ActivationCore(reach=reach, intents=INTENTS, renderer=RENDERER)
