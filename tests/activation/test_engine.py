import json

import pytest

from activation.drivers.fake import FakeNetwork, Fault, Phase
from activation.fragment_store import fragments_of
from activation.service_activation import Request
from activation.states import MonitorState
from activation.store import plan_edits
from tests.activation.rig import STOOD, Rig, fake_core, fake_service, part

DEVICES = ("a", "b", "c")


def states(network: FakeNetwork) -> dict[str, str]:
    return {name: network.devices[name].running for name in DEVICES}


UNTOUCHED = dict.fromkeys(DEVICES, STOOD)


def test_create_configures_every_device_and_tells_what_it_did(rig: Rig, network: FakeNetwork) -> None:
    monitor = rig.create(fake_service())

    assert monitor.state == monitor.document["state"] == MonitorState.COMPLETED
    assert states(network) == dict.fromkeys(DEVICES, STOOD + "port 7\n  set speed 100\nroute 7\n")
    plan = monitor.document["plan"]
    assert [(each["device"], each["readBack"]) for each in plan["devices"]] == [(name, "ok") for name in DEVICES]
    assert "+port 7" in plan["devices"][0]["diff"]
    assert plan["devices"][0]["timingsS"].keys() == {"read", "stage", "commit", "readBack", "confirm"}
    assert rig.steps(monitor) == ["staging", "committing", "readingBack", "confirming", "done"]


def test_completed_service_is_active_with_all_its_parts(rig: Rig) -> None:
    monitor = rig.create(fake_service())

    service = rig.service("svc-7")
    assert service is not None
    assert service.state == service.document["state"] == "active"
    assert {each["state"] for each in service.document["supportingService"]} == {"active"}
    assert json.loads(monitor.document["response"]["body"])["id"] == "svc-7"


def test_every_device_saves_and_holds_nothing_afterwards(rig: Rig, network: FakeNetwork) -> None:
    rig.create(fake_service())

    for device in network.devices.values():
        assert device.startup == device.running
        assert (device.pending, device.lock_holder) == ({}, None)


def test_service_that_is_an_intent_itself_works_without_supporting_services(rig: Rig, network: FakeNetwork) -> None:
    monitor = rig.create(part("svc-9", "fake-port", device="b", number=9, speed=10))

    assert monitor.state == MonitorState.COMPLETED
    assert network.devices["b"].running.endswith("port 9\n  set speed 10\nroute 9\n")
    assert network.devices["a"].running == STOOD


def test_same_external_id_is_the_same_monitor_and_runs_once(rig: Rig, network: FakeNetwork) -> None:
    first = rig.create(fake_service(), external_id="once")
    calls = list(network.devices["a"].phases)

    assert rig.create(fake_service(), external_id="once").id == first.id
    assert network.devices["a"].phases == calls


def test_modify_changes_only_what_differs(rig: Rig, network: FakeNetwork) -> None:
    rig.create(fake_service(100))
    for device in network.devices.values():
        device.phases.clear()
    changed = fake_service(100)
    changed["supportingService"][1] = part("svc-7-b", "fake-port", device="b", number=7, speed=500)

    monitor = rig.modify(changed)

    verdicts = {each["device"]: each["readBack"] for each in monitor.document["plan"]["devices"]}
    assert verdicts == {"a": "unchanged", "b": "ok", "c": "unchanged"}
    assert network.devices["b"].running == STOOD + "port 7\n  set speed 500\nroute 7\n"
    assert network.devices["a"].phases == network.devices["c"].phases == []


def test_modify_without_a_difference_pushes_nothing(rig: Rig, network: FakeNetwork) -> None:
    rig.create(fake_service())
    before = states(network)

    monitor = rig.modify(fake_service())

    assert monitor.state == MonitorState.COMPLETED
    assert rig.steps(monitor) == []
    assert states(network) == before


def test_modified_then_terminated_service_leaves_nothing(rig: Rig, network: FakeNetwork) -> None:
    rig.create(fake_service(100))
    rig.modify(fake_service(500))
    monitor = rig.terminate("svc-7")

    assert monitor.state == MonitorState.COMPLETED
    assert states(network) == UNTOUCHED
    service = rig.service("svc-7")
    assert service is not None
    assert service.state == "terminated"
    with rig.database.read() as connection:
        assert fragments_of(connection, ["svc-7"]) == {"svc-7": ()}


def test_terminate_of_a_service_nobody_knows_completes_and_touches_nothing(rig: Rig, network: FakeNetwork) -> None:
    assert rig.terminate("nobody").state == MonitorState.COMPLETED
    assert network.drivers == []


