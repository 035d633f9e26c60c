"""Items come to an order under way and go from it, after every step: the others end as if nothing had been asked."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from api.demo import bodies
from api.fsck.check import check
from orders.errors import InvalidOrder, OrderConflict
from orders.product.layer import product_order_store
from orders.service.layer import service_order_store
from orders.states import FINAL
from tests.api.order_life.stepping import NAMES, Stepping, stepping
from tests.api.order_life.test_cancel import COPPER, bundle, check_moves, modify, ordered, placed, product_of, serial
from tests.api.order_life.test_hold import asked

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepping]:
    with stepping(tmp_path_factory.mktemp("items"), catalog=COPPER) as running:
        yield running


def line(key: str, **more: Any) -> dict[str, Any]:
    return {**bodies.add(serial_number=serial())["productOrderItem"][0], "id": key, **more}


def two() -> dict[str, Any]:
    return {**bodies.add(), "productOrderItem": [line("1"), line("2")]}


def amend(platform: Stepping, order_id: str, **said: Any) -> Mapping[str, Any]:
    return asked(platform, "productOrder", order_id, "amend", reason="the customer called", **said)


def states(platform: Stepping, order_id: str) -> dict[str, str]:
    order = platform.get(product_order_store(), order_id)
    return {item["id"]: item["state"] for item in order["productOrderItem"]} | {"order": order["state"]}


def ended(platform: Stepping, order_id: str) -> dict[str, str]:
    """Return the states once all is done, when all layers agree and no device differs."""
    platform.drain()
    check_moves(platform, order_id)
    with platform.system.database.read() as connection:
        assert check(connection) == []
    found = [each.drift for each in platform.system.drift.check(NAMES)]
    assert [each.deviations for each in found if each is not None and each.deviations] == []
    assert platform.footprint()["busy"] == []
    return states(platform, order_id)


def live(platform: Stepping) -> int:
    return len(platform.footprint()["products"])


def test_an_item_comes_after_any_step(platform: Stepping) -> None:
    step, came = 0, 0
    while True:
        there, order_id = live(platform), placed(platform, {**bodies.add(), "productOrderItem": [line("1")]})
        if platform.go(step) < step:
            break
        new = line("2", productOrderItemRelationship=[{"id": "1", "relationshipType": "dependsOn"}])
        try:
            amend(platform, order_id, productOrderItem=[new])
            amend(platform, order_id, productOrderItem=[new])
            wanted = {"1": "completed", "2": "completed", "order": "completed"}
            came += 1
        except OrderConflict:
            wanted = {"1": "completed", "order": "completed"}
        assert ended(platform, order_id) == wanted, step
        assert live(platform) - there == len(wanted) - 1
        step += 3
    assert came > 3, came


def test_an_item_goes_after_any_step(platform: Stepping) -> None:
    step, went = 0, 0
    while True:
        before, order_id = platform.footprint(), placed(platform, two())
        if platform.go(step) < step:
            break
        try:
            amend(platform, order_id, remove=["2"])
            amend(platform, order_id, remove=["2"])
            wanted = {"1": "completed", "2": "cancelled", "order": "completed"}
            went += 1
        except OrderConflict:
            wanted = {"1": "completed", "2": "completed", "order": "completed"}
        assert ended(platform, order_id) == wanted, step
        after = platform.footprint()
        assert len(after["products"]) - len(before["products"]) == list(wanted.values())[:2].count("completed"), step
        if "cancelled" in wanted.values():
            # Of the two that reserve alike, one has given everything back.
            assert (len(after["reservations"]) - len(before["reservations"])) % 3 == 0
        step += 3
    assert went > 4, went


def test_an_item_goes_while_a_device_is_at_work(platform: Stepping) -> None:
    call = 0
    while True:
        order_id = placed(platform, two())
        with platform.met(call, lambda key=order_id: amend(platform, key, remove=["1"])) as has_met:  # type: ignore[misc]
            platform.drain()
        if not has_met:
            break
        assert ended(platform, order_id) == {"1": "cancelled", "2": "completed", "order": "completed"}, call
        call += 5
    assert call > 10, call


@pytest.mark.parametrize("step", [0, 1, 4, 8, 14, 20])
def test_one_comes_for_another_and_all_is_cancelled(platform: Stepping, step: int) -> None:
    before, order_id = platform.footprint(), placed(platform, two())
    platform.go(step)
    amend(platform, order_id, productOrderItem=[line("3")], remove=["1"])
    platform.go(step)
    platform.create("cancelProductOrder", {"productOrder": {"id": order_id}})
    found = ended(platform, order_id)
    if found["order"] == "cancelled":
        assert found == {"1": "cancelled", "2": "cancelled", "3": "cancelled", "order": "cancelled"}
        assert platform.footprint() == before


@pytest.mark.parametrize("step", [0, 2, 6, 10])
def test_what_is_modified_is_as_it_was(platform: Stepping, step: int) -> None:
    change = dict(modify(platform))
    product_id = product_of(change)
    before = platform.footprint()["products"][product_id]
    change["productOrderItem"] = [*change["productOrderItem"], line("2")]
    order_id = placed(platform, change)
    platform.go(step)
    amend(platform, order_id, remove=["1"])
    assert ended(platform, order_id) == {"1": "cancelled", "2": "completed", "order": "completed"}
    assert platform.footprint()["products"][product_id] == before


@pytest.mark.parametrize("step", [0, 3, 12])
def test_a_bundle_comes_and_goes(platform: Stepping, step: int) -> None:
    order_id = placed(platform, {**bodies.add(), "productOrderItem": [line("1")]})
    platform.go(step)
    (whole,) = bundle(platform)["productOrderItem"]
    amend(platform, order_id, productOrderItem=[{**whole, "id": "2"}])
    with pytest.raises(InvalidOrder, match=r"remove: item '2.1' is a part of bundle item '2', which needs it"):
        amend(platform, order_id, remove=["2.1"])
    platform.go(step)
    amend(platform, order_id, remove=["2"])
    assert ended(platform, order_id) == {"1": "completed", "2": "cancelled", "order": "completed"}


def test_it_waits_for_a_device_and_the_others_go_on(platform: Stepping) -> None:
    order_id = placed(platform, two())
    platform.go(8)
    amend(platform, order_id, remove=["2"])
    amend(platform, order_id, productOrderItem=[line("3")])
    asked(platform, "productOrder", order_id, "hold", reason="storm")
    platform.drain()
    assert states(platform, order_id)["order"] == "held"
    with pytest.raises(OrderConflict, match="is on hold; legal: resume it first, or cancel the order"):
        amend(platform, order_id, remove=["3"])
    amend(platform, order_id, productOrderItem=[line("4")])
    asked(platform, "productOrder", order_id, "resume")
    found = ended(platform, order_id)
    assert found == {"1": "completed", "2": "cancelled", "3": "completed", "4": "completed", "order": "completed"}


REFUSED: Mapping[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"remove": ["9"]}, r"remove\[0\]: there is no item '9' \(legal: 1, 2\)"),
    "everything": ({"remove": ["1", "2"]}, r"remove: would leave nothing of the order \(legal: cancel the order"),
    "waits": ({"remove": ["1"]}, r"remove: item '2' waits for item '1', or relies on it"),
    "there": ({"productOrderItem": [line("1")]}, "'1' is given twice"),
    "no place": (
        {"productOrderItem": [{"id": "3", "action": "add", "productOffering": {"id": "fibre-100"}}]},
        r"productOrderItem\[0\]\.product\.place\[0\]\.id: is missing",
    ),
    "wrong layer": ({"serviceOrderItem": [{"id": "3"}]}, "serviceOrderItem: is not known to a product order"),
    "both": (
        {"remove": ["2"], "characteristic": [{"name": "a", "value": 1}]},
        "remove: cannot be asked with changes of an item",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_and_changes_nothing(platform: Stepping, case: str) -> None:
    body = two()
    body["productOrderItem"][1]["productOrderItemRelationship"] = [{"id": "1", "relationshipType": "dependsOn"}]
    order_id = placed(platform, body)
    platform.go(3)
    before = platform.get(product_order_store(), order_id)
    said, legal = REFUSED[case]
    with pytest.raises(InvalidOrder, match=legal):
        amend(platform, order_id, **said)
    assert platform.get(product_order_store(), order_id) == before
    assert ended(platform, order_id)["order"] == "completed"


def test_past_the_point_of_no_return(platform: Stepping) -> None:
    product_id = product_of(ordered(platform, bodies.add(serial_number=serial(), place_id="ADDR-1017")))
    cease = bodies.cease(product_id)
    cease["productOrderItem"] = [*cease["productOrderItem"], line("2")]
    order_id = placed(platform, cease)
    while states(platform, order_id)["1"] not in FINAL:
        with platform.system.database.read() as connection:
            below = service_order_store().by_external_id(connection, order_id)
        if below is not None and below.task["items"]["1"]["phase"] in {"releasing", "done"}:
            break
        assert platform.step()
    with pytest.raises(OrderConflict, match=r"past the point of no return: the resources of service .* are given back"):
        amend(platform, order_id, remove=["1"])
    assert ended(platform, order_id) == {"1": "completed", "2": "completed", "order": "completed"}
