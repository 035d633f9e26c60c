"""The query of a collection is read as TM Forum's guidelines write it, and refused with what is legal."""

from typing import Any

import pytest
from fastapi import Request

from api.errors import BadRequest
from api.http.attributes import ATTRIBUTES
from api.http.list_query import ListRequest, list_request, select_fields, wanted_fields
from api.http.listing import listed
from inventory.query import SortKey

KNOWN = frozenset({"id", "state", "priority", "note", "relatedParty", "orderDate"})


def _request(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


def _read(query: str) -> ListRequest:
    return list_request(_request(query), KNOWN)


CONDITIONS = {
    "equal": ("state=held", ("state", "eq", ("held",))),
    "dots": ("relatedParty.id=C-7", ("relatedParty.id", "eq", ("C-7",))),
    "operator as a step": ("priority.gte=3", ("priority", "gte", ("3",))),
    "sign": ("priority%3E3", ("priority", "gt", ("3",))),
    "sign and equals": ("priority%3E=3", ("priority", "gte", ("3",))),
    "raw sign": ("priority<=3", ("priority", "lte", ("3",))),
    "not": ("state!=held", ("state", "ne", ("held",))),
    "like": ("note.text*=*cable*", ("note.text", "like", ("*cable*",))),
    "one of": ("state=held,failed", ("state", "eq", ("held", "failed", "held,failed"))),
    "a sign within the value": ("note.text=a%3Eb", ("note.text", "eq", ("a>b",))),
    "a moment": (
        "orderDate.gt=2026-11-23T10:00:00.000%2B01:00",
        ("orderDate", "gt", ("2026-11-23T10:00:00.000+01:00",)),
    ),
    "empty": ("state=", ("state", "eq", ("",))),
}


@pytest.mark.parametrize(("query", "expected"), CONDITIONS.values(), ids=CONDITIONS)
def test_condition(query: str, expected: tuple[str, str, tuple[str, ...]]) -> None:
    (found,) = _read(query).query.conditions
    assert (".".join(found.attribute), found.operator, found.texts) == expected


def test_order_page_and_fields() -> None:
    found = _read("sort=-orderDate,state&offset=20&limit=5&fields=state,note.text")
    assert found.query.order == (SortKey(attribute=("orderDate",), descending=True), SortKey(attribute=("state",)))
    assert (found.query.offset, found.query.limit) == (20, 5)
    assert found.fields == {"state": {}, "note": {"text": {}}}


BAD = {
    "unknown attribute": ("colour=red", "cannot filter by colour; legal: fields, id, limit"),
    "unknown sort": ("sort=colour", "cannot sort by colour"),
    "regular expression": ("state.regex=.*", "legal operators: eq, ne"),
    "nothing before the dot": (".id=3", "cannot read the attribute '.id'"),
    "too deep": ("state" + ".a" * 20 + "=1", "up to 8 names"),
    "too many": ("&".join(["state=held"] * 21), "21 conditions; legal: 20"),
    "limit": ("limit=0", "limit='0': must be a whole number from 1 to 1000"),
    "offset": ("offset=-1", "offset='-1'"),
}


@pytest.mark.parametrize(("query", "said"), BAD.values(), ids=BAD)
def test_a_bad_query_says_what_is_legal(query: str, said: str) -> None:
    with pytest.raises(BadRequest) as raised:
        _read(query)
    assert said in str(raised.value)


def test_what_is_no_attribute_is_left_to_the_caller() -> None:
    wanted = list_request(_request("whole=true&state=held"), KNOWN, besides=("whole",))
    assert [each.attribute for each in wanted.query.conditions] == [("state",)]


def test_a_list_that_is_no_collection_comes_whole_unless_a_limit_is_given() -> None:
    documents = [{"id": str(number)} for number in range(250)]
    for query, count in (("", 250), ("offset=10", 240), ("limit=7", 7), ("limit=7&offset=245", 5)):
        answer = listed(_request(query), documents, KNOWN)
        assert (answer.headers["X-Total-Count"], answer.headers["X-Result-Count"]) == ("250", str(count))


DOCUMENT: dict[str, Any] = {
    "id": "1",
    "href": "/x/1",
    "state": "held",
    "note": [{"id": "n", "text": "a"}, {"text": "b"}],
    "item": [{"id": "7", "product": {"name": "Fibre", "place": [{"id": "A"}]}}],
}
SELECTIONS = {
    "id and href always": ("state", {"state": "held"}),
    "nothing else": ("none", {}),
    "in arrays": ("note.text", {"note": [{"text": "a"}, {"text": "b"}]}),
    "two of one": ("item.id,item.product.name", {"item": [{"id": "7", "product": {"name": "Fibre"}}]}),
    "below a text": ("state.id", {"state": "held"}),
}


@pytest.mark.parametrize(("fields", "rest"), SELECTIONS.values(), ids=SELECTIONS)
def test_fields(fields: str, rest: dict[str, Any]) -> None:
    assert select_fields(DOCUMENT, wanted_fields(fields)) == {"id": "1", "href": "/x/1", **rest}


def test_every_collection_knows_its_attributes() -> None:
    assert all({"id", "href"} < names for names in ATTRIBUTES.values())
