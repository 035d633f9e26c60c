"""Every list of every API takes filters, an order, a page and fields, and counts what it answers with."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import pytest

from api.hub import store as hubs
from api.hub.store import Letter, Subscription
from api.mail import store as mails
from api.runtime.history import event_page
from inventory.query import Query
from tests.api.http.everywhere import Front, Route, Sent, everything

pytestmark = pytest.mark.db

OTHERWISE: Final = frozenset(
    {
        "/health",
        "/lastmile/v1/catalog",
        "/lastmile/v1/drift",
        "/lastmile/v1/pool",
        "/lastmile/v1/servingDevice",
    }
)
"""What answers with no list, or with one that has parameters of its own."""
AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
PLACES: Final = {"{topic}": "product"}


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with everything() as running:
        with running.system.database.begin() as uow:
            for number in range(3):
                mails.add(uow, order_id=f"o{number}", order_state="completed", recipient=f"{number}@example.com")
            hub = Subscription(
                subscription_id="h1", base="/tmf-api/event/v4", callback="http://127.0.0.1:9/x", query=""
            )
            hubs.subscribe(uow, hub)
            events, _ = event_page(uow.connection, "product", Query(limit=3))
            for number, event in enumerate(events):
                hubs.keep_letter(uow, _letter(number, event["eventId"]))
        yield running


def _letter(number: int, event_id: str) -> Letter:
    return Letter(
        letter_id=f"l{number}",
        subscription_id="h1",
        event_id=event_id,
        resource_id=f"r{number}",
        failures=number,
        reason="refused",
        failed_at=AT,
        dead_at=AT,
    )


def _lists(front: Front) -> list[Route]:
    found = [each for each in front.routes if each.method == "get" and each.template not in OTHERWISE]
    plain = [each for each in found if "{" not in each.template]
    return [*plain, *(each for each in found if each.template.endswith("/topic/{topic}/event"))]


def _ask(front: Front, route: Route, *queries: str) -> list[httpx.Response]:
    return front.answers(route, [Sent(name=query, query=query) for query in queries])


def test_pages_are_counted(front: Front) -> None:
    some = 0
    for route in _lists(front):
        whole, first, behind = _ask(front, route, "", "limit=1", "offset=2147483648")
        found = whole.json()
        assert [whole.status_code, first.status_code, behind.status_code] == [200] * 3, route
        assert whole.headers["X-Result-Count"] == str(len(found)), route
        assert whole.headers["X-Total-Count"] == first.headers["X-Total-Count"] == behind.headers["X-Total-Count"], (
            route
        )
        assert (first.json(), behind.json()) == (found[:1], []), route
        some += bool(found)
    assert some > 10


def test_what_nobody_has_is_refused_with_what_is_legal(front: Front) -> None:
    for route in _lists(front):
        for answer in _ask(front, route, "colour=red", "sort=colour", "limit=0", "offset=x"):
            assert answer.status_code == 400, route
            assert "legal" in answer.json()["message"] or "must be" in answer.json()["message"], route


def test_each_attribute_filters_sorts_and_stands_alone(front: Front) -> None:
    for route in _lists(front):
        found: list[dict[str, Any]] = _ask(front, route, "limit=1000")[0].json()
        for name, value in (found[0] if found else {}).items():
            if not isinstance(value, str | int) or isinstance(value, bool) or not str(value):
                continue
            alike = [each for each in found if each.get(name) == value]
            given = httpx.QueryParams({name: value, "limit": 1000})
            equal, unlike, down, only = _ask(
                front, route, str(given), f"{name}.ne=nobody-has-this", f"sort=-{name}&limit=1000", f"fields={name}"
            )
            assert equal.json() == alike, (route, name)
            assert equal.headers["X-Total-Count"] == str(len(alike)), (route, name)
            assert unlike.headers["X-Total-Count"] == str(len(found)), (route, name)
            assert len(down.json()) == len(found), (route, name)
            assert all(each.keys() <= {"id", "href", name} for each in only.json()), (route, name)


def test_rows_are_sorted_and_searched_beyond_their_columns(front: Front) -> None:
    (letters,) = (each for each in _lists(front) if each.path == "/lastmile/v1/deadLetter")
    down, some = _ask(front, letters, "sort=-attempts&limit=2", "attempts.gte=1&resourceId.ne=r2")
    assert [each["id"] for each in down.json()] == ["l2", "l1"]
    assert (down.headers["X-Total-Count"], [each["id"] for each in some.json()]) == ("3", ["l1"])