def test_terminate_keeps_what_another_service_shares(rig: Rig, network: FakeNetwork) -> None:
    rig.create(part("svc-1", "fake-port", device="a", number=7, speed=10))
    rig.create(part("svc-2", "fake-port", device="a", number=7, speed=10))
    rig.terminate("svc-1")

    assert network.devices["a"].running == STOOD + "port 7\n  set speed 10\nroute 7\n"
    rig.terminate("svc-2")
    assert network.devices["a"].running == STOOD


def test_dry_run_plans_and_touches_nothing(rig: Rig, network: FakeNetwork) -> None:
    request = Request(action="add", service_id="svc-7", service=fake_service())
    plan = rig.core.dry_run([request], rig.database).plans[0].plan

    assert [edit.device for edit in plan.edits] == list(DEVICES)
    assert all("set speed 100" in edit.edit for edit in plan.edits)
    assert states(network) == UNTOUCHED


BAD_SERVICES = {
    "unknown specification": (part("x", "nonsense"), "badIntent", "known: broken, fake-ont, fake-port"),
    "missing characteristic": (part("x", "fake-port", device="a", number=1), "badIntent", "speed is missing"),
    "ill-typed characteristic": (
        part("x", "fake-port", device="a", number="1", speed=1),
        "badIntent",
        "an integer from 1 to 99",
    ),
    "unknown device": (part("x", "fake-port", device="z", number=1, speed=1), "unknownResource", "known: a, b, c"),
    "broken template": (part("x", "broken", device="a"), "renderError", "missing"),
}


@pytest.mark.parametrize("case", BAD_SERVICES)
def test_bad_service_ends_in_error_with_a_clear_text_and_no_session(case: str, rig: Rig, network: FakeNetwork) -> None:
    service, code, words = BAD_SERVICES[case]

    monitor = rig.create(service)

    assert monitor.state == MonitorState.IN_ERROR
    [error] = monitor.document["errorMessage"]
    assert error["code"] == code
    assert words in error["message"]
    assert network.drivers == []
    assert rig.service("x") is None


TROUBLE: dict[tuple[Phase, Fault], str] = {
    ("connect", "unreachable"): "deviceUnreachable",
    ("read", "unreachable"): "deviceUnreachable",
    ("stage", "refuse"): "editRefused",
    ("stage", "unreachable"): "deviceUnreachable",
    ("commit", "refuse"): "editRefused",
    ("commit", "unreachable"): "deviceUnreachable",
    ("commit", "lost_before"): "outcomeUnknown",
    ("commit", "ignore"): "readBackMismatch",
    ("confirm", "refuse"): "editRefused",
    ("confirm", "unreachable"): "deviceUnreachable",
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("phase", "fault"), TROUBLE)
def test_trouble_in_any_phase_on_any_device_leaves_all_as_before(
    device: str, phase: Phase, fault: Fault, rig: Rig, network: FakeNetwork
) -> None:
    # A session that breaks while it reads is tried once more.
    network.devices[device].faults[phase] = [fault, fault] if phase == "read" else [fault]

    monitor = rig.create(fake_service())

    assert monitor.state == MonitorState.IN_ERROR
    first = monitor.document["errorMessage"][0]
    assert (first["code"], first["device"]) == (TROUBLE[phase, fault], device)
    assert {each["device"] for each in monitor.document["errorMessage"]} == {device}
    assert states(network) == UNTOUCHED
    assert all((fake.pending, fake.lock_holder) == ({}, None) for fake in network.devices.values())
    assert rig.service("svc-7") is None


@pytest.mark.parametrize("device", DEVICES)
def test_warm_session_that_is_dead_without_looking_so_costs_no_order(
    device: str, rig: Rig, network: FakeNetwork
) -> None:
    rig.create(fake_service())
    network.devices[device].faults["read"] = ["unreachable"]

    assert rig.modify(fake_service(500)).state == MonitorState.COMPLETED


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_request_succeeds_once_the_trouble_is_over(device: str, rig: Rig, network: FakeNetwork) -> None:
    network.devices[device].faults["commit"] = ["refuse"]
    rig.create(fake_service())

    assert rig.create(fake_service()).state == MonitorState.COMPLETED


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("phase", ["commit", "confirm"])
def test_lost_answer_is_resolved_by_reading_back(phase: Phase, device: str, rig: Rig, network: FakeNetwork) -> None:
    network.devices[device].faults[phase] = ["lost_after"]

    monitor = rig.create(fake_service())

    assert monitor.state == MonitorState.COMPLETED
    assert states(network) == dict.fromkeys(DEVICES, STOOD + "port 7\n  set speed 100\nroute 7\n")


