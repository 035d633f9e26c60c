"""The three layers together: orders that go well, orders that do not, and that nothing is left of those."""

from collections.abc import Callable
from typing import Any

import pytest

from activation.contracts import ROLLBACK_FAILED
from api.runtime.database import Database
from inventory.documents import characteristics
from orders.catalog.model import Catalog
from orders.errors import OrderConflict
from tests.orders.chain import Chain, add_item, build_chain, delete_item, modify_item, order_of

GPON = {
    "olt": "olt1",
    "channelPartition": "cpart1",
    "channelPair": "cpair1",
    "onuId": 1,
    "uplinkInterface": "uplink1",
    "ontSerialNumber": "ALCL0000A1B2",
    "vlanId": 1042,
    "upstreamBps": 50_000_000,
    "assuredBps": 25_000_000,
    "subscriber": "1042",
}
TRANSPORT = {
    "switch": "sw1",
    "accessInterface": "Ethernet1",
    "uplinkInterface": "Ethernet2",
    "vlanId": 1042,
    "downstreamMbps": 100,
    "burstKbytes": 125,
}
EDGE = {"router": "r1", "routerInterface": "eth1", "vlanId": 1042, "address": "10.42.1.15", "gateway": "10.42.1.1"}


def product_id_of(order: Any, item: int = 0) -> str:
    return str(order["productOrderItem"][item]["product"]["id"])


def supporting(request: Any) -> dict[str, dict[str, Any]]:
    """Return the characteristics of a request's supporting services by specification."""
    return {
        each["serviceSpecification"]["id"]: characteristics(each, "serviceCharacteristic")
        for each in request["supportingService"]
    }


def test_place_answers_before_anything_ran(chain: Chain) -> None:
    order = chain.product_order(chain.place(order_of(add_item(), externalId="shop-1", note=[{"text": "ring twice"}])))

    assert (order["state"], order["externalId"]) == ("acknowledged", "shop-1")
    assert order["note"] == [{"text": "ring twice"}]
    assert chain.product(product_id_of(order))["status"] == "created"
    assert chain.activation.requests == []


def test_add_completes_and_fills_the_inventories(chain: Chain) -> None:
    order = chain.order(order_of(add_item()))

    assert order["state"] == "completed"
    assert [item["state"] for item in order["productOrderItem"]] == ["completed"]
    assert chain.moves(order["id"]) == [
        ("", "acknowledged"),
        ("acknowledged", "inProgress"),
        ("inProgress", "completed"),
    ]
    assert chain.moves(order["id"], "1") == chain.moves(order["id"])[1:]
    product = chain.product(product_id_of(order))
    assert product["status"] == "active"
    assert characteristics(product, "productCharacteristic") == {
        "ontSerialNumber": "ALCL0000A1B2",
        "downstreamMbps": 100,
        "upstreamMbps": 50,
    }
    assert chain.moves(product["id"]) == [("", "created"), ("created", "pendingActive"), ("pendingActive", "active")]


def test_add_asks_for_one_activation_with_computed_values(chain: Chain) -> None:
    chain.order(order_of(add_item()))

    [(verb, request)] = chain.activation.requests
    assert verb == "create"
    assert supporting(request) == {"gpon-access": GPON, "aggregation-transport": TRANSPORT, "ip-edge": EDGE}


def test_add_leaves_services_with_their_resources(chain: Chain) -> None:
    order = chain.order(order_of(add_item()))

    service = chain.service(chain.product(product_id_of(order))["realizingService"][0]["id"])
    parts = [chain.service(each["id"]) for each in service["supportingService"]]
    assert [each["state"] for each in (service, *parts)] == ["active"] * 4
    assert [each["name"] for each in parts] == ["GPON-Access", "Aggregation-Transport", "IP-Edge"]
    assert [len(each["supportingResource"]) for each in parts] == [1, 1, 1]
    assert {each["supportingResource"][0]["id"] for each in parts} == set(chain.reservations.held)
    assert all(each["serviceRelationship"][0]["service"]["id"] == service["id"] for each in parts)


