"""TMF641 bodies that are not right: every one is refused with path, fault and what is legal."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.catalog.load import load_catalog
from orders.catalog.model import Catalog
from orders.errors import InvalidOrder
from orders.service.intake import ServiceOrder, check_order, named_services, read_order
from orders.service.model import Composition
from tests.orders.bad_input import JSON, Path, checked_or_refused, paths, spoiled
from tests.orders.chain import PLACE
from tests.orders.conftest import CATALOG_FOLDER

VALUES = {"downstreamMbps": 100, "upstreamMbps": 50, "ontSerialNumber": "ALCL0000A1B2"}
SERVICES = {"s-1": Composition(specification_id="internet-access", place=PLACE, values=VALUES)}
ITEM = ("serviceOrderItem", 0)
SERVICE = (*ITEM, "service")
GOOD = {
    "externalId": "com-1",
    "serviceOrderItem": [
        {
            "id": "1",
            "action": "add",
            "service": {
                "serviceSpecification": {"id": "internet-access"},
                "serviceCharacteristic": [{"name": name, "value": value} for name, value in VALUES.items()],
                "place": [PLACE],
            },
        }
    ],
}

SPOILED: dict[str, tuple[Path, Any, str]] = {
    "text": ((), "x", "(body): 'x' is not legal"),
    "no-items": (("serviceOrderItem",), ..., "serviceOrderItem: is missing"),
    "no-service": (SERVICE, ..., "serviceOrderItem[0].service: is missing"),
    "service-list": (SERVICE, [], "serviceOrderItem[0].service: [] is not legal"),
    "quantity": ((*ITEM, "quantity"), 3, "serviceOrderItem[0].quantity: 3 is not supported"),
    "action": ((*ITEM, "action"), "no_change", "serviceOrderItem[0].action: 'no_change' is not legal"),
    "no-specification": (
        (*SERVICE, "serviceSpecification"),
        ...,
        "serviceOrderItem[0].service.serviceSpecification: is missing (legal: internet-access)",
    ),
    "specification-without-id": (
        (*SERVICE, "serviceSpecification"),
        {"name": "Internet-Access"},
        "serviceOrderItem[0].service.serviceSpecification.id: is missing",
    ),
    "unknown-specification": (
        (*SERVICE, "serviceSpecification", "id"),
        "telephony",
        "serviceSpecification.id: 'telephony' does not exist (legal: internet-access)",
    ),
    "resource-facing": (
        (*SERVICE, "serviceSpecification", "id"),
        "ip-edge",
        "'ip-edge' is resource-facing and cannot be ordered by itself (legal: internet-access)",
    ),
    "no-place": ((*SERVICE, "place"), [], "serviceOrderItem[0].service.place[0].id: is missing"),
    "missing-value": (
        (*SERVICE, "serviceCharacteristic"),
        [],
        "serviceOrderItem[0].service.serviceCharacteristic.downstreamMbps: is missing (legal: integer >= 1 <= 10000",
    ),
    "ill-typed-value": (
        (*SERVICE, "serviceCharacteristic", 0, "value"),
        "100",
        "serviceCharacteristic.downstreamMbps: '100' is not legal (legal: integer",
    ),
    "boolean-value": ((*SERVICE, "serviceCharacteristic", 0, "value"), True, "downstreamMbps: True is not legal"),
    "nested-items": (
        (*ITEM, "serviceOrderItem"),
        [{}],
        "serviceOrderItem[0].serviceOrderItem[0].id: is missing",
    ),
    "waits-for-another-order": (
        (*ITEM, "serviceOrderItemRelationship"),
        [{"relationshipType": "dependency", "orderItem": {"itemId": "2", "serviceOrderId": "so-9"}}],
        "serviceOrderItemRelationship[0].orderItem.itemId: an item of another order, 'so-9', cannot be waited for",
    ),
}
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"id": "s-9"}, "serviceOrderItem[0].service.id: 's-9' does not exist"),
    "no-id": ({}, "serviceOrderItem[0].service.id: is missing"),
    "bad-value": (
        {"id": "s-1", "serviceCharacteristic": [{"name": "upstreamMbps", "value": 0}]},
        "serviceCharacteristic.upstreamMbps: 0 is not legal",
    ),
    "unknown-value": (
        {"id": "s-1", "serviceCharacteristic": [{"name": "colour", "value": 0}]},
        "serviceCharacteristic.colour: is no characteristic of this specification",
    ),
}


def check(body: object, catalog: Catalog) -> ServiceOrder:
    order, document = read_order(body)
    known = {key: SERVICES[key] for key in named_services(order) if key in SERVICES}
    return check_order(order, document, catalog, known)


def change(action: str, service: dict[str, Any], item_id: str = "1") -> dict[str, Any]:
    return {"id": item_id, "action": action, "service": service}


@pytest.mark.parametrize("case", SPOILED)
def test_spoiled_body(case: str, catalog: Catalog) -> None:
    path, value, expected = SPOILED[case]
    with pytest.raises(InvalidOrder) as caught:
        check(spoiled(GOOD, path, value), catalog)
    assert expected in str(caught.value)


@pytest.mark.parametrize("case", CHANGES)
def test_impossible_change(case: str, catalog: Catalog) -> None:
    service, expected = CHANGES[case]
    with pytest.raises(InvalidOrder) as caught:
        check({"serviceOrderItem": [change("modify", service)]}, catalog)
    assert expected in str(caught.value)


def test_one_service_in_two_items_is_refused(catalog: Catalog) -> None:
    items = [change("modify", {"id": "s-1"}), change("delete", {"id": "s-1"}, "2")]
    with pytest.raises(InvalidOrder, match=r"serviceOrderItem\[1\]\.service\.id: 's-1' is in another item too"):
        check({"serviceOrderItem": items}, catalog)


def test_modify_merges_what_changed(catalog: Catalog) -> None:
    service = {"id": "s-1", "serviceCharacteristic": [{"name": "downstreamMbps", "value": 500}]}
    [item] = check({"serviceOrderItem": [change("modify", service)]}, catalog).items
    assert (item.service_id, item.composition.values) == ("s-1", VALUES | {"downstreamMbps": 500})


def test_add_is_read_with_its_place(catalog: Catalog) -> None:
    [item] = check(GOOD, catalog).items
    assert item.service_id is None
    assert (item.composition.values, item.composition.place["id"]) == (VALUES, "ADDR-1015")


CATALOG = load_catalog(CATALOG_FOLDER)


@given(path=st.sampled_from(sorted(paths(GOOD), key=str)), value=JSON)
def test_no_spoiled_node_makes_a_crash(path: Path, value: object) -> None:
    answer = checked_or_refused(lambda body: check(body, CATALOG), spoiled(GOOD, path, value))
    if isinstance(answer, InvalidOrder):
        assert answer.problems
        assert all(each.path and each.wrong for each in answer.problems)
    else:
        assert answer.document["serviceOrderItem"]
