"""TMF652 bodies that are not right: every one is refused with path, fault and what is legal."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.catalog.load import load_catalog
from orders.catalog.model import Catalog
from orders.errors import InvalidOrder
from orders.resource.intake import check_order
from tests.orders.bad_input import JSON, Path, checked_or_refused, paths, spoiled
from tests.orders.chain import PLACE
from tests.orders.conftest import CATALOG_FOLDER

ITEM = ("orderItem", 0)
RESOURCE = (*ITEM, "resource")
GOOD = {
    "externalId": "som-1",
    "priority": 2,
    "orderItem": [
        {"id": "1", "action": "add", "resource": {"place": PLACE, "resourceSpecification": {"id": "vlan"}}},
        {"id": "2", "action": "delete", "resource": {"id": "res-1"}},
    ],
}
SPOILED: dict[str, tuple[Path, Any, str]] = {
    "number": ((), 5, "(body): 5 is not legal"),
    "no-items": (("orderItem",), ..., "orderItem: is missing"),
    "priority": (("priority",), "2", "priority: '2' is not legal"),
    "id-twice": (("orderItem", 1, "id"), "1", "orderItem[1].id: '1' is given twice"),
    "quantity": ((*ITEM, "quantity"), 0, "orderItem[0].quantity: 0 is not supported"),
    "modify": ((*ITEM, "action"), "modify", "orderItem[0].action: 'modify' is not legal (legal: 'add', 'delete' or"),
    "no-resource": (RESOURCE, ..., "orderItem[0].resourceSpecification: is missing (legal: gpon-port, ip-address, v"),
    "unknown": ((*RESOURCE, "resourceSpecification", "id"), "x", "resourceSpecification.id: 'x' does not exist"),
    "no-place": ((*RESOURCE, "place"), ..., "orderItem[0].resource.place.id: is missing"),
    "place-list": ((*RESOURCE, "place"), [PLACE], "orderItem[0].resource.place: ["),
    "delete-without-id": (("orderItem", 1, "resource", "id"), ..., "orderItem[1].resource.id: is missing"),
    "delete-without-resource": (("orderItem", 1, "resource"), ..., "orderItem[1].resource.id: is missing"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_spoiled_body(case: str, catalog: Catalog) -> None:
    path, value, expected = SPOILED[case]
    with pytest.raises(InvalidOrder) as caught:
        check_order(spoiled(GOOD, path, value), catalog)
    assert expected in str(caught.value)


def test_specification_may_stand_on_the_item(catalog: Catalog) -> None:
    item = {"id": "1", "action": "add", "resourceSpecification": {"id": "vlan"}, "resource": {"place": PLACE}}
    assert check_order({"orderItem": [item]}, catalog).document["orderItem"] == [item]


CATALOG = load_catalog(CATALOG_FOLDER)


@given(path=st.sampled_from(sorted(paths(GOOD), key=str)), value=JSON)
def test_no_spoiled_node_makes_a_crash(path: Path, value: object) -> None:
    answer = checked_or_refused(lambda body: check_order(body, CATALOG), spoiled(GOOD, path, value))
    if isinstance(answer, InvalidOrder):
        assert answer.problems
        assert all(each.path and each.wrong for each in answer.problems)
    else:
        assert answer.document["orderItem"]
