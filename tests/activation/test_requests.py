"""Requests for one service, one behind the other; values that one live service has alone."""

from typing import Any

import pytest

from activation.claim_release import release
from activation.claim_store import holders
from activation.drivers.fake import FakeNetwork
from activation.errors import ClaimsInUse, NotUnique
from activation.service_activation import Asker, Request
from activation.states import MonitorState
from inventory.documents import Document
from inventory.errors import UnknownResource
from inventory.store import Row
from tests.activation.rig import STOOD, Rig, fake_service, fresh, part
from tests.activation.test_engine import UNTOUCHED, states


def ont(service_id: str = "ont-1", *, number: int = 7, serial: str = "AB1", **more: Any) -> dict[str, Any]:
    return {**part(service_id, "fake-ont", device="a", number=number, serial=serial), **more}


def ask(rig: Rig, request: Request) -> str:
    with rig.database.begin() as uow:
        return rig.core.ask(uow, request, Asker(external_id=fresh(), correlation_id="c", is_direct=True))


def change(rig: Rig, service_id: str, patch: Document) -> str:
    return ask(rig, Request(action="modify", service_id=service_id, patch=patch))


def add(rig: Rig, service: dict[str, Any]) -> str:
    return ask(rig, Request(action="add", service_id=service["id"], service=service))


def value(name: str, to: object) -> dict[str, Any]:
    return {"serviceCharacteristic": [{"name": name, "value": to}]}


def claimed(rig: Rig, *serials: str) -> dict[str, str]:
    wanted = [f"fake-ont: serial {serial!r}" for serial in serials]
    with rig.database.read() as connection:
        found = holders(connection, wanted)
    return {claim.partition("serial ")[2].strip("'"): holder for claim, holder in found.items()}


def lines(network: FakeNetwork) -> list[str]:
    return sorted(network.devices["a"].running.splitlines())


def stored(rig: Rig, service_id: str = "ont-1") -> Row:
    row = rig.service(service_id)
    assert row is not None
    return row


def test_a_state_is_what_the_devices_have(rig: Rig, network: FakeNetwork) -> None:
    monitor = rig.run(add(rig, ont(state="inactive")))
    assert monitor.document["response"]["statusCode"] == "201"
    assert lines(network) == sorted((STOOD + "port 7\n  off\n  serial AB1\n").splitlines())
    assert stored(rig).state == "inactive"

    assert rig.run(change(rig, "ont-1", {"state": "active"})).state == MonitorState.COMPLETED
    assert lines(network) == sorted((STOOD + "port 7\n  serial AB1\n").splitlines())
    assert rig.run(change(rig, "ont-1", {"state": "inactive"})).state == MonitorState.COMPLETED
    assert rig.run(ask(rig, Request(action="delete", service_id="ont-1"))).state == MonitorState.COMPLETED
    assert states(network) == UNTOUCHED
    assert stored(rig).state == "terminated"


def test_what_is_staged_reads_devices_and_pushes_nothing(rig: Rig, network: FakeNetwork) -> None:
    monitor = rig.run(add(rig, ont(state="designed")))
    (device,) = monitor.document["plan"]["devices"]
    assert "+port 7" in device["diff"]
    assert network.devices["a"].phases == ["connect", "read"]
    assert (stored(rig).state, rig.steps(monitor)) == ("designed", [])
    network.devices["a"].faults["connect"] = ["unreachable"] * 2
    network.cut_sessions()
    failed = rig.run(change(rig, "ont-1", value("number", 2)))
    assert failed.document["response"]["statusCode"] == "502"
    assert stored(rig).state == "designed"
    rig.run(ask(rig, Request(action="delete", service_id="ont-1")))
    assert rig.service("ont-1") is None


