"""What the layers send out is what the official definitions ask for, in every state an order goes through."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from orders.documents import merged, stamp
from tests.orders.chain import Chain, add_item, delete_item, modify_item, order_of
from tests.orders.schema import faults

EVENTS = {
    "ProductOrderCreateEvent": ("TMF622-v4.0.0.json", "ProductOrder"),
    "ProductOrderStateChangeEvent": ("TMF622-v4.0.0.json", "ProductOrder"),
    "ServiceOrderCreateEvent": ("TMF641-v4.1.0.json", "ServiceOrder"),
    "ServiceOrderStateChangeEvent": ("TMF641-v4.1.0.json", "ServiceOrder"),
    "ResourceOrderCreateEvent": ("TMF652-v4.0.0.json", "ResourceOrder"),
    "ResourceOrderStateChangeEvent": ("TMF652-v4.0.0.json", "ResourceOrder"),
    "ProductCreateEvent": ("TMF637-v4.0.0.json", "Product"),
    "ProductStateChangeEvent": ("TMF637-v4.0.0.json", "Product"),
    "ProductAttributeValueChangeEvent": ("TMF637-v4.0.0.json", "Product"),
    "ServiceCreateEvent": ("TMF638-v4.0.0.json", "Service"),
    "ServiceStateChangeEvent": ("TMF638-v4.0.0.json", "Service"),
    "ServiceAttributeValueChangeEvent": ("TMF638-v4.0.0.json", "Service"),
}


@pytest.fixture
def lived(chain: Chain) -> Chain:
    """Return a chain that saw an add, an upgrade, a cease and two failures."""
    party = {"id": "customer-1", "name": "Erika Mustermann", "role": "customer"}
    first = chain.order(order_of(add_item(), externalId="shop-1", priority="1", relatedParty=[party]))
    product_id = first["productOrderItem"][0]["product"]["id"]
    chain.order(order_of(modify_item(product_id, offering="fibre-500")))
    chain.order(order_of(delete_item(product_id)))
    chain.order(order_of(add_item(place="ADDR-9999"), add_item("2")))
    chain.activation.refuses = {"create"}
    chain.order(order_of(add_item()))
    return chain


@pytest.mark.shared
def test_every_event_carries_a_document_of_its_official_definition(lived: Chain, shared: Path) -> None:
    for event_type, (file, definition) in EVENTS.items():
        documents = lived.events(event_type)
        assert documents, f"the chain published no {event_type}"
        for document in documents:
            assert faults(shared, file, definition, document) == [], event_type


@pytest.mark.shared
def test_activation_requests_are_tmf640_services(lived: Chain, shared: Path) -> None:
    requests = [request for verb, request in lived.activation.requests if verb != "terminate"]
    assert len(requests) == 4
    for request in requests:
        assert faults(shared, "TMF640-v4.0.0.json", "Service_Create", request) == []


def test_order_attributes_reach_the_service_order_and_the_product(chain: Chain) -> None:
    party = {"id": "customer-1", "role": "customer"}
    order = chain.order(order_of(add_item(), priority="1", relatedParty=[party]))
    assert order["relatedParty"][0] == {"@type": "RelatedParty", "@referredType": "Party", **party}
    assert chain.service_order_of(order["id"]).document["priority"] == "1"
    product = chain.product(order["productOrderItem"][0]["product"]["id"])
    assert product["relatedParty"][0]["id"] == "customer-1"


def test_every_href_leads_to_its_id(lived: Chain) -> None:
    for event_type in EVENTS:
        for document in lived.events(event_type):
            assert document["href"].endswith(f"/{document['id']}")
            assert document["@type"]


def test_stamp_is_utc_with_milliseconds() -> None:
    assert stamp(datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)) == "2026-03-01T12:00:00.123Z"
    assert stamp(datetime(2026, 3, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))) == "2026-02-28T23:00:00.000Z"


def test_merged_leaves_out_what_is_none() -> None:
    assert merged({"a": 1, "b": 2}, {"b": None, "c": 3}) == {"a": 1, "c": 3}