def test_failed_modify_keeps_the_old_service_on_devices_and_in_the_store(rig: Rig, network: FakeNetwork) -> None:
    rig.create(fake_service(100))
    before = states(network)
    network.devices["b"].faults["commit"] = ["refuse"]

    assert rig.modify(fake_service(500)).state == MonitorState.IN_ERROR

    assert states(network) == before
    service = rig.service("svc-7")
    assert service is not None
    assert service.state == "active"
    network.devices["b"].faults.clear()
    rig.terminate("svc-7")
    assert states(network) == UNTOUCHED


@pytest.mark.parametrize("fault", ["refuse", "ignore", "lost_before"])
def test_rollback_that_fails_once_is_repaired(fault: Fault, rig: Rig, network: FakeNetwork) -> None:
    network.devices["b"].faults["commit"] = ["refuse"]
    network.devices["a"].faults["rollback"] = [fault]

    monitor = rig.create(fake_service())

    assert [each["code"] for each in monitor.document["errorMessage"]] == ["editRefused"]
    assert states(network) == UNTOUCHED


def test_rollback_that_keeps_failing_is_said_loudly_and_journalled(rig: Rig, network: FakeNetwork) -> None:
    network.devices["b"].faults["commit"] = ["refuse"]
    network.devices["a"].faults["rollback"] = ["refuse", "refuse"]

    monitor = rig.create(fake_service())

    codes = {(each["code"], each["device"]) for each in monitor.document["errorMessage"]}
    assert codes == {("editRefused", "b"), ("rollbackFailed", "a")}
    assert "a: rollback failed, the device may not be as it was" in str(monitor.document["errorMessage"])
    assert rig.steps(monitor)[-1] == "rollbackFailed"
    assert network.devices["c"].running == STOOD


def test_supporting_service_of_another_service_is_refused_before_any_push(rig: Rig, network: FakeNetwork) -> None:
    rig.create(fake_service(number=7))
    before = states(network)
    other = fake_service(number=8)
    other["supportingService"][0]["id"] = "svc-7-a"

    [error] = rig.create(other).document["errorMessage"]

    assert (error["code"], "svc-7-a belongs to service svc-7" in error["message"]) == ("planError", True)
    assert states(network) == before


def test_supporting_service_given_twice_is_refused(rig: Rig, network: FakeNetwork) -> None:
    service = fake_service()
    service["supportingService"][1]["id"] = service["supportingService"][0]["id"]

    [error] = rig.create(service).document["errorMessage"]

    assert (error["code"], "svc-7-a is given twice" in error["message"]) == ("badIntent", True)
    assert states(network) == UNTOUCHED


def test_several_failing_devices_are_all_named(rig: Rig, network: FakeNetwork) -> None:
    for name in ("a", "c"):
        network.devices[name].faults["stage"] = ["refuse"]

    monitor = rig.create(fake_service())

    assert {each["device"] for each in monitor.document["errorMessage"]} == {"a", "c"}


@pytest.mark.parametrize(("phase", "code"), [("read", "deviceUnreachable"), ("commit", "outcomeUnknown")])
def test_device_that_hangs_stalls_nobody(phase: Phase, code: str, rig: Rig, network: FakeNetwork) -> None:
    rig.core = fake_core(network, timeout_s=0.05)
    network.devices["b"].faults[phase] = ["hang"]

    monitor = rig.create(fake_service())

    assert monitor.document["errorMessage"][0]["code"] == code
    assert states(network) == UNTOUCHED
    network.release()
    assert rig.create(fake_service()).state == MonitorState.COMPLETED


def test_no_secret_reaches_the_monitor(rig: Rig, network: FakeNetwork) -> None:
    network.devices["a"].faults["connect"] = ["unreachable"]

    assert "hidden-word" not in str(rig.create(fake_service()).document)


def test_job_of_an_ended_monitor_does_nothing(rig: Rig, network: FakeNetwork) -> None:
    monitor = rig.create(fake_service())
    calls = list(network.devices["a"].phases)

    assert rig.run(monitor.id) == monitor
    assert network.devices["a"].phases == calls


def test_sessions_are_used_again_by_the_next_order(rig: Rig, network: FakeNetwork) -> None:
    rig.core.warm().join()
    opened = len(network.drivers)
    rig.create(fake_service())
    rig.modify(fake_service(200))

    assert len(network.drivers) == opened == len(DEVICES)


def test_plan_is_stored_as_it_was_pushed(rig: Rig) -> None:
    plan = rig.create(fake_service()).document["plan"]

    with rig.database.read() as connection:
        edits = plan_edits(connection, plan["planId"])
    assert [(edit.device, edit.edit, edit.inverse) for edit in edits] == [
        (each["device"], each["edit"], each["inverse"]) for each in plan["devices"]
    ]
