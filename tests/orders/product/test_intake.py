"""TMF622 bodies that are not right: every one is refused with path, fault and what is legal."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.catalog.load import load_catalog
from orders.catalog.model import Catalog
from orders.errors import InvalidOrder
from orders.product.intake import ProductOrder, check_order, named_products, read_order
from orders.product.model import ItemTask
from tests.orders.bad_input import JSON, Path, checked_or_refused, paths, spoiled
from tests.orders.chain import PLACE, add_item, delete_item, modify_item, order_of
from tests.orders.conftest import CATALOG_FOLDER

PRODUCTS = {
    "p-1": ItemTask(
        item_id="",
        action="noChange",
        product_id="p-1",
        offering_id="fibre-100",
        values={"ontSerialNumber": "ALCL0000A1B2", "downstreamMbps": 100, "upstreamMbps": 50},
        place=PLACE,
        service_id="s-1",
    )
}
ITEM = ("productOrderItem", 0)
CHARACTERISTICS = (*ITEM, "product", "productCharacteristic")
PARTY = {"id": "customer-1", "@referredType": "Individual"}
GOOD = {
    **order_of(add_item()),
    "externalId": "shop-1",
    "requestedStartDate": "2026-03-01T10:00:00Z",
    "note": [{"text": "ring twice"}],
    "relatedParty": [PARTY],
}

SPOILED: dict[str, tuple[Path, Any, str]] = {
    "list": ((), [], "(body): [] is not legal"),
    "null": ((), None, "(body): None is not legal"),
    "no-items": (("productOrderItem",), ..., "productOrderItem: is missing"),
    "empty-items": (("productOrderItem",), [], "productOrderItem: [] is not legal"),
    "items-object": (("productOrderItem",), {}, "productOrderItem: {} is not legal (legal: a valid list)"),
    "item-text": (ITEM, "x", "productOrderItem[0]: 'x' is not legal"),
    "item-null": (ITEM, None, "productOrderItem[0]: None is not legal"),
    "item-id-number": ((*ITEM, "id"), 1, "productOrderItem[0].id: 1 is not legal (legal: a valid string)"),
    "item-id-empty": ((*ITEM, "id"), "", "productOrderItem[0].id: '' is not legal"),
    "item-id-missing": ((*ITEM, "id"), ..., "productOrderItem[0].id: is missing"),
    "action": (
        (*ITEM, "action"),
        "destroy",
        "productOrderItem[0].action: 'destroy' is not legal (legal: 'add', 'modify', 'delete' or 'noChange')",
    ),
    "action-missing": ((*ITEM, "action"), ..., "productOrderItem[0].action: is missing"),
    "quantity": ((*ITEM, "quantity"), 2, "productOrderItem[0].quantity: 2 is not supported (legal: 1; order several"),
    "price-text": (
        (*ITEM, "itemPrice"),
        [{"description": []}],
        "productOrderItem[0].itemPrice[0].description: [] is not",
    ),
    "term-text": (
        (*ITEM, "product", "productTerm"),
        [{"duration": {"amount": "two"}}],
        "productOrderItem[0].product.productTerm[0].duration.amount: 'two' is not legal",
    ),
    "quantity-text": ((*ITEM, "quantity"), "1", "productOrderItem[0].quantity: '1' is not legal"),
    "offering-unknown": (
        (*ITEM, "productOffering", "id"),
        "fibre-9",
        (
            "productOrderItem[0].productOffering.id: 'fibre-9' does not exist "
            "(legal: fibre-10, fibre-100, fibre-1000, fibre-50, fibre-500)"
        ),
    ),
    "offering-missing": ((*ITEM, "productOffering"), ..., "productOrderItem[0].productOffering: is missing"),
    "offering-text": ((*ITEM, "productOffering"), "fibre-100", "productOrderItem[0].productOffering: 'fibre-100' is"),
    "product-missing": ((*ITEM, "product"), ..., "productOrderItem[0].product.place[0].id: is missing"),
    "place-missing": ((*ITEM, "product", "place"), ..., "productOrderItem[0].product.place[0].id: is missing"),
    "place-object": ((*ITEM, "product", "place"), PLACE, "productOrderItem[0].product.place: {"),
    "place-role": ((*ITEM, "product", "place", 0, "role"), ..., "product.place[0].role: is missing"),
    "place-id": ((*ITEM, "product", "place", 0, "id"), 15, "product.place[0].id: 15 is not legal"),
    "characteristics-object": (CHARACTERISTICS, {"ontSerialNumber": "x"}, "productCharacteristic: {"),
    "characteristic-missing": (
        CHARACTERISTICS,
        [],
        "productOrderItem[0].product.productCharacteristic.ontSerialNumber: is missing (legal: string matching ^[A-Z]",
    ),
    "characteristic-no-value": (
        (*CHARACTERISTICS, 0, "value"),
        ...,
        "productCharacteristic[0].value: is missing",
    ),
    "characteristic-null": (
        (*CHARACTERISTICS, 0, "value"),
        None,
        "productCharacteristic.ontSerialNumber: None is not legal",
    ),
    "characteristic-type": ((*CHARACTERISTICS, 0, "value"), 7, "productCharacteristic.ontSerialNumber: 7 is not legal"),
    "characteristic-list": ((*CHARACTERISTICS, 0, "value"), ["x"], "ontSerialNumber: ['x'] is not legal"),
    "characteristic-pattern": ((*CHARACTERISTICS, 0, "value"), "alcl0000a1b2", "'alcl0000a1b2' is not legal"),
    "characteristic-unknown": (
        (*CHARACTERISTICS, 0, "name"),
        "colour",
        "productCharacteristic.colour: is no characteristic of this specification",
    ),
    "characteristic-twice": (
        CHARACTERISTICS,
        [{"name": "ontSerialNumber", "value": "ALCL0000A1B2"}] * 2,
        "productCharacteristic[1].name: 'ontSerialNumber' is given twice",
    ),
    "characteristic-fixed": (
        CHARACTERISTICS,
        [{"name": "ontSerialNumber", "value": "ALCL0000A1B2"}, {"name": "downstreamMbps", "value": 200}],
        "productCharacteristic.downstreamMbps: 200 contradicts product offering 'fibre-100' (legal: 100)",
    ),
    "nested-id-twice": (
        (*ITEM, "productOrderItem"),
        [add_item("1", serial="ALCL0000A1B3")],
        "productOrderItem[0].productOrderItem[0].id: '1' is given twice",
    ),
    "nested-offering": (
        (*ITEM, "productOrderItem"),
        [add_item("2", offering="fibre-9")],
        "productOrderItem[0].productOrderItem[0].productOffering.id: 'fibre-9' does not exist",
    ),
    "relies-on-itself": (
        (*ITEM, "productOrderItemRelationship"),
        [{"id": "1", "relationshipType": "reliesOn"}],
        "productOrderItem[0].productOrderItemRelationship[0].id: '1' is the item itself",
    ),
    "relies-on-nothing": (
        (*ITEM, "productOrderItemRelationship"),
        [{"relationshipType": "dependsOn"}],
        "productOrderItem[0].productOrderItemRelationship[0].id: is missing",
    ),
    "relies-on-unknown": (
        (*ITEM, "productOrderItemRelationship"),
        [{"id": "7", "relationshipType": "reliesOn"}],
        "productOrderItemRelationship[0].id: there is no item '7' (legal: none: the order has no other item)",
    ),
    "external-id": (("externalId",), 5, "externalId: 5 is not legal"),
    "external-id-empty": (("externalId",), "", "externalId: '' is not legal"),
    "priority": (("priority",), 1, "priority: 1 is not legal"),
    "date": (("requestedStartDate",), "tomorrow", "requestedStartDate: 'tomorrow' is not legal (legal: an ISO 8601"),
    "date-naive": (("requestedStartDate",), "2026-03-01T10:00:00", "an ISO 8601 date-time with an offset or Z"),
    "note": (("note",), "ring", "note: 'ring' is not legal"),
    "note-text": (("note", 0, "text"), ..., "note[0].text: is missing"),
    "party-id": (("relatedParty", 0, "id"), ..., "relatedParty[0].id: is missing"),
    "nan": (("x",), float("nan"), "(body): is no JSON"),
    "surrogate": (("description",), "\ud800", "(body): is no JSON"),
    "no-json": (("x",), {1, 2}, "(body): is no JSON"),
}

CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": (modify_item("p-9"), "productOrderItem[0].product.id: 'p-9' does not exist"),
    "unknown-delete": (delete_item("p-9"), "productOrderItem[0].product.id: 'p-9' does not exist"),
    "no-id": ({"id": "1", "action": "modify", "product": {}}, "productOrderItem[0].product.id: is missing"),
    "no-product": ({"id": "1", "action": "delete"}, "productOrderItem[0].product.id: is missing"),
    "offering": (modify_item("p-1", offering="fibre-9"), "productOffering.id: 'fibre-9' does not exist"),
    "value": (modify_item("p-1", ontSerialNumber=5), "productCharacteristic.ontSerialNumber: 5 is not legal"),
    "fixed": (modify_item("p-1", downstreamMbps=200), "downstreamMbps: 200 contradicts product offering 'fibre-100'"),
    "moved": (
        {"id": "1", "action": "modify", "product": {"id": "p-1", "place": [{**PLACE, "id": "ADDR-1016"}]}},
        "productOrderItem[0].product.place: cannot change",
    ),
}


def check(body: object, catalog: Catalog) -> ProductOrder:
    order, document = read_order(body)
    known = {key: PRODUCTS[key] for key in named_products(order) if key in PRODUCTS}
    return check_order(order, document, catalog, known)


@pytest.mark.parametrize("case", SPOILED)
def test_spoiled_body(case: str, catalog: Catalog) -> None:
    path, value, expected = SPOILED[case]
    with pytest.raises(InvalidOrder) as caught:
        check(spoiled(GOOD, path, value), catalog)
    assert expected in str(caught.value)


@pytest.mark.parametrize("case", CHANGES)
def test_impossible_change(case: str, catalog: Catalog) -> None:
    item, expected = CHANGES[case]
    with pytest.raises(InvalidOrder) as caught:
        check(order_of(item), catalog)
    assert expected in str(caught.value)


def test_every_problem_is_told_at_once(catalog: Catalog) -> None:
    body = order_of(add_item("1", offering="x"), add_item("1", serial="y"), add_item("2", place=""))
    with pytest.raises(InvalidOrder) as types:
        check(body, catalog)
    assert [each.path for each in types.value.problems] == ["productOrderItem[2].product.place[0].id"]
    with pytest.raises(InvalidOrder) as meanings:
        check(order_of(add_item("1", offering="x"), add_item("1", serial="y")), catalog)
    assert [each.path for each in meanings.value.problems] == [
        "productOrderItem[1].id",
        "productOrderItem[0].productOffering.id",
        "productOrderItem[1].product.productCharacteristic.ontSerialNumber",
    ]


def test_one_product_in_two_items_is_refused(catalog: Catalog) -> None:
    with pytest.raises(InvalidOrder, match=r"productOrderItem\[1\]\.product\.id: 'p-1' is in another item too"):
        check(order_of(modify_item("p-1"), delete_item("p-1", item_id="2")), catalog)


def test_deep_nesting_is_refused(catalog: Catalog) -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"x": deep}
    with pytest.raises(InvalidOrder, match="nested too deeply"):
        check({**GOOD, "x": deep}, catalog)


def test_good_body_is_kept_as_it_is(catalog: Catalog) -> None:
    checked = check({**GOOD, "vendorExtension": {"a": [1]}, "description": None}, catalog)
    assert checked.document == {
        **GOOD,
        "vendorExtension": {"a": [1]},
        "relatedParty": [{"@type": "RelatedParty", **PARTY}],
    }
    assert checked.external_id == "shop-1"
    [item] = checked.items
    assert (item.action, item.offering_id, item.place) == ("add", "fibre-100", PLACE)
    assert item.values == PRODUCTS["p-1"].values


def test_upgrade_takes_the_new_offering_and_keeps_the_rest(catalog: Catalog) -> None:
    [item] = check(order_of(modify_item("p-1", offering="fibre-500")), catalog).items
    assert (item.action, item.product_id, item.offering_id) == ("modify", "p-1", "fibre-500")
    assert item.values == {"ontSerialNumber": "ALCL0000A1B2", "downstreamMbps": 500, "upstreamMbps": 250}


def test_delete_needs_the_product_only(catalog: Catalog) -> None:
    [item] = check(order_of(delete_item("p-1")), catalog).items
    assert (item.item_id, item.action, item.service_id) == ("1", "delete", "s-1")


def test_no_change_is_nothing_to_do(catalog: Catalog) -> None:
    assert check(order_of({"id": "1", "action": "noChange"}), catalog).items == ()


CATALOG = load_catalog(CATALOG_FOLDER)


@given(path=st.sampled_from(sorted(paths(GOOD), key=str)), value=JSON)
def test_no_spoiled_node_makes_a_crash(path: Path, value: object) -> None:
    answer = checked_or_refused(lambda body: check(body, CATALOG), spoiled(GOOD, path, value))
    if isinstance(answer, InvalidOrder):
        assert answer.problems
        assert all(each.path and each.wrong for each in answer.problems)
    else:
        assert answer.document["productOrderItem"]
