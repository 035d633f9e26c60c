"""An order under way is amended at every step: it ends as if it had been ordered so in the first place."""

import json
from collections.abc import Iterator

import pytest

from api.demo import bodies
from orders.errors import InvalidOrder, OrderConflict
from orders.product.layer import product_order_store
from orders.service.layer import service_order_store
from tests.api.order_life.stepping import Stepping, stepping
from tests.api.order_life.test_cancel import COPPER, check_moves, placed, serial
from tests.api.order_life.test_hold import asked

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepping]:
    with stepping(tmp_path_factory.mktemp("amended"), catalog=COPPER) as running:
        yield running


def amend(platform: Stepping, order_id: str, value: str) -> None:
    given = [{"name": "ontSerialNumber", "value": value}]
    asked(platform, "productOrder", order_id, "amend", characteristic=given, reason="typing error")


def check_result(platform: Stepping, order_id: str, *, has: str, has_not: str) -> None:
    order = platform.get(product_order_store(), order_id)
    assert order["state"] == "completed", order
    footprint = platform.footprint()
    configured = "".join(platform.running().values())
    texts = [*footprint["services"].values(), *(text for _, text in footprint["fragments"]), configured]
    assert any(has in text for text in texts)
    assert not any(has_not in text for text in texts)
    check_moves(platform, order_id)


def test_amended_after_any_step_it_ends_as_amended(platform: Stepping) -> None:
    step, amended, too_late = 0, 0, 0
    while True:
        old, new = serial(), serial()
        order_id = placed(platform, bodies.add(serial_number=old))
        if platform.go(step) < step:
            break
        try:
            amend(platform, order_id, new)
            amend(platform, order_id, new)
            amended += 1
        except OrderConflict:
            old, new, too_late = new, old, too_late + 1
        platform.drain()
        check_result(platform, order_id, has=new, has_not=old)
        step += 1
    assert amended > 5, amended
    assert too_late > 0


def test_amended_while_devices_are_at_work(platform: Stepping) -> None:
    call = 0
    while True:
        old, new = serial(), serial()
        order_id = placed(platform, bodies.add(serial_number=old))
        with platform.met(call, lambda key=order_id, value=new: amend(platform, key, value)) as has_met:  # type: ignore[misc]
            platform.drain()
        if not has_met:
            break
        check_result(platform, order_id, has=new, has_not=old)
        call += 1
    assert call >= 10


def test_cancelled_after_it_was_amended_it_leaves_no_trace(platform: Stepping) -> None:
    for step in range(20):
        before = platform.footprint()
        order_id = placed(platform, bodies.add(serial_number=serial()))
        platform.go(5)
        amend(platform, order_id, serial())
        platform.go(step)
        if platform.get(product_order_store(), order_id)["state"] == "completed":
            break
        platform.create("cancelProductOrder", {"productOrder": {"id": order_id}})
        platform.drain()
        if platform.get(product_order_store(), order_id)["state"] == "cancelled":
            assert platform.footprint() == before
        check_moves(platform, order_id)


def test_what_the_catalog_does_not_allow_is_refused(platform: Stepping) -> None:
    order_id = placed(platform, bodies.add(serial_number=serial()))
    with pytest.raises(InvalidOrder, match=r"characteristic\.ontSerialNumber: 'x' is not legal"):
        amend(platform, order_id, "x")
    given = [{"name": "downstreamMbps", "value": 1000}]
    with pytest.raises(InvalidOrder, match=r"characteristic\.downstreamMbps: 1000 contradicts 'fibre-100'"):
        asked(platform, "productOrder", order_id, "amend", characteristic=given)
    platform.drain()


def test_a_device_that_refuses_the_amendment_keeps_what_was_ordered(platform: Stepping) -> None:
    old, new = serial(), serial()
    order_id = placed(platform, bodies.add(serial_number=old))

    def amend_and_break() -> None:
        amend(platform, order_id, new)
        platform.network.devices["olt1"].faults["stage"] = ["refuse"]

    with platform.met(10, amend_and_break):
        platform.drain()
    check_result(platform, order_id, has=old, has_not=new)
    (made,) = [each for each in platform.footprint()["products"].values() if order_id in each]
    assert (old in made, new in made) == (True, False), made


def sold_by(platform: Stepping, order_id: str, offering: str) -> None:
    asked(platform, "productOrder", order_id, "amend", productOffering={"id": offering}, reason="wants more")


def test_sold_by_another_offering_after_any_step(platform: Stepping) -> None:
    step, amended = 0, 0
    while True:
        order_id = placed(platform, bodies.add(serial_number=serial()))
        if platform.go(step) < step:
            break
        offering = "fibre-500"
        try:
            sold_by(platform, order_id, offering)
            amended += 1
        except OrderConflict:
            offering = "fibre-100"
        platform.drain()
        order = platform.get(product_order_store(), order_id)
        assert order["state"] == "completed", (step, order)
        (item,) = order["productOrderItem"]
        assert item["productOffering"]["id"] == offering
        product = json.loads(platform.footprint()["products"][item["product"]["id"]])
        speed = {each["name"]: each["value"] for each in product["productCharacteristic"]}["downstreamMbps"]
        assert (product["productOffering"]["id"], speed) == (offering, int(offering.removeprefix("fibre-")))
        with platform.system.database.read() as connection:
            service = service_order_store().by_external_id(connection, order_id)
        assert service is not None
        (made,) = service.document["serviceOrderItem"]
        values = {each["name"]: each["value"] for each in made["service"]["serviceCharacteristic"]}
        assert values["downstreamMbps"] == speed
        check_moves(platform, order_id)
        step += 1
    assert amended > 5, amended


NO_OFFERINGS = {
    "nobody": "productOffering.id: 'nobody' does not exist",
    "dsl-50": "'dsl-50' sells another product specification \\(legal: fibre-10,",
    "fibre-tv": "'fibre-tv' sells another product specification",
}


@pytest.mark.parametrize("offering", NO_OFFERINGS)
def test_an_offering_that_it_cannot_be_sold_by(platform: Stepping, offering: str) -> None:
    order_id = placed(platform, bodies.add(serial_number=serial()))
    with pytest.raises(InvalidOrder, match=NO_OFFERINGS[offering]):
        sold_by(platform, order_id, offering)
    with pytest.raises(InvalidOrder, match=r"productOffering: is not for hold \(legal: amend"):
        asked(platform, "productOrder", order_id, "hold", productOffering={"id": "fibre-500"}, reason="x")
    platform.drain()
    order = platform.get(product_order_store(), order_id)
    assert order["productOrderItem"][0]["productOffering"]["id"] == "fibre-100"
