"""One change on each of many devices: lock, edit, validate, confirmed commit, read back, confirm."""

import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import templates
from activation.drivers.registry import DriverRegistry
from activation.intent import build_intent, load_intents
from activation.journal import Journal
from activation.model import DeviceEdit, Fragment, FragmentChange, Plan, PlanId, ServiceId, TransactionId
from activation.plan import plan_device, touched_paths
from activation.platforms import Platform, load_platforms
from activation.render import Renderer
from activation.sessions import Leases, SessionPool
from activation.store import begin_transaction, store_plan
from activation.transact import Participants, Push
from api.runtime.database import Database
from inventory.documents import characteristics
from inventory.model import Device
from tests.activation.rig import DeviceList, broadband, database
from tests.bench.ansible_peers import ansible_cli, ansible_netconf
from tests.bench.fleet_devices import fleet
from tests.bench.fleet_peers import LINES, nornir_ncclient, nornir_netmiko
from tests.bench.report import Figure, median_of

TEMPLATES: Final = Path(templates.__file__).parent
DEVICES: Final = 200
PEER_DEVICES: Final = 40
ANSIBLE_DEVICES: Final = 10
GOAL: Final = 400


def fleet_push(runs: int) -> list[Figure]:
    """Return how many devices per second one network-wide transaction changes, warm, beside stock scripts."""
    with fleet("bbf_olt", DEVICES) as devices, tempfile.TemporaryDirectory(prefix="lastmile-bench-") as folder:
        store = database(Path(folder))
        with _participants(devices) as participants:
            pushes = _Pushes(participants, store)
            pushes.rate()  # Connects, and warms up.
            value = median_of(2 * runs, pushes.rate)
            edits = pushes.edits()
        store.close()
        some = devices[:PEER_DEVICES]
        peers: dict[str, float | None] = {"nornir+ncclient, cold": median_of(1, lambda: nornir_ncclient(some, edits))}
        peers |= ansible_netconf(devices[PEER_DEVICES : PEER_DEVICES + ANSIBLE_DEVICES], edits)
    with fleet("arista_eos", PEER_DEVICES) as switches:
        peers["nornir+netmiko, cold"] = median_of(1, lambda: nornir_netmiko(switches))
        peers |= ansible_cli(switches[:ANSIBLE_DEVICES], LINES)
    return [Figure(name="fleet_push", value=value, unit="devices/s", goal=GOAL, peers=peers)]


@contextmanager
def _participants(devices: Sequence[Device]) -> Iterator[Participants]:
    platforms = load_platforms(TEMPLATES)
    drivers = DriverRegistry.installed()
    pool = SessionPool(DeviceList(devices), platforms, drivers)
    leases = Leases(pool)
    try:
        yield Participants(devices={each.name: each for each in devices}, platforms=platforms, leases=leases)
    finally:
        leases.release()
        pool.close()
        drivers.close()


@dataclass(slots=True)
class _Pushes:
    """Puts the same service on every device and takes it off again, in turns."""

    participants: Participants
    store: Database
    is_there: bool = False

    def rate(self) -> float:
        """Return how many devices per second the next push changes."""
        edits = tuple(self.edits().values())
        monitor_id = str(uuid.uuid4())
        plan = Plan(plan_id=PlanId(monitor_id), edits=edits, fragments=(), plan_hash="")
        started_s = time.perf_counter()
        journal = Journal(self.store, TransactionId(f"lm-{uuid.uuid4().hex}"))
        with self.store.begin() as uow:
            store_plan(uow, plan, monitor_id)
            begin_transaction(uow, journal.transaction_id, plan, [monitor_id])
        outcome = Push(edits, self.participants, journal).run()
        took_s = time.perf_counter() - started_s
        if not outcome.completed:
            raise RuntimeError(f"the push failed: {outcome.failures[:3]}")
        self.is_there = not self.is_there
        return len(edits) / took_s

    def edits(self) -> Mapping[str, DeviceEdit]:
        """Return the next change of each device."""
        platform = self.participants.platforms["bbf_olt"]
        found: dict[str, DeviceEdit] = {}
        one = _fragment(platform)
        fragments = {name: replace(one, device=name) for name in self.participants.devices}
        changes = {
            name: FragmentChange(old=each, new=None) if self.is_there else FragmentChange(old=None, new=each)
            for name, each in fragments.items()
        }
        touched = touched_paths(platform, [next(iter(changes.values()))])
        answers = self.participants.ask("read", changes, lambda _, driver: driver.read(touched))
        for name, answer in answers.items():
            if answer.error is not None:
                raise answer.error
            found[name], _ = plan_device(name, platform, answer.value or "", [changes[name]])
        return found


def _fragment(platform: Platform) -> Fragment:
    part = broadband()["supportingService"][0]
    spec = load_intents(TEMPLATES / "intents.yaml")[part["serviceSpecification"]["id"]]
    intent = build_intent(spec, ServiceId("svc"), characteristics(part, "serviceCharacteristic"))
    text = Renderer(TEMPLATES, {platform.name: platform}).render(intent, platform.name)
    return Fragment(service_id=ServiceId("svc"), device=intent.device, intent=spec.name, text=text)
