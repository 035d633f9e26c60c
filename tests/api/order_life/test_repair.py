"""An order that waits for somebody: for a technician's answer, or for an engineer after a failure."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import select

from api.demo import bodies
from api.runtime.tables import events
from inventory.ledger import NewJob
from orders.errors import InvalidOrder, OrderConflict
from orders.product.layer import product_order_store
from orders.service.jobs import ESCALATE
from orders.service.layer import service_order_store
from tests.api.order_life.stepping import Stepping, stepping
from tests.api.order_life.test_cancel import COPPER, check_moves, placed
from tests.api.order_life.test_hold import asked

pytestmark = pytest.mark.db

SERIAL = "LMLE0000BEEF"
ON_THE_DEVICES = 10
"""The phase of the push at which the devices have what was ordered."""


@pytest.fixture
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepping]:
    with stepping(tmp_path_factory.mktemp("repair"), catalog=COPPER) as running:
        yield running


def installed(platform: Stepping) -> str:
    """Place an order that a technician has to answer for, and let it come to that."""
    body = bodies.add(offering="fibre-100-installed")
    body["productOrderItem"][0]["product"]["productCharacteristic"] = []
    order_id = placed(platform, body)
    platform.drain()
    return order_id


def product_order(platform: Stepping, order_id: str) -> dict[str, Any]:
    return platform.get(product_order_store(), order_id)


def answer(platform: Stepping, order_id: str, serial: str = SERIAL) -> Mapping[str, Any]:
    given = [{"name": "ontSerialNumber", "value": serial}]
    return asked(platform, "productOrder", order_id, "answer", characteristic=given)


def event_types(platform: Stepping, order_id: str) -> list[str]:
    wanted = select(events.c.event_type).where(events.c.correlation_id == order_id)
    with platform.system.database.read() as connection:
        return list(connection.execute(wanted).scalars())


def test_an_order_waits_for_the_technician_and_goes_on_with_the_answer(platform: Stepping) -> None:
    order_id = installed(platform)
    order = product_order(platform, order_id)
    assert order["state"] == "pending"
    (waits,) = order["waitingFor"]
    assert (waits["for"], waits["role"], waits["task"]) == ("manualTask", "fieldTechnician", "cpe-installation")
    assert [each["name"] for each in waits["asks"]] == ["ontSerialNumber"]
    told = event_types(platform, order_id)
    assert "ServiceOrderInformationRequiredEvent" in told
    assert "ProductOrderInformationRequiredEvent" in told

    answer(platform, order_id)
    platform.drain()
    assert product_order(platform, order_id)["state"] == "completed"
    check_moves(platform, order_id)
    assert SERIAL in "".join(platform.running().values())


def test_an_answer_is_checked_and_counts_once(platform: Stepping) -> None:
    order_id = installed(platform)
    with pytest.raises(InvalidOrder, match=r"characteristic\.ontSerialNumber: 'xyz' is not legal"):
        answer(platform, order_id, "xyz")
    with pytest.raises(InvalidOrder, match=r"characteristic\.ontSerialNumber: is missing"):
        asked(platform, "productOrder", order_id, "answer")
    given = [{"name": "ontSerialNumber", "value": SERIAL}, {"name": "colour", "value": "red"}]
    with pytest.raises(InvalidOrder, match=r"characteristic\.colour: was not asked for \(legal: ontSerialNumber\)"):
        asked(platform, "productOrder", order_id, "answer", characteristic=given)
    answer(platform, order_id)
    answer(platform, order_id)
    platform.drain()
    order = product_order(platform, order_id)
    assert order["state"] == "completed"
    assert [each["text"] for each in order["note"] if each["author"] == "alice"] == ["answer"]


@pytest.mark.parametrize("held", [False, True])
def test_an_order_that_waits_for_an_answer_is_cancelled_without_a_trace(platform: Stepping, *, held: bool) -> None:
    before = platform.footprint()
    order_id = installed(platform)
    if held:
        asked(platform, "productOrder", order_id, "hold", reason="storm")
        platform.drain()
        assert product_order(platform, order_id)["state"] == "held"
    platform.create("cancelProductOrder", {"productOrder": {"id": order_id}})
    platform.drain()
    assert product_order(platform, order_id)["state"] == "cancelled"
    assert platform.footprint() == before
    check_moves(platform, order_id)


def test_on_hold_it_waits_for_the_answer_again_afterwards(platform: Stepping) -> None:
    order_id = installed(platform)
    asked(platform, "productOrder", order_id, "hold", reason="storm")
    platform.drain()
    with pytest.raises(OrderConflict, match="legal now: resume, cancel, note"):
        answer(platform, order_id)
    asked(platform, "productOrder", order_id, "resume")
    platform.drain()
    assert product_order(platform, order_id)["state"] == "pending"
    answer(platform, order_id)
    platform.drain()
    assert product_order(platform, order_id)["state"] == "completed"
    check_moves(platform, order_id)


def test_what_nobody_answers_in_time_is_told(platform: Stepping) -> None:
    order_id = installed(platform)
    with platform.system.database.begin() as uow:
        row = service_order_store().by_external_id(uow, order_id)
        assert row is not None
        late = {"order": row.id, "item": "1", "since": row.document["waitingFor"][0]["since"]}
        uow.enqueue(NewJob(kind=ESCALATE, lane=order_id, payload=late))
        uow.enqueue(NewJob(kind=ESCALATE, lane=order_id, payload=late))
    platform.drain()
    (alert,) = platform.get(service_order_store(), row.id)["jeopardyAlert"]
    assert alert["jeopardyType"] == "manualTask"
    assert "waits for fieldTechnician since" in alert["message"]
    assert event_types(platform, order_id).count("ServiceOrderJeopardyEvent") == 1


def failed(platform: Stepping) -> str:
    """Place an order that the switch refuses, and let it come to that."""
    order_id = installed(platform)
    platform.network.devices["sw1"].faults["stage"] = ["refuse"]
    answer(platform, order_id)
    platform.drain()
    order = product_order(platform, order_id)
    assert order["state"] == "held", order
    (waits,) = order["waitingFor"]
    assert waits["for"] == "engineer"
    assert "sw1" in waits["text"]
    return order_id


def test_a_failure_waits_for_an_engineer_and_is_tried_again(platform: Stepping) -> None:
    order_id = failed(platform)
    asked(platform, "productOrder", order_id, "retry", reason="port cleaned")
    platform.drain()
    order = product_order(platform, order_id)
    assert order["state"] == "completed"
    assert "waitingFor" not in order
    with platform.system.database.read() as connection:
        service = service_order_store().by_external_id(connection, order_id)
    assert service is not None
    assert "errorMessage" not in service.document
    check_moves(platform, order_id)


def test_a_failure_is_repaired_with_another_value(platform: Stepping) -> None:
    order_id = failed(platform)
    with platform.system.database.read() as connection:
        service = service_order_store().by_external_id(connection, order_id)
    assert service is not None
    given = [{"name": "ontSerialNumber", "value": "LMLE0000CAFE"}]
    asked(platform, "serviceOrder", service.id, "repair", characteristic=given)
    platform.drain()
    assert product_order(platform, order_id)["state"] == "completed"
    configured = "".join(platform.running().values())
    assert "LMLE0000CAFE" in configured
    assert SERIAL not in configured


def test_a_step_that_was_done_by_hand_is_taken_in_and_drift_tells(platform: Stepping) -> None:
    order_id = failed(platform)
    before = platform.running()
    asked(platform, "productOrder", order_id, "skip", reason="typed at the console")
    platform.drain()
    order = product_order(platform, order_id)
    assert order["state"] == "completed", order
    assert platform.running() == before
    footprint = platform.footprint()
    assert len(footprint["fragments"]) == 3
    notes = [document for document in footprint["services"].values() if "not verified" in document]
    assert len(notes) == 4
    assert "alice: typed at the console" in notes[0]
    (checked,) = platform.system.drift.check(["sw1"])
    assert checked.drift is not None
    assert {each.kind for each in checked.drift.deviations} == {"missing"}
    check_moves(platform, order_id)

    # What is pushed by the platform is verified again, and can be taken away like anything.
    product_id = order["productOrderItem"][0]["product"]["id"]
    placed(platform, bodies.cease(product_id))
    platform.drain()
    assert platform.footprint()["fragments"] == []


def stuck(platform: Stepping) -> str:
    """Cancel an order that the switch does not let go of, and let it come to that."""
    order_id = placed(platform, bodies.add(serial_number=SERIAL))

    def cancel() -> None:
        platform.network.devices["sw1"].faults["stage"] = ["refuse"] * 2
        platform.create("cancelProductOrder", {"productOrder": {"id": order_id}})

    with platform.met(ON_THE_DEVICES, cancel) as met:
        platform.drain()
    assert met, "the push has fewer phases"
    order = product_order(platform, order_id)
    assert order["state"] == "pendingCancellation", order
    (waits,) = order["waitingFor"]
    assert waits["for"] == "device"
    assert "1 tries so far" in waits["text"]
    return order_id


@pytest.mark.parametrize("way", ["retry", "skip"])
def test_an_undoing_that_no_device_takes_is_told_and_can_be_ended(platform: Stepping, way: str) -> None:
    before = platform.footprint()
    order_id = stuck(platform)
    since = product_order(platform, order_id)["waitingFor"][0]["since"]
    asked(platform, "productOrder", order_id, "retry")
    platform.drain()
    (waits,) = product_order(platform, order_id)["waitingFor"]
    assert waits["since"] == since
    assert "2 tries so far" in waits["text"]
    asked(platform, "productOrder", order_id, way, reason="cleaned at the console")
    platform.drain()
    order = product_order(platform, order_id)
    assert order["state"] == "cancelled", order
    assert "waitingFor" not in order
    kept = {"devices"} if way == "skip" else set()
    after = platform.footprint()
    assert {key: after[key] for key in after if key not in kept} == {
        key: before[key] for key in before if key not in kept
    }
    check_moves(platform, order_id)


@pytest.mark.parametrize("way", ["compensate", "cancel"])
def test_a_failure_is_given_up_without_a_trace(platform: Stepping, way: str) -> None:
    before = platform.footprint()
    order_id = failed(platform)
    if way == "compensate":
        asked(platform, "productOrder", order_id, "compensate", reason="port is dead")
    else:
        platform.create("cancelProductOrder", {"productOrder": {"id": order_id}})
    platform.drain()
    assert product_order(platform, order_id)["state"] == {"compensate": "failed", "cancel": "cancelled"}[way]
    assert platform.footprint() == before
    check_moves(platform, order_id)


def test_what_does_not_wait_for_an_engineer_is_not_retried(platform: Stepping) -> None:
    order_id = installed(platform)
    with pytest.raises(OrderConflict, match="is pending; legal now: answer, hold, cancel, note"):
        asked(platform, "productOrder", order_id, "retry")
