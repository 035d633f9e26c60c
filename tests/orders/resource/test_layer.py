"""ROM by itself: all items or none."""

from typing import Any

import pytest

from inventory.documents import Document
from orders.errors import InvalidOrder
from tests.orders.chain import PLACE, Chain


def add(item_id: str, specification_id: str, place: str = "ADDR-1015") -> dict[str, Any]:
    resource = {"place": {**PLACE, "id": place}, "resourceSpecification": {"id": specification_id}}
    return {"id": item_id, "action": "add", "resource": resource}


def delete(item_id: str, resource_id: str) -> dict[str, Any]:
    return {"id": item_id, "action": "delete", "resource": {"id": resource_id}}


def run(chain: Chain, *items: dict[str, Any], **head: object) -> Document:
    with chain.database.begin() as uow:
        order_id = chain.resources.place(uow, {**head, "orderItem": list(items)}, correlation_id="chain-1")
    chain.drain()
    with chain.database.read() as connection:
        return chain.resources.orders.get(connection, order_id).document


def test_items_come_back_with_their_resources(chain: Chain) -> None:
    order = run(chain, add("1", "vlan"), add("2", "gpon-port"), {"id": "3", "action": "noChange"})

    assert order["state"] == "completed"
    assert [item["state"] for item in order["orderItem"]] == ["completed"] * 3
    assert {order["orderItem"][at]["resource"]["id"] for at in (0, 1)} == set(chain.reservations.held)
    requests = chain.reservations.requests
    assert [(each.allocation, each.pool, each.place_id) for each in requests] == [
        ("vlan", "subscriber-vlans", "ADDR-1015"),
        ("pon", "", "ADDR-1015"),
    ]
    assert {each.owner for each in requests} == {f"{order['id']}:1", f"{order['id']}:2"}


def test_one_refusal_gives_everything_back(chain: Chain) -> None:
    kept = run(chain, add("1", "ip-address"))["orderItem"][0]["resource"]["id"]

    order = run(chain, add("1", "vlan"), add("2", "vlan", "ADDR-9999"), delete("3", kept))

    assert order["state"] == "failed"
    assert [item["state"] for item in order["orderItem"]] == ["failed"] * 3
    assert order["note"][-1]["text"] == "place 'ADDR-9999' cannot be served: no PON passes it"
    assert set(chain.reservations.held) == {kept}


def test_delete_releases(chain: Chain) -> None:
    held = run(chain, add("1", "vlan"))["orderItem"][0]["resource"]["id"]

    assert run(chain, delete("1", held))["state"] == "completed"
    assert chain.reservations.held == {}


def test_same_external_id_is_the_same_order(chain: Chain) -> None:
    first, second = (run(chain, add("1", "vlan"), externalId="som-1") for _ in range(2))
    assert first == second
    assert len(chain.reservations.held) == 1


def test_refused_body_stores_nothing(chain: Chain) -> None:
    with pytest.raises(InvalidOrder):
        run(chain, add("1", "spectrum"))
    assert chain.events("ResourceOrderCreateEvent") == []


def at_port(item: dict[str, Any], **values: str) -> dict[str, Any]:
    given = [{"name": name, "value": value} for name, value in values.items()]
    return {**item, "resource": {**item["resource"], "resourceCharacteristic": given}}


def test_a_port_of_peoples_choice_is_taken_and_the_other_given_back(chain: Chain) -> None:
    old = run(chain, add("1", "gpon-port"))["orderItem"][0]["resource"]["id"]

    order = run(chain, at_port(add("1", "gpon-port"), olt="olt2", ponPort="pon2"), delete("2", old))

    assert order["state"] == "completed"
    assert [(each.olt, each.pon_port) for each in chain.reservations.requests] == [("", ""), ("olt2", "pon2")]
    assert chain.reservations.released == [old]


def test_a_port_that_cannot_be_had_is_refused_with_its_path(chain: Chain) -> None:
    path = r"orderItem\[0\].resource.resourceCharacteristic.ponPort: olt1 pon9: .* \(legal: pon1, pon2\)"
    with pytest.raises(InvalidOrder, match=path):
        run(chain, at_port(add("1", "gpon-port"), ponPort="pon9"))
    assert chain.events("ResourceOrderCreateEvent") == []


def test_an_olt_without_a_port_says_nothing(chain: Chain) -> None:
    assert run(chain, at_port(add("1", "gpon-port"), olt="olt2"))["state"] == "completed"
    assert [(each.olt, each.pon_port) for each in chain.reservations.requests] == [("", "")]
