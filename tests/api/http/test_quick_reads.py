"""The short way to one resource answers as the long one does: the same status, headers and bytes, whatever is asked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI

from api import tokens
from api.client import PRODUCT_ORDERS
from api.http.app import create_app
from api.http.layers import served
from api.http.quick_reads import QuickReads
from api.system import System
from inventory.query import Query
from orders.product.layer import product_order_store
from tests.api.http.in_process import InProcess
from tests.bench.rig import Rig, running

pytestmark = pytest.mark.db

UNKNOWN: Final = ("nobody", "a b", "%", "a%2Fb", "é", "x" * 4_000, "'", "\x00", "..", "history", "*")
TAGS: Final = {
    "none": {},
    "the tag": {"If-None-Match": '"1"'},
    "weak": {"If-None-Match": 'W/"1"'},
    "among others": {"If-None-Match": '"7", "1" , "x"'},
    "any": {"If-None-Match": "*"},
    "another": {"If-None-Match": '"2"'},
    "no tag at all": {"If-None-Match": "1, W/"},
    "empty": {"If-None-Match": ""},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The two ways to the same system."""

    quick: InProcess
    long: InProcess
    system: System

    def both(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Return the answer, which must be the same on both ways."""
        found, due = (each.get(path, headers=dict(headers or {})) for each in (self.quick, self.long))
        assert (found.status_code, found.content, found.headers) == (due.status_code, due.content, due.headers), path
        return found


def _ways(rig: Rig) -> Ways:
    long = create_app(rig.system)
    long.user_middleware = [each for each in long.user_middleware if cast("object", each.cls) is not QuickReads]
    return Ways(quick=InProcess(app=create_app(rig.system)), long=InProcess(app=long), system=rig.system)


@pytest.fixture(scope="module")
def ways() -> Iterator[Ways]:
    with running(works=False) as rig:
        rig.place(2)
        yield _ways(rig)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Ways]:
    with running(works=False, auth=True) as rig:
        rig.place(1)
        yield _ways(rig)


def _order(system: System) -> str:
    with system.database.read() as connection:
        return product_order_store().every(connection)[0].id


def _is_quick(system: System, path: str, headers: Mapping[str, str] | None = None) -> bool:
    """Say whether the short way answers, with nothing behind it."""
    behind = FastAPI()
    behind.add_middleware(QuickReads, collections=served(system), database=system.database, auth=system.settings.auth)
    answer = InProcess(app=behind).get(path, headers=dict(headers or {}))
    return answer.json() != {"detail": "Not Found"} if answer.content else True


@pytest.mark.parametrize("headers", TAGS.values(), ids=TAGS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_an_order(ways: Ways, headers: dict[str, str], slash: str) -> None:
    path = f"{PRODUCT_ORDERS}/{_order(ways.system)}{slash}"
    assert _is_quick(ways.system, path, headers)
    answer = ways.both(path, headers)
    assert answer.headers["ETag"] == '"1"'
    assert (answer.status_code, not answer.content) in {(200, False), (304, True)}


def test_what_everybody_lists_is_read_alike(ways: Ways) -> None:
    """Every collection, whether it is kept in a store or does not change, with an id that is there."""
    read = 0
    for collection in served(ways.system):
        page = collection.page(Query(limit=1))
        for text in page.texts:
            document = httpx.Response(200, text=text).json()
            path = f"{collection.path}/{quote(document['id'], safe='')}"
            assert ways.both(path).json() == document
            assert _is_quick(ways.system, path) is (collection.store is not None)
            read += 1
    assert read > 3


@pytest.mark.parametrize("key", UNKNOWN)
@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_an_unknown_id(ways: Ways, key: str, slash: str) -> None:
    for collection in served(ways.system):
        answer = ways.both(f"{collection.path}/{quote(key, safe='%')}{slash}")
        assert answer.status_code in {200, 404} if key == ".." else answer.status_code == 404
        assert key == ".." or answer.json()["code"] == "notFound"


QUERIES: Final = {
    "fields=state": {"id", "href", "state"},
    "fields=none": {"id", "href"},
    "fields=": None,
    "fields=state&fields=id": None,
    "%20": None,
    "": None,
}


@pytest.mark.parametrize(("query", "names"), QUERIES.items(), ids=QUERIES)
def test_a_query_goes_the_long_way(ways: Ways, query: str, names: set[str] | None) -> None:
    path = f"{PRODUCT_ORDERS}/{_order(ways.system)}?{query}"
    answer = ways.both(path)
    assert answer.status_code == 200
    assert names is None or answer.json().keys() == names
    assert _is_quick(ways.system, path) is (query == "")


@pytest.mark.parametrize("path", ["", "/", "//"])
def test_the_collection_itself_is_not_one_of_its_resources(ways: Ways, path: str) -> None:
    assert not _is_quick(ways.system, PRODUCT_ORDERS + path)
    ways.both(PRODUCT_ORDERS + path)


@pytest.mark.parametrize("method", ["HEAD", "DELETE", "PATCH", "OPTIONS", "PUT"])
def test_other_methods_go_the_long_way(ways: Ways, method: str) -> None:
    path = f"{PRODUCT_ORDERS}/nobody"
    found, due = (each.request(method, path) for each in (ways.quick, ways.long))
    assert (found.status_code, found.content, found.headers) == (due.status_code, due.content, due.headers)


REFUSED: Final = {
    "nothing": {},
    "another scheme": {"Authorization": "Basic YTpi"},
    "no token": {"Authorization": "Bearer "},
    "an unknown token": {"Authorization": "Bearer lm_nobody"},
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("key", ["", "nobody"])
def test_nobody_reads_without_a_token(guarded: Ways, headers: dict[str, str], key: str) -> None:
    answer = guarded.both(f"{PRODUCT_ORDERS}/{key or _order(guarded.system)}", headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("role", ["operator", "reviewer", "layer", "admin"])
def test_every_role_reads(guarded: Ways, role: str) -> None:
    with guarded.system.database.begin() as uow:
        token = tokens.create(uow, name=f"a-{role}", role=role)
    given = {"Authorization": f"bearer {token}"}
    assert guarded.both(f"{PRODUCT_ORDERS}/{_order(guarded.system)}", given).status_code == 200
    assert guarded.both(f"{PRODUCT_ORDERS}/nobody", given).status_code == 404
    with guarded.system.database.begin() as uow:
        tokens.revoke(uow, f"a-{role}")
    assert guarded.both(f"{PRODUCT_ORDERS}/{_order(guarded.system)}", given).status_code == 401


def test_a_layer_alone_answers_for_its_own_collections() -> None:
    with running(works=False, layer="rom,activation") as rig:
        ways = _ways(rig)
        for collection in rig.system.collections:
            ways.both(f"{collection.path}/nobody")
        orders = ways.both(f"{PRODUCT_ORDERS}/nobody").json()
        resources = ways.both("/tmf-api/resourceInventoryManagement/v4/resource/nobody").json()
    # The one is no address of this process, the other one is, and nothing is there.
    assert "unknown" in resources["reason"]
    assert "unknown" not in orders["reason"]


def test_what_the_database_says_is_told_alike(ways: Ways) -> None:
    """A row that is changed while others read: the new text with its new tag."""
    store, key = product_order_store(), _order(ways.system)
    with ways.system.database.begin() as uow:
        row = store.get(uow, key)
        store.save(uow, row, row)
    answer = ways.both(f"{PRODUCT_ORDERS}/{key}", {"If-None-Match": '"1"'})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