def test_a_request_waits_for_the_one_in_front_of_it(rig: Rig, network: FakeNetwork) -> None:
    first, second = add(rig, ont()), change(rig, "ont-1", value("serial", "AB2"))
    third = change(rig, "ont-1", {"description": "x"})
    for early in (third, second):
        assert rig.try_once(early) is None
        assert rig.monitor(early).state == MonitorState.IN_PROGRESS
    assert states(network) == UNTOUCHED
    for each in (first, second, third):
        assert rig.run(each).state == MonitorState.COMPLETED
    assert (stored(rig).document["description"], stored(rig).task["pending"]) == ("x", [])
    assert lines(network) == sorted((STOOD + "port 7\n  serial AB2\n").splitlines())
    assert claimed(rig, "AB1", "AB2") == {"AB2": "ont-1"}


def test_a_patch_changes_what_is_there_when_its_turn_comes(rig: Rig, network: FakeNetwork) -> None:
    rig.run(add(rig, ont()))
    network.devices["a"].faults["stage"] = ["refuse"]
    refused, after = change(rig, "ont-1", value("serial", "AB2")), change(rig, "ont-1", {"state": "inactive"})
    assert rig.run(refused).document["response"]["statusCode"] == "422"
    assert rig.run(after).state == MonitorState.COMPLETED
    assert lines(network) == sorted((STOOD + "port 7\n  off\n  serial AB1\n").splitlines())
    assert claimed(rig, "AB1", "AB2") == {"AB1": "ont-1"}


def test_what_is_behind_a_creation_that_failed_says_so(rig: Rig, network: FakeNetwork) -> None:
    network.devices["a"].faults["stage"] = ["refuse"]
    first, second = add(rig, ont()), change(rig, "ont-1", {"state": "inactive"})
    last = ask(rig, Request(action="delete", service_id="ont-1"))
    assert rig.run(first).state == MonitorState.IN_ERROR
    failed = rig.run(second)
    assert failed.document["errorMessage"][0]["code"] == "unknownResource"
    assert rig.run(last).state == MonitorState.COMPLETED
    assert claimed(rig, "AB1") == {}


def test_a_move_that_became_illegal_touches_no_device(rig: Rig, network: FakeNetwork) -> None:
    rig.run(add(rig, ont(state="inactive")))
    before = list(network.devices["a"].phases)
    failed = rig.run(change(rig, "ont-1", {"state": "designed"}))
    assert failed.document["errorMessage"][0]["code"] == "illegalTransition"
    assert network.devices["a"].phases == before


def test_one_value_is_one_live_services(rig: Rig) -> None:
    rig.run(add(rig, ont()))
    for twin in (ont("ont-2", number=2), ont("ont-2", serial="AB2"), ont("ont-2", number=2, state="designed")):
        with pytest.raises(NotUnique) as refused:
            add(rig, twin)
        assert set(refused.value.holders.values()) == {"ont-1"}
        assert rig.service("ont-2") is None
        with pytest.raises(NotUnique):
            rig.core.dry_run([Request(action="add", service_id=twin["id"], service=twin)], rig.database)
    rig.run(add(rig, ont("ont-2", number=2, serial="AB2")))
    with pytest.raises(NotUnique):
        change(rig, "ont-2", value("serial", "AB1"))
    rig.run(ask(rig, Request(action="delete", service_id="ont-1")))
    assert rig.run(change(rig, "ont-2", value("serial", "AB1"))).state == MonitorState.COMPLETED
    assert claimed(rig, "AB1", "AB2") == {"AB1": "ont-2"}
    with pytest.raises(NotUnique):
        change(rig, "ont-1", {"state": "active"})


def test_the_same_number_on_another_device_is_another(rig: Rig) -> None:
    rig.run(add(rig, ont()))
    other = part("ont-2", "fake-ont", device="b", number=7, serial="AB2")
    assert rig.run(add(rig, other)).state == MonitorState.COMPLETED


def test_a_creation_that_fails_gives_its_values_back(rig: Rig, network: FakeNetwork) -> None:
    network.devices["a"].faults["stage"] = ["refuse"]
    assert rig.run(add(rig, ont())).state == MonitorState.IN_ERROR
    assert claimed(rig, "AB1") == {}
    assert rig.run(add(rig, ont("ont-2"))).state == MonitorState.COMPLETED


