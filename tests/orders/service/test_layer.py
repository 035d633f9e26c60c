"""SOM by itself: orders that come straight in as TMF641."""

from typing import Any

import pytest

from inventory.documents import Document, characteristics
from inventory.store import Row
from orders.errors import OrderConflict
from tests.orders.bad_input import spoiled
from tests.orders.chain import Chain
from tests.orders.service.test_intake import GOOD, change


def place(chain: Chain, body: Document) -> str:
    with chain.database.begin() as uow:
        return chain.services.place(uow, body)


def run(chain: Chain, *items: dict[str, Any]) -> Row:
    order_id = place(chain, {"serviceOrderItem": list(items)})
    chain.drain()
    with chain.database.read() as connection:
        return chain.services.orders.get(connection, order_id)


def added(chain: Chain, item_id: str = "1") -> str:
    row = run(chain, spoiled(GOOD, ("serviceOrderItem", 0, "id"), item_id)["serviceOrderItem"][0])
    assert row.state == "completed"
    return str(row.document["serviceOrderItem"][0]["service"]["id"])


def speed(service_id: str, downstream_mbps: int) -> dict[str, Any]:
    values = [{"name": "downstreamMbps", "value": downstream_mbps}]
    return change("modify", {"id": service_id, "serviceCharacteristic": values})


def test_item_ids_may_hold_anything(chain: Chain) -> None:
    assert chain.service(added(chain, "a:b:c/1"))["state"] == "active"


def test_order_without_a_chain_is_its_own_chain(chain: Chain) -> None:
    order_id = place(chain, GOOD)
    chain.drain()
    assert [row.state for row in chain.resource_orders_of(order_id)] == ["completed"] * 3


def test_modify_changes_only_what_is_named(chain: Chain) -> None:
    service_id = added(chain)

    row = run(chain, speed(service_id, 200))

    assert row.state == "completed"
    values = characteristics(chain.service(service_id), "serviceCharacteristic")
    assert (values["downstreamMbps"], values["upstreamMbps"]) == (200, 50)


def test_states_of_the_order_are_told_by_events(chain: Chain) -> None:
    added(chain)
    assert [each["state"] for each in chain.events("ServiceOrderStateChangeEvent")] == ["inProgress", "completed"]


def test_busy_and_ended_services_take_no_order(chain: Chain) -> None:
    service_id = added(chain)
    chain.activation.muted = True
    order_id = place(chain, {"serviceOrderItem": [speed(service_id, 200)]})
    chain.drain()
    with pytest.raises(OrderConflict, match=f"serviceOrderItem.0..service.id: '{service_id}' has service order"):
        place(chain, {"serviceOrderItem": [change("delete", {"id": service_id})]})

    with chain.database.begin() as uow:
        chain.activation.tell(uow, f"{order_id}:1", "InError")
    chain.drain()
    chain.activation.muted = False
    assert run(chain, change("delete", {"id": service_id})).state == "completed"
    with pytest.raises(OrderConflict, match="is terminated"):
        place(chain, {"serviceOrderItem": [speed(service_id, 200)]})


def test_service_order_in_flight_fails_the_product_order_that_needs_it(chain: Chain) -> None:
    """A product order that meets a busy service is accepted, and fails with the reason once it is worked on."""
    product_order = chain.order(_product_order())
    product_id = product_order["productOrderItem"][0]["product"]["id"]
    service_id = chain.product(product_id)["realizingService"][0]["id"]
    chain.activation.muted = True
    place(chain, {"serviceOrderItem": [speed(service_id, 200)]})
    chain.drain()

    cease = {"id": "1", "action": "delete", "product": {"id": product_id}}
    order = chain.order({"productOrderItem": [cease]})

    assert order["state"] == "failed"
    assert "in flight" in order["note"][0]["text"]
    assert chain.product(product_id)["status"] == "active"


def _product_order() -> dict[str, Any]:
    place_ = {"id": "ADDR-1015", "role": "installationAddress"}
    values = [{"name": "ontSerialNumber", "value": "ALCL0000A1B2"}]
    product = {"place": [place_], "productCharacteristic": values}
    item = {"id": "1", "action": "add", "productOffering": {"id": "fibre-100"}, "product": product}
    return {"productOrderItem": [item]}