def test_one_resource_order_per_resource_facing_service(chain: Chain) -> None:
    order = chain.order(order_of(add_item()))

    rows = chain.resource_orders_of(order["id"])
    service_order = chain.service_order_of(order["id"])
    assert [row.state for row in rows] == ["completed"] * 3
    assert all(row.document["externalId"].startswith(f"{service_order.id}:1:") for row in rows)
    assert {request.place_id for request in chain.reservations.requests} == {"ADDR-1015"}


def test_upgrade_changes_speeds_and_reserves_nothing(chain: Chain) -> None:
    product_id = product_id_of(chain.order(order_of(add_item())))

    order = chain.order(order_of(modify_item(product_id, offering="fibre-500")))

    verb, request = chain.activation.requests[-1]
    assert (order["state"], verb, len(chain.activation.requests)) == ("completed", "modify", 2)
    assert supporting(request) == {
        "gpon-access": GPON | {"upstreamBps": 250_000_000, "assuredBps": 125_000_000},
        "aggregation-transport": TRANSPORT | {"downstreamMbps": 500, "burstKbytes": 625},
        "ip-edge": EDGE,
    }
    assert chain.resource_orders_of(order["id"]) == ()
    product = chain.product(product_id)
    assert (product["status"], product["productOffering"]["id"], product["name"]) == (
        "active",
        "fibre-500",
        "Fibre 500",
    )
    service = chain.service(product["realizingService"][0]["id"])
    assert characteristics(service, "serviceCharacteristic")["downstreamMbps"] == 500


def test_modify_to_what_is_there_touches_no_device(chain: Chain) -> None:
    product_id = product_id_of(chain.order(order_of(add_item())))

    order = chain.order(order_of(modify_item(product_id, offering="fibre-100")))

    assert order["state"] == "completed"
    assert [verb for verb, _ in chain.activation.requests] == ["create"]


def test_swapped_ont_reaches_the_access_only(chain: Chain) -> None:
    product_id = product_id_of(chain.order(order_of(add_item())))

    chain.order(order_of(modify_item(product_id, ontSerialNumber="ALCL0000FFFF")))

    assert supporting(chain.activation.requests[-1][1]) == {
        "gpon-access": GPON | {"ontSerialNumber": "ALCL0000FFFF"},
        "aggregation-transport": TRANSPORT,
        "ip-edge": EDGE,
    }


def test_cease_releases_everything(chain: Chain) -> None:
    product_id = product_id_of(chain.order(order_of(add_item())))
    service_id = chain.product(product_id)["realizingService"][0]["id"]

    order = chain.order(order_of(delete_item(product_id)))

    assert order["state"] == "completed"
    assert chain.activation.requests[-1] == ("terminate", service_id)
    assert chain.reservations.held == {}
    assert chain.product(product_id)["status"] == "terminated"
    assert chain.service(service_id)["state"] == "terminated"
    parts = chain.service(service_id)["supportingService"]
    assert [chain.service(each["id"])["state"] for each in parts] == ["terminated"] * 3


def test_refused_add_fails_with_the_device_and_leaves_nothing(chain: Chain) -> None:
    chain.activation.refuses = {"create"}

    order = chain.order(order_of(add_item()))

    assert order["state"] == "failed"
    assert [note["text"] for note in order["note"]] == ["olt1: stage: no space left"]
    assert chain.reservations.held == {}
    assert len(chain.reservations.released) == 3
    assert chain.product(product_id_of(order))["status"] == "aborted "
    service_order = chain.service_order_of(order["id"]).document
    assert service_order["errorMessage"][0]["device"] == "olt1"
    assert service_order["errorMessage"][0]["serviceOrderItem"][0]["itemId"] == "1"
    assert chain.events("ServiceCreateEvent") == []


def test_request_the_core_will_not_take_fails_and_leaves_nothing(chain: Chain) -> None:
    chain.activation.raises = {"create"}

    order = chain.order(order_of(add_item()))

    assert order["state"] == "failed"
    assert [note["text"] for note in order["note"]] == ["no create today"]
    assert chain.reservations.held == {}


