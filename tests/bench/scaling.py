"""What planning one more service costs on a device that carries thousands."""

import time
import uuid
from statistics import median
from typing import Final

from ncclient import manager

from activation.draft import with_places
from activation.fragment_store import replace_fragments
from activation.intent import build_intent
from activation.journal import Journal
from activation.model import Fragment, FragmentChange, Plan, PlanId, ServiceId, TransactionId
from activation.plan import plan_device
from activation.planning import plan
from activation.report import Report
from activation.service_activation import Request
from activation.store import begin_transaction, store_plan
from activation.transact import Push
from activation.work import Member
from inventory.documents import Document, characteristics
from inventory.model import Device
from inventory.store import Row
from tests.bench.activating import VLANS, Activating, activating, ont
from tests.bench.fleet_devices import fleet
from tests.bench.report import UNDER, Figure, rounded

SERVICES: Final = 10_000
AT_ONCE: Final = 1000
PLANS: Final = 15


def plan_scaling(runs: int) -> list[Figure]:
    """Return how much longer planning the 10,000th service of an OLT takes than the first: read, plan, ownership."""
    with fleet("bbf_olt", 2) as devices, activating(devices) as site:
        empty, full = devices
        for first in range(0, SERVICES - 1, AT_ONCE):
            _fill(site, full, range(first, min(first + AT_ONCE, SERVICES - 1)))
        site.number = SERVICES
        first_s, last_s = (
            median(plan_s(site, ont(device.name, site.number)) for _ in range(PLANS * runs)) for device in devices
        )
        peers = {"reading all of it (ncclient)": rounded(_whole_s(full) / _whole_s(empty))}
    value = rounded(last_s / first_s)
    return [Figure(name="plan_scaling", value=value, unit="times", goal=1.2, sense=UNDER, peers=peers)]


def plan_s(site: Activating, service: Document) -> float:
    """Return how long it takes to plan ``service``, of one part, as a new one: read, plan, ownership.

    Raises:
        RuntimeError: there was nothing to plan.
    """
    request = Request(action="add", service_id=service["id"], service=service)
    started_s = time.perf_counter()
    work = site.core._intake.work(request, ())
    member = Member(
        monitor=Row(id="", state="", correlation_id="", document={}),
        work=work,
        report=Report(),
        transactions=site.database,
        end=lambda _: None,
    )
    with site.core.reach.participants(site.core.reach.named(work.by_device)) as participants:
        planned = plan([member], participants).plan
    took_s = time.perf_counter() - started_s
    if not any(edit.changes for edit in planned.edits):
        raise RuntimeError("nothing was planned")
    return took_s


def _whole_s(device: Device) -> float:
    with manager.connect(
        host=device.address,
        port=device.port,
        username=device.username,
        password=device.password,
        hostkey_verify=False,
        allow_agent=False,
        look_for_keys=False,
    ) as session:
        started_s = time.perf_counter()
        session.get_config("running")
        return time.perf_counter() - started_s


def _fill(site: Activating, device: Device, numbers: range) -> None:
    """Put these services on the device, and into the store, past the order layers."""
    fragments = [_fragment(site, device.name, number) for number in numbers]
    changes = [FragmentChange(old=None, new=fragment) for fragment in fragments]
    with site.core.reach.participants({device.name: device}) as participants:
        platform = participants.platform(device.name)
        running = participants.ask("read", [device.name], lambda _, driver: driver.read(()))[device.name].value
        edit, settled = plan_device(device.name, platform, running or "", changes)
        journal = Journal(site.database, TransactionId(f"lm-{uuid.uuid4().hex}"))
        pushed = Plan(plan_id=PlanId(str(uuid.uuid4())), edits=(edit,), fragments=(), plan_hash="")
        with site.database.begin() as uow:
            store_plan(uow, pushed, "fill")
            begin_transaction(uow, journal.transaction_id, pushed, ["fill"])
        outcome = Push([edit], participants, journal).run()
        if not outcome.completed:
            raise RuntimeError(f"the device refused to be filled: {outcome.failures}")
        with site.database.begin() as uow:
            for change in settled:
                if change.new is not None:
                    held = with_places([change.new], participants.platform)
                    replace_fragments(uow, change.new.service_id, {device.name: held})


def _fragment(site: Activating, olt: str, number: int) -> Fragment:
    part = ont(olt, number)
    spec = site.core.intents["gpon-access"]
    intent = build_intent(spec, ServiceId(part["id"]), characteristics(part, "serviceCharacteristic"))
    text = site.core.renderer.render(intent, "bbf_olt")
    # There are fewer VLANs than services here: each gets a forwarder of its own all the same.
    text = text.replace(f"<name>fwd-{1 + number % VLANS}<", f"<name>fwd-{number}-filled<")
    return Fragment(service_id=intent.service_id, device=olt, intent=spec.name, text=text)
