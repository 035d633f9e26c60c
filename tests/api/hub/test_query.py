"""What a hub's query can say, and which events it lets through."""

from typing import Any

import pytest

from api.errors import BadRequest
from api.hub.query import read_query
from api.hub.topics import TOPICS

SERVICE_ORDERING = TOPICS["/tmf-api/serviceOrdering/v4"]
PRODUCT_INVENTORY = TOPICS["/tmf-api/productInventory/v4"]
ACTIVATION = TOPICS["/tmf-api/ServiceActivationAndConfiguration/v4"]


def _published(**document: Any) -> dict[str, Any]:
    return {"domain": "service", "correlation_id": "c1", "document": document}


def test_no_query_wants_every_event_of_the_api() -> None:
    wish = read_query("", SERVICE_ORDERING)
    assert {"ServiceOrderCreateEvent", "CancelServiceOrderStateChangeEvent"} <= wish.event_types
    assert wish.covers(_published(state="held"))


TYPES = {
    "one": ("eventType=ServiceOrderCreateEvent", {"ServiceOrderCreateEvent"}),
    "a list": (
        "eventType=ServiceOrderCreateEvent,ServiceOrderDeleteEvent",
        {"ServiceOrderCreateEvent", "ServiceOrderDeleteEvent"},
    ),
    "repeated": (
        "eventType=ServiceOrderCreateEvent&eventType=ServiceOrderDeleteEvent",
        {"ServiceOrderCreateEvent", "ServiceOrderDeleteEvent"},
    ),
    "blanks, as TM Forum's samples have them": ("eventType = ServiceOrderCreateEvent", {"ServiceOrderCreateEvent"}),
    "lower camel": ("?eventType=serviceOrderCreateEvent", {"ServiceOrderCreateEvent"}),
    "percent-encoded": ("eventType=%53erviceOrderCreateEvent", {"ServiceOrderCreateEvent"}),
}


@pytest.mark.parametrize(("query", "types"), TYPES.values(), ids=TYPES)
def test_event_types(query: str, types: set[str]) -> None:
    assert read_query(query, SERVICE_ORDERING).event_types == types


def test_activation_events_keep_their_own_name_inside() -> None:
    wish = read_query("eventType=ServiceCreateEvent", ACTIVATION)
    assert wish.event_types == {"ActivationServiceCreateEvent"}


MATCHES = {
    "equal": ("state=completed", {"state": "completed"}, True),
    "other": ("state=completed", {"state": "held"}, False),
    "any of a list": ("state=completed,failed", {"state": "failed"}, True),
    "both must hold": ("state=completed&externalId=A", {"state": "completed", "externalId": "B"}, False),
    "both hold": ("state=completed&externalId=A", {"state": "completed", "externalId": "A"}, True),
    "absent": ("category=x", {"state": "completed"}, False),
    "null": ("category=None", {"category": None}, True),
    "number": ("priority=1", {"priority": 1}, True),
    "one of several parties": ("relatedParty.id=p2", {"relatedParty": [{"id": "p1"}, {"id": "p2"}]}, True),
    "none of the parties": ("relatedParty.id=p3", {"relatedParty": [{"id": "p1"}, "p3"]}, False),
    "correlation": ("correlationId=c1", {}, True),
    "another correlation": ("correlationId=c2", {}, False),
    "domain": ("domain=service", {}, True),
    "encoded": ("externalId=A%26B", {"externalId": "A&B"}, True),
}


@pytest.mark.parametrize(("query", "document", "wanted"), MATCHES.values(), ids=MATCHES)
def test_attributes(query: str, document: dict[str, Any], *, wanted: bool) -> None:
    assert read_query(query, SERVICE_ORDERING).covers(_published(**document)) is wanted


REFUSED = {
    "unknown event type": ("eventType=ProductOrderCreateEvent", "ServiceOrderCreateEvent"),
    "unknown attribute": ("colour=red", "externalId"),
    "another API's attribute": ("resourceStatus=reserved", "state"),
    "no value": ("state=", "<name>=<value>"),
    "commas only": ("state=,", "<name>=<value>"),
    "no equals sign": ("state", "<name>=<value>"),
    "operator": ("priority>1", "<name>=<value>"),
    "expression": ("$[?(@.state=='completed')]", "<name>=<value>"),
    "too long": ("state=" + "x" * 3000, "2000"),
}


@pytest.mark.parametrize(("query", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_answered_is_refused_with_what_is_legal(query: str, said: str) -> None:
    with pytest.raises(BadRequest, match="query: ") as refused:
        read_query(query, SERVICE_ORDERING)
    assert said in str(refused.value)


def test_each_api_has_the_state_attribute_its_resource_has() -> None:
    assert "status" in PRODUCT_INVENTORY.attributes
    assert "state" not in PRODUCT_INVENTORY.attributes


def test_one_name_of_a_hub_stands_for_two_of_ours() -> None:
    """TMF633 and TMF634 tell a change of any kind by one event type."""
    topic = TOPICS["/tmf-api/serviceCatalogManagement/v4"]
    wish = read_query("eventType=ServiceSpecificationChangeEvent", topic)
    assert wish.event_types == {
        "ServiceSpecificationAttributeValueChangeEvent",
        "ServiceSpecificationStateChangeEvent",
    }
    told = {"eventType": "ServiceSpecificationStateChangeEvent", "title": "x", "event": {"serviceSpecification": {}}}
    assert topic.spell(told)["eventType"] == "ServiceSpecificationChangeEvent"