@pytest.mark.parametrize("allocation", ["pon", "vlan", "address"])
def test_exhausted_pool_fails_and_leaves_nothing(chain: Chain, allocation: str) -> None:
    chain.reservations.sizes = {**chain.reservations.sizes, allocation: 0}

    order = chain.order(order_of(add_item()))

    assert order["state"] == "failed"
    assert "is exhausted: all 0 values are taken" in order["note"][0]["text"]
    assert chain.reservations.held == {}
    assert chain.activation.requests == []


def test_unserved_place_fails_and_names_it(chain: Chain) -> None:
    order = chain.order(order_of(add_item(place="ADDR-9999")))

    assert order["state"] == "failed"
    assert "ADDR-9999" in order["note"][0]["text"]


@pytest.mark.parametrize(("verb", "action"), [("modify", "modify"), ("terminate", "delete")])
@pytest.mark.parametrize("way", ["refuses", "raises"])
def test_failed_change_leaves_the_inventory_as_it_was(chain: Chain, verb: str, action: str, way: str) -> None:
    product_id = product_id_of(chain.order(order_of(add_item())))
    before = chain.product(product_id)
    service_before = chain.service(before["realizingService"][0]["id"])
    held = dict(chain.reservations.held)
    setattr(chain.activation, way, {verb})
    item = modify_item(product_id, offering="fibre-500") if action == "modify" else delete_item(product_id)

    order = chain.order(order_of(item))

    assert order["state"] == "failed"
    assert chain.product(product_id) == before
    assert chain.service(service_before["id"]) == service_before
    assert chain.reservations.held == held
    setattr(chain.activation, way, set())
    assert chain.order(order_of(item))["state"] == "completed"


def test_items_of_one_order_end_on_their_own(chain: Chain) -> None:
    items = (add_item("a"), add_item("b", place="ADDR-9999"), {"id": "c", "action": "noChange"})

    order = chain.order(order_of(*items))

    assert order["state"] == "partial"
    assert [item["state"] for item in order["productOrderItem"]] == ["completed", "failed", "completed"]
    assert len(chain.reservations.held) == 3
    assert chain.product(product_id_of(order, 0))["status"] == "active"
    assert chain.product(product_id_of(order, 1))["status"] == "aborted "


def test_order_without_changes_completes(chain: Chain) -> None:
    order = chain.order(order_of({"id": "1", "action": "noChange"}))

    assert order["state"] == "completed"
    assert [to for _, to in chain.moves(order["id"])] == ["acknowledged", "inProgress", "completed"]


def test_add_modify_and_delete_in_one_order(chain: Chain) -> None:
    first = chain.order(order_of(add_item("1"), add_item("2", place="ADDR-1016")))
    one, two = product_id_of(first, 0), product_id_of(first, 1)

    items = (modify_item(one, offering="fibre-1000", item_id="1"), delete_item(two, item_id="2"), add_item("3"))
    order = chain.order(order_of(*items))

    assert order["state"] == "completed"
    assert chain.product(one)["productOffering"]["id"] == "fibre-1000"
    assert chain.product(two)["status"] == "terminated"
    assert len(chain.reservations.held) == 6


def test_repeated_external_id_is_the_same_order(chain: Chain) -> None:
    body = order_of(add_item(), externalId="shop-7")

    first, second = chain.order(body), chain.order(body)

    assert first["id"] == second["id"]
    assert len(chain.events("ProductOrderCreateEvent")) == 1
    assert len(chain.reservations.held) == 3


def test_product_in_flight_takes_no_second_order(chain: Chain) -> None:
    product_id = product_id_of(chain.order(order_of(add_item())))
    first = chain.place(order_of(modify_item(product_id, offering="fibre-500")))

    with pytest.raises(OrderConflict, match=r"productOrderItem.*in flight") as caught:
        chain.place(order_of(delete_item(product_id)))

    assert (caught.value.key, first in caught.value.reason) == (product_id, True)
    chain.drain()
    assert chain.order(order_of(delete_item(product_id)))["state"] == "completed"


