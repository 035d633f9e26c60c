"""A dry run is what comes later: the same bytes and the same hash as if everything before had been pushed."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from activation.check_sync import SyncCheck
from activation.drivers.fake import FakeNetwork
from activation.dry_run import DryRunResult
from activation.errors import BadIntent, DevicesFailed, PlanError
from activation.model import Action
from activation.repair_requests import RepairRequest, Told, accept
from activation.service_activation import Request
from activation.states import MonitorState
from activation.tables import metadata as activation_tables
from activation.transaction_store import Wanted, transaction_page
from activation.transactions import transaction_document
from api.runtime.tables import metadata as runtime_tables
from inventory.store import Row
from tests.activation.rig import STOOD, Rig, fake_service, part


def adding(service: dict[str, Any], action: Action = "add") -> Request:
    return Request(action=action, service_id=service["id"], service=service)


def ending(service_id: str) -> Request:
    return Request(action="delete", service_id=service_id, service=None)


def line(service_id: str, *, number: int = 7, speed: int = 100, device: str = "a") -> dict[str, Any]:
    return part(service_id, "fake-port", device=device, number=number, speed=speed)


def dry(rig: Rig, wanted: Request, *before: Request) -> DryRunResult:
    return rig.core.dry_run([wanted], rig.database, before=before)


def push(rig: Rig, request: Request) -> Any:
    if request.service is None:
        return rig.terminate(request.service_id)
    return (rig.create if request.action == "add" else rig.modify)(request.service)


def bytes_of(monitor: Any) -> list[tuple[str, str, str]]:
    return [(each["device"], each["edit"], each["inverse"]) for each in monitor.document["plan"]["devices"]]


CASES = {
    "nothing before": ([], adding(fake_service())),
    "a neighbour before": ([adding(line("s1"))], adding(fake_service())),
    "a share that is there by then": ([adding(line("s1"))], adding(line("s2"))),
    "the last owner gone by then": ([adding(line("s1")), ending("s1")], adding(line("s2"))),
    "a share kept": ([adding(line("s1")), adding(line("s2")), ending("s1")], ending("s2")),
    "a modify of what is on its way": ([adding(line("s1"))], adding(line("s1", speed=500), "modify")),
    "a delete of what is on its way": ([adding(fake_service())], ending("svc-7")),
    "what was overwritten comes back": ([adding(line("s1", number=1, speed=99))], ending("s1")),
    "twice modified": (
        [adding(line("s1")), adding(line("s1", speed=5), "modify")],
        adding(line("s1", number=8, speed=5), "modify"),
    ),
    "other devices before": ([adding(line("s1", device="b"))], adding(line("s2", device="c"))),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_foretold_is_what_comes(rig: Rig, network: FakeNetwork, case: str) -> None:
    before, wanted = CASES[case]
    told = dry(rig, wanted, *before)
    assert all(device.running == STOOD for device in network.devices.values())

    for request in before:
        assert push(rig, request).state == MonitorState.COMPLETED
    plan = push(rig, wanted).document["plan"]

    assert told.plans[0].plan.plan_hash == plan["planHash"]
    assert [(each.device, each.edit, each.inverse) for each in told.plans[0].plan.edits] == [
        (each["device"], each["edit"], each["inverse"]) for each in plan["devices"]
    ]
    assert (told.applied, told.skipped) == (len(before), ())


STEPS = st.lists(
    st.tuples(st.sampled_from(["s1", "s2", "s3"]), st.sampled_from(["put", "end"]), st.integers(7, 8), st.booleans()),
    min_size=1,
    max_size=6,
)


def _requests(steps: list[tuple[str, str, int, bool]]) -> list[Request]:
    """Return a legal sequence: what is there is modified, what is not is added, and only what is there ends."""
    live: set[str] = set()
    made: list[Request] = []
    for service_id, verb, number, two in steps:
        if verb == "end":
            if service_id in live:
                made.append(ending(service_id))
            live.discard(service_id)
            continue
        names = ("a", "b") if two else ("a",)
        parts = [line(f"{service_id}-{name}", number=number, device=name) for name in names]
        service = {"id": service_id, "serviceSpecification": {"id": "line"}, "supportingService": parts}
        made.append(adding(service, "modify" if service_id in live else "add"))
        live.add(service_id)
    return made


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_sequence_is_foretold(rig: Rig, steps: list[tuple[str, str, int, bool]]) -> None:
    requests = _requests(steps)
    told = rig.core.dry_run(requests, rig.database)
    came = [push(rig, request) for request in requests]
    assert [each.plan.plan_hash for each in told.plans] == [each.document["plan"]["planHash"] for each in came]
    for service_id in ("s1", "s2", "s3"):
        rig.terminate(service_id)


def mend(rig: Rig, request: RepairRequest) -> Any:
    with rig.database.begin() as uow:
        monitor_id = accept(uow, request, Told(body={}))["id"]
    return rig.run(monitor_id)


def transaction_of(rig: Rig, monitor: Row) -> str:
    with rig.database.read() as connection:
        page, _ = transaction_page(connection, Wanted(), transaction_document)
    (found,) = (kept for kept in page if monitor.id in {each.monitor_id for each in kept.members})
    return found.transaction_id


REPAIRS: dict[str, Callable[[Rig, FakeNetwork], RepairRequest]] = {}


def repair(make: Callable[[Rig, FakeNetwork], RepairRequest]) -> Callable[[Rig, FakeNetwork], RepairRequest]:
    REPAIRS[make.__name__] = make
    return make


@repair
def redeploy(rig: Rig, network: FakeNetwork) -> RepairRequest:
    del rig
    network.devices["a"].running = STOOD
    return RepairRequest(action="redeploy", subject="s1")


@repair
def rollback_of_an_upgrade(rig: Rig, network: FakeNetwork) -> RepairRequest:
    del network
    return RepairRequest(action="rollback", subject=transaction_of(rig, rig.modify(line("s1", speed=900))))


@repair
def rollback_of_an_add(rig: Rig, network: FakeNetwork) -> RepairRequest:
    del network
    return RepairRequest(action="rollback", subject=transaction_of(rig, rig.create(line("s3", number=9))))


@repair
def reapply_what_is_missing(rig: Rig, network: FakeNetwork) -> RepairRequest:
    network.devices["a"].running = STOOD
    (checked,) = SyncCheck(
        devices=rig.core.reach.devices, platforms=rig.core.reach.platforms, sessions=rig.core.reach.sessions
    ).run(["a"], rig.database)
    assert checked.drift is not None
    return RepairRequest(action="reapply", subject="a", deviations=checked.drift.deviations)


@pytest.mark.parametrize("name", REPAIRS)
@pytest.mark.parametrize("wanted", [adding(line("s2")), ending("s1"), adding(line("s1", speed=5), "modify")])
def test_repairs_that_come_first_are_foretold_too(rig: Rig, network: FakeNetwork, name: str, wanted: Request) -> None:
    rig.create(line("s1"))
    request = REPAIRS[name](rig, network)
    told = rig.core.dry_run([wanted], rig.database, before=[request])
    assert (told.applied, told.skipped) == (1, ())
    assert mend(rig, request).state == MonitorState.COMPLETED
    plan = push(rig, wanted).document["plan"]
    assert told.plans[0].plan.plan_hash == plan["planHash"]


def test_a_repair_that_is_made_of_what_changes_before_it_is_left_out_and_said(rig: Rig) -> None:
    rig.create(line("s1"))
    upgrade = adding(line("s1", speed=500), "modify")
    told = rig.core.dry_run(
        [adding(line("s2", number=8))], rig.database, before=[upgrade, RepairRequest(action="redeploy", subject="s1")]
    )
    assert told.applied == 1
    assert "redeploy of s1 is left out: what comes first changes s1 too" in told.skipped[0]


def test_a_repair_that_will_fail_is_left_out_and_said(rig: Rig) -> None:
    told = rig.core.dry_run(
        [adding(line("s2"))], rig.database, before=[RepairRequest(action="rollback", subject="lm-nothing")]
    )
    assert told.applied == 0
    assert told.skipped[0].startswith("rollback of lm-nothing is left out, it will fail: ")


def test_what_will_fail_is_left_out_and_said(rig: Rig) -> None:
    broken = adding(part("s1", "fake-port", device="a", number=7))
    told = dry(rig, adding(line("s2")), broken)
    assert told.applied == 0
    assert "add of s1 is left out, it will fail" in told.skipped[0]
    assert "speed is missing" in told.skipped[0]


def test_a_conflict_with_what_is_on_its_way_is_a_conflict(rig: Rig) -> None:
    with pytest.raises(PlanError, match="service s2 wants"):
        dry(rig, adding(line("s2", speed=5)), adding(line("s1", speed=500)))


def test_a_wrong_service_is_refused(rig: Rig) -> None:
    with pytest.raises(BadIntent, match="speed is missing"):
        dry(rig, adding(part("s1", "fake-port", device="a", number=7)))


def test_a_part_of_another_service_is_refused(rig: Rig) -> None:
    rig.create(fake_service())
    thief = {"id": "thief", "serviceSpecification": {"id": "line"}, "supportingService": [line("svc-7-a")]}
    with pytest.raises(PlanError, match="belongs to service svc-7"):
        dry(rig, adding(thief))


def test_a_device_that_cannot_be_read_is_named(rig: Rig, network: FakeNetwork) -> None:
    network.devices["a"].faults["read"] = ["unreachable", "unreachable"]
    with pytest.raises(DevicesFailed, match="a: "):
        dry(rig, adding(line("s1")))


def test_every_neighbour_is_named_those_on_their_way_among_them(rig: Rig) -> None:
    for number in range(1, 6):
        rig.create(line(f"s{number}"))
    told = dry(rig, adding(line("mine")), adding(line("soon")), ending("s5"))
    assert told.plans[0].neighbours == {"a": {"s1", "s2", "s3", "s4", "soon"}}


def test_nothing_of_it_stays(rig: Rig, network: FakeNetwork) -> None:
    def contents() -> list[Any]:
        with rig.database.read() as connection:
            tables = (*activation_tables.tables.values(), *runtime_tables.tables.values())
            return [connection.execute(select(table)).all() for table in tables]

    before = contents()
    dry(rig, adding(fake_service()))
    assert contents() == before
    assert [device.lock_holder for device in network.devices.values()] == [None] * 3