def unrestored(rig: Rig, network: FakeNetwork) -> Row:
    """Return the monitor of a service over two devices: one refused it, the other keeps what it took."""
    network.devices["a"].faults["rollback"] = ["ignore"] * 9
    network.devices["b"].faults["confirm"] = ["refuse"]
    parts = [ont("p1"), part("p2", "fake-port", device="b", number=7, speed=100)]
    return rig.run(add(rig, {"id": "both", "serviceSpecification": {"id": "line"}, "supportingService": parts}))


def test_a_creation_that_a_device_may_still_carry_keeps_its_values_until_they_are_released(
    rig: Rig, network: FakeNetwork
) -> None:
    monitor = unrestored(rig, network)
    (told,) = [each for each in monitor.document["errorMessage"] if each["code"] == "claimsKept"]
    assert "lastmile service release both" in told["message"]
    assert "AB1" in told["message"]
    assert rig.service("both") is None
    assert claimed(rig, "AB1") == {"AB1": "both"}
    with pytest.raises(NotUnique, match="lastmile service release"):
        add(rig, ont("ont-2"))
    with rig.database.begin(actor="ann") as uow:
        held = release(uow, "both", comment="cleaned by hand")
    assert any("AB1" in claim for claim in held)
    assert claimed(rig, "AB1") == {}
    with pytest.raises(UnknownResource), rig.database.begin() as uow:
        release(uow, "both", comment="")


def test_what_a_service_keeps_because_of_a_failed_rollback_is_its_own_to_try_again(
    rig: Rig, network: FakeNetwork
) -> None:
    unrestored(rig, network)
    network.devices["a"].faults.clear()
    assert rig.run(add(rig, ont("both"))).state == MonitorState.COMPLETED
    with pytest.raises(ClaimsInUse, match="is there"), rig.database.begin() as uow:
        release(uow, "both", comment="")


def test_a_change_that_a_device_may_still_carry_keeps_its_new_value_until_that_is_released(
    rig: Rig, network: FakeNetwork
) -> None:
    parts = [ont("p1"), part("p2", "fake-port", device="b", number=7, speed=100)]
    both = {"id": "both", "serviceSpecification": {"id": "line"}, "supportingService": parts}
    rig.run(add(rig, both))
    network.devices["a"].faults["rollback"] = ["ignore"] * 9
    network.devices["b"].faults["confirm"] = ["refuse"]
    changed = [ont("p1", serial="AB2"), part("p2", "fake-port", device="b", number=7, speed=200)]
    monitor = rig.run(change(rig, "both", {"supportingService": changed}))
    (told,) = [each for each in monitor.document["errorMessage"] if each["code"] == "claimsKept"]
    assert "AB2" in told["message"]
    assert "AB1" not in told["message"]
    assert claimed(rig, "AB1", "AB2") == {"AB1": "both", "AB2": "both"}
    with rig.database.begin() as uow:
        assert [each for each in release(uow, "both", comment="") if "AB2" in each]
    assert claimed(rig, "AB1", "AB2") == {"AB1": "both"}
    with pytest.raises(ClaimsInUse), rig.database.begin() as uow:
        release(uow, "both", comment="")


def test_the_order_layers_are_told_as_well(rig: Rig) -> None:
    rig.create(ont())
    with pytest.raises(NotUnique), rig.database.begin() as uow:
        rig.core.create(uow, ont("ont-2", number=2), external_id=fresh(), correlation_id="c")
    assert rig.terminate("ont-1").state == MonitorState.COMPLETED
    assert rig.create(ont("ont-2")).state == MonitorState.COMPLETED
    assert rig.modify(ont("ont-2", serial="AB9")).state == MonitorState.COMPLETED
    assert claimed(rig, "AB1", "AB9") == {"AB9": "ont-2"}


def test_a_service_without_claims_has_none(rig: Rig) -> None:
    rig.create(fake_service())
    rig.create(fake_service(number=8))
    assert stored(rig, "svc-7").task["claims"] == []
