"""Orders whose items hold others and wait for each other, through all three layers."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.documents import Document
from orders.dependencies import after
from orders.errors import InvalidOrder
from orders.inbound import nodes_of
from orders.items import flat
from orders.product.intake import read_order
from orders.states import FINAL, OrderState, roll_up
from tests.orders.bad_input import checked_or_refused
from tests.orders.chain import Chain, add_item, delete_item, order_of

KEY = "productOrderItem"


def serial(key: str) -> str:
    return f"ALCL{int(key):08X}"


def item(key: str, *inner: dict[str, Any], relies_on: Sequence[str] = ()) -> dict[str, Any]:
    """Return an item that adds a product of its own; its ONT tells it from the others."""
    relations = [{"id": other, "relationshipType": "reliesOn"} for other in relies_on]
    more = {**({KEY: list(inner)} if inner else {}), "productOrderItemRelationship": relations}
    return {**add_item(key, serial=serial(key)), **more}


def states(order: Document) -> dict[str, str]:
    return {each["id"]: each["state"] for each in flat(order, KEY)}


def requested(chain: Chain) -> list[tuple[str, str]]:
    """Return verb and item of each activation, oldest first."""
    return [
        (verb, str(int(_serial(service)[4:], 16))) for verb, service in chain.activation.requests if verb == "create"
    ]


def _serial(service: Any) -> str:
    return str(next(each["value"] for each in service["serviceCharacteristic"] if each["name"] == "ontSerialNumber"))


def products(order: Document) -> dict[str, str]:
    return {each["id"]: each["product"]["id"] for each in flat(order, KEY)}


def test_items_at_any_depth_are_fulfilled(chain: Chain) -> None:
    order = chain.order(order_of(item("1", item("2", item("3")), item("4")), item("5")))
    assert (order["state"], states(order)) == ("completed", dict.fromkeys("12345", "completed"))
    assert sorted(key for _, key in requested(chain)) == list("12345")
    assert {chain.product(key)["status"] for key in products(order).values()} == {"active"}
    assert chain.moves(order["id"], "3") == [("acknowledged", "inProgress"), ("inProgress", "completed")]


def test_an_item_is_begun_when_what_it_relies_on_is_completed(chain: Chain) -> None:
    chain.activation.muted = True
    order_id = chain.place(order_of(item("1", relies_on=["2"]), item("2"), item("3")))
    chain.drain()
    assert sorted(requested(chain)) == [("create", "2"), ("create", "3")]
    service_order = chain.service_order_of(order_id)
    assert {each["id"]: each["state"] for each in service_order.document["serviceOrderItem"]} == {
        "1": "acknowledged",
        "2": "inProgress",
        "3": "inProgress",
    }
    with chain.database.begin() as uow:
        chain.activation.tell(uow, f"{service_order.id}:2", "Completed")
    chain.drain()
    assert requested(chain)[-1] == ("create", "1")
    for key in "13":
        with chain.database.begin() as uow:
            chain.activation.tell(uow, f"{service_order.id}:{key}", "Completed")
    chain.drain()
    assert chain.product_order(order_id)["state"] == "completed"


def test_what_relies_on_a_failure_is_not_begun_and_says_why(chain: Chain) -> None:
    chain.activation.unfit.add(serial("1"))
    order = chain.order(order_of(item("1"), item("2", relies_on=["1"]), item("3", relies_on=["2"]), item("4")))
    assert (order["state"], states(order)) == (
        "partial",
        {"1": "failed", "2": "failed", "3": "failed", "4": "completed"},
    )
    texts = [each["text"] for each in order["note"]]
    assert "not begun: it waits for item '1', which is failed" in texts
    assert "not begun: it waits for item '2', which is failed" in texts
    assert sorted(requested(chain)) == [("create", "1"), ("create", "4")]
    assert {chain.product(products(order)[key])["status"] for key in "123"} == {"aborted "}
    # What was reserved for the completed one is all that is held.
    assert len(chain.reservations.held) == 3


def test_an_item_that_holds_a_failure_is_failed_and_keeps_what_is_good(chain: Chain) -> None:
    chain.activation.unfit.add(serial("3"))
    order = chain.order(order_of(item("1", item("2"), item("3"))))
    # TMF622 knows no partial items.
    assert (order["state"], states(order)) == ("partial", {"1": "failed", "2": "completed", "3": "failed"})
    found = products(order)
    assert [chain.product(found[key])["status"] for key in "123"] == ["active", "active", "aborted "]


def test_of_two_that_are_ceased_the_one_that_relies_goes_first(chain: Chain) -> None:
    found = products(chain.order(order_of(item("1"), item("2"))))
    services = {key: chain.product(product)["realizingService"][0]["id"] for key, product in found.items()}
    relies = [{"id": "1", "relationshipType": "reliesOn"}]
    gone = [delete_item(found["1"]), {**delete_item(found["2"], item_id="2"), "productOrderItemRelationship": relies}]
    assert chain.order(order_of(*gone))["state"] == "completed"
    assert chain.activation.requests[-2:] == [("terminate", services["2"]), ("terminate", services["1"])]


def test_undone_in_the_reverse_order(chain: Chain) -> None:
    chain.activation.muted = True
    order_id = chain.place(order_of(item("1", item("2", relies_on=["1"])), item("3", relies_on=["2"])))
    chain.drain()
    service_order = chain.service_order_of(order_id).id
    for key in "12":
        with chain.database.begin() as uow:
            chain.activation.tell(uow, f"{service_order}:{key}", "Completed")
        chain.drain()
    chain.activation.muted = False
    with chain.database.begin() as uow:
        chain.products.cancels.asked(uow, {"productOrder": {"id": order_id}})
    chain.drain()
    order = chain.product_order(order_id)
    assert (order["state"], set(states(order).values())) == ("cancelled", {"cancelled"})
    made = {key: service["id"] for key, service in zip("123", _created(chain), strict=True)}
    gone = [service for verb, service in chain.activation.requests if verb == "terminate"]
    assert gone == [made["2"], made["1"]]
    assert chain.reservations.held == {}


def _created(chain: Chain) -> list[Any]:
    return [service for verb, service in chain.activation.requests if verb == "create"]


def test_a_circle_is_refused_with_its_way(chain: Chain) -> None:
    body = order_of(item("1", item("2", relies_on=["3"])), item("3", relies_on=["1"]))
    with pytest.raises(InvalidOrder, match="the items wait for each other: 2 → 3 → 2"):
        chain.place(body)


def test_other_relationships_are_kept_and_mean_nothing(chain: Chain) -> None:
    told = [{"id": "9", "relationshipType": "replaces"}]
    order = chain.order(order_of({**item("1"), "productOrderItemRelationship": told}))
    assert (order["state"], order[KEY][0]["productOrderItemRelationship"]) == ("completed", told)


def resource_item(key: str, specification: str, *waits_for: str, action: str = "add") -> dict[str, Any]:
    waits = [{"relationshipType": "dependency", "orderItem": {"itemId": other}} for other in waits_for]
    place = {"id": "ADDR-1015", "role": "installationAddress"}
    resource = {"resourceSpecification": {"id": specification}, "place": place, "id": "res-1"}
    return {"id": key, "action": action, "resource": resource, "orderItemRelationship": waits}


def test_resources_are_reserved_in_the_order_that_items_say(chain: Chain) -> None:
    items = [resource_item("1", "vlan", "3"), resource_item("2", "gpon-port"), resource_item("3", "ip-address", "2")]
    with chain.database.begin() as uow:
        chain.resources.place(uow, {"orderItem": items})
    chain.drain()
    asked = [request.specification_id for request in chain.reservations.requests]
    assert asked == ["gpon-port", "ip-address", "vlan"]


WRONG_RESOURCES = {
    "circle": (
        [resource_item("1", "vlan", "2"), resource_item("2", "vlan", "1")],
        r"orderItem\[0\]\.orderItemRelationship\[0\]\.orderItem\.itemId: the items wait for each other: 1 → 2 → 1",
    ),
    "release": (
        [resource_item("1", "vlan", "2"), resource_item("2", "vlan", action="delete")],
        r"orderItem\[0\]\.orderItemRelationship\[0\]\.orderItem\.itemId: '1' cannot wait for the release '2'",
    ),
    "nested": (
        [{**resource_item("1", "vlan"), "orderItem": [resource_item("2", "vlan")]}],
        r"orderItem\[0\]\.orderItem: .* .legal: no item inside an item",
    ),
}


@pytest.mark.parametrize("case", WRONG_RESOURCES)
def test_resource_orders_that_are_refused(chain: Chain, case: str) -> None:
    items, expected = WRONG_RESOURCES[case]
    with chain.database.begin() as uow, pytest.raises(InvalidOrder, match=expected):
        chain.resources.place(uow, {"orderItem": items})


@st.composite
def bodies(draw: st.DrawFn) -> tuple[dict[str, Any], set[str]]:
    """Draw an order of items in items that rely on earlier ones, and those of them that will fail."""
    count = draw(st.integers(1, 7))
    found: dict[int, dict[str, Any]] = {}
    roots: list[dict[str, Any]] = []
    for key in range(1, count + 1):
        relies = draw(st.lists(st.integers(1, key - 1), max_size=2)) if key > 1 else []
        found[key] = item(str(key), relies_on=[str(each) for each in relies])
        holder = draw(st.none() | st.integers(1, key - 1)) if key > 1 else None
        (roots if holder is None else found[holder].setdefault(KEY, [])).append(found[key])
    failing = draw(st.sets(st.integers(1, count), max_size=2))
    return order_of(*roots), {str(key) for key in failing}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies())
def test_every_forest_runs_in_the_order_it_asks_for_and_ends_as_its_work_does(
    chain: Chain, drawn: tuple[dict[str, Any], set[str]]
) -> None:
    body, failing = drawn
    chain.activation.requests.clear()
    chain.activation.unfit = {serial(key) for key in failing}
    order = checked_or_refused(chain.order, body)
    if isinstance(order, InvalidOrder):
        assert "the items wait for each other" in str(order)
        return
    own = {key: chain.product(product)["status"] for key, product in products(order).items()}
    done = {key: OrderState.COMPLETED if status == "active" else OrderState.FAILED for key, status in own.items()}
    waited = after(nodes_of(read_order(body)[0].product_order_item, KEY), own)
    run = [key for _, key in requested(chain)]
    for key, others in waited.items():
        good = all(done[other] is OrderState.COMPLETED for other in others)
        assert (key in run) == good
        assert not good or all(run.index(other) < run.index(key) for other in others)
    assert {key for key in own if done[key] is OrderState.COMPLETED} == set(run) - failing
    assert order["state"] == roll_up(done.values())
    for each in flat(order, KEY):
        inside = [done[one["id"]] for one in (each, *flat(each, KEY))]
        # TMF622 knows no partial items.
        due = roll_up(inside)
        assert each["state"] == (OrderState.FAILED if due is OrderState.PARTIAL else due)
        assert each["state"] in FINAL
    _cease_all(chain, [key for key, state in done.items() if state is OrderState.COMPLETED], products(order))


def _cease_all(chain: Chain, keys: Sequence[str], known: dict[str, str]) -> None:
    gone = [delete_item(known[key], item_id=key) for key in keys]
    assert not gone or chain.order(order_of(*gone))["state"] == "completed"
    assert chain.reservations.held == {}