def test_ended_products_take_no_order(chain: Chain) -> None:
    ceased = product_id_of(chain.order(order_of(add_item())))
    chain.order(order_of(delete_item(ceased)))
    chain.activation.refuses = {"create"}
    aborted = product_id_of(chain.order(order_of(add_item())))

    for product_id, reason in ((ceased, "is terminated"), (aborted, "is aborted")):
        with pytest.raises(OrderConflict, match=reason):
            chain.place(order_of(modify_item(product_id, offering="fibre-500")))


def test_duplicate_delivery_changes_nothing(open_database: Callable[..., Database], catalog: Catalog) -> None:
    chain = build_chain(open_database, catalog, deliveries=2)

    order = chain.order(order_of(add_item()))
    product_id = product_id_of(order)
    chain.order(order_of(modify_item(product_id, offering="fibre-500")))
    held = len(chain.reservations.held)
    ceased = chain.order(order_of(delete_item(product_id)))

    assert (order["state"], ceased["state"], held) == ("completed", "completed", 3)
    assert [verb for verb, _ in chain.activation.requests] == ["create", "modify", "terminate"]
    assert chain.reservations.held == {}
    assert len(chain.moves(order["id"])) == 3


def test_duplicate_delivery_of_a_failure_releases_once(
    open_database: Callable[..., Database], catalog: Catalog
) -> None:
    chain = build_chain(open_database, catalog, deliveries=2)
    chain.activation.refuses = {"create"}

    order = chain.order(order_of(add_item()))

    assert order["state"] == "failed"
    assert len(chain.resource_orders_of(order["id"])) == 6
    assert len(order["note"]) == 1


def test_what_a_device_may_still_carry_is_not_given_to_anybody_else(chain: Chain) -> None:
    chain.activation.refuses = {"create"}
    left = {"code": ROLLBACK_FAILED, "message": "r1: rollback failed", "reason": "no answer", "device": "r1"}
    chain.activation.errors = (left,)

    order = chain.order(order_of(add_item()))

    held = list(chain.reservations.held)
    assert (order["state"], len(held)) == ("failed", 3)
    assert chain.product(product_id_of(order))["status"] == "aborted "
    kept = next(note["text"] for note in order["note"] if "still reserved" in note["text"])
    assert all(resource_id in kept for resource_id in held)


def test_late_and_foreign_monitors_are_ignored(chain: Chain) -> None:
    order = chain.order(order_of(add_item()))
    service_order = chain.service_order_of(order["id"])

    with chain.database.begin() as uow:
        chain.activation.tell(uow, f"{service_order.id}:1", "InError")
        chain.activation.tell(uow, "someone-else:1", "Completed")
        chain.activation.tell(uow, "", "Completed")
    chain.drain()

    assert chain.service_order_of(order["id"]) == service_order


def test_foreign_orders_below_are_ignored(chain: Chain) -> None:
    with chain.database.begin() as uow:
        item = {
            "id": "1",
            "action": "add",
            "resource": {"place": {"id": "ADDR-1015", "role": "x"}, "resourceSpecification": {"id": "vlan"}},
        }
        order_id = chain.resources.place(uow, {"orderItem": [item]}, correlation_id="outside")
    chain.drain()

    with chain.database.read() as connection:
        row = chain.resources.orders.get(connection, order_id)
    assert row.state == "completed"
    assert characteristics(row.document["orderItem"][0]["resource"], "resourceCharacteristic")["vlanId"] == 1042


def test_waiting_order_goes_on_when_the_activation_ends(chain: Chain) -> None:
    chain.activation.muted = True
    order = chain.order(order_of(add_item()))
    assert order["state"] == "inProgress"
    service_order = chain.service_order_of(order["id"])

    with chain.database.begin() as uow:
        chain.activation.tell(uow, f"{service_order.id}:1", "Completed")
    chain.drain()

    assert chain.product_order(order["id"])["state"] == "completed"
