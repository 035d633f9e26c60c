"""Deliveries on real sockets with a clock of their own: order, patience, dead letters, replay, leaving."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from api.errors import AlreadySubscribed, BadRequest, CallbackRefused
from api.hub.delivery import Patience, listener_url
from api.hub.tables import letters
from api.runtime.ledger import LedgerUnit
from inventory.errors import UnknownResource
from inventory.query import Query
from tests.api.hub.rig import PATIENCE, SERVICE_ORDERING, Rig, order_event, rig
from tests.api.hub.subscriber import Received, Subscriber, subscribed_system

EVENTS = "/tmf-api/event/v4"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path) as running:
        yield running


@pytest.fixture
def shop() -> Iterator[Subscriber]:
    with subscribed_system() as running:
        yield running


def _numbers(received: list[Received]) -> list[int]:
    return [each.body["event"]["serviceOrder"]["number"] for each in received]


def _letters(run: Rig) -> list[tuple[int, str, bool]]:
    with run.database.read() as connection:
        found = connection.execute(select(letters.c.failures, letters.c.reason, letters.c.dead_at))
        return [(row.failures, row.reason, row.dead_at is not None) for row in found]


def test_the_whole_event_goes_to_the_listener_of_its_type(run: Rig, shop: Subscriber) -> None:
    run.subscribe(f"{shop.url}/crm/")
    run.publish(order_event(7, name="Lindenstraße"))
    run.run_to_the_end()
    (received,) = shop.accepted
    assert received.path == "/crm/listener/serviceOrderStateChangeEvent"
    assert received.body["eventType"] == "ServiceOrderStateChangeEvent"
    assert received.body["correlationId"] == "po-1"
    assert received.body["event"] == {
        "serviceOrder": {"id": "so-1", "state": "inProgress", "number": 7, "name": "Lindenstraße"}
    }
    assert {"eventId", "eventTime", "timeOcurred", "domain", "title"} <= set(received.body)
    assert run.waiting() == 0


def test_a_hundred_events_of_one_resource_stay_in_order_though_every_third_try_fails(
    run: Rig, shop: Subscriber
) -> None:
    shop.answer = lambda _: 500 if len(shop.tried) % 3 == 0 else 201
    run.subscribe(shop.url)
    run.publish(*(order_event(number) for number in range(100)))
    run.run_to_the_end()
    assert _numbers(shop.accepted) == list(range(100))
    assert len(set(shop.event_ids())) == 100
    assert len(shop.tried) > 100
    assert _letters(run) == []


def test_one_resource_does_not_wait_for_another(run: Rig, shop: Subscriber) -> None:
    shop.answer = lambda received: 500 if received.body["event"]["serviceOrder"]["id"] == "bad" else 201
    run.subscribe(shop.url)
    run.publish(order_event(0, order="bad"), order_event(1), order_event(2, order="bad"), order_event(3))
    while run.run_due():
        pass
    assert _numbers(shop.accepted) == [1, 3]


def test_the_same_event_id_comes_with_every_attempt(run: Rig, shop: Subscriber) -> None:
    shop.answer = lambda _: 500 if len(shop.tried) < 3 else 201
    run.subscribe(shop.url)
    run.publish(order_event())
    run.run_to_the_end()
    assert len({each.body["eventId"] for each in shop.tried}) == 1
    assert len(shop.tried) == 3
    assert _letters(run) == []


def test_pauses_grow_up_to_a_limit_and_then_the_event_is_given_up_with_its_reason(run: Rig, shop: Subscriber) -> None:
    shop.answer, shop.text = (lambda _: 422), b"no such customer"
    run.subscribe(shop.url)
    run.publish(order_event())
    run.run_to_the_end()
    pauses = [round(b - a) for a, b in zip(run.attempts_at_s, run.attempts_at_s[1:], strict=False)]
    assert pauses == [1, 2, 4, 8]
    (dead,), total = run.hub.dead_letters(Query(limit=10))
    assert total == 1
    assert dead.letter.failures == PATIENCE.attempts
    assert dead.letter.reason == "HTTP 422: no such customer"
    assert (dead.event_type, dead.callback) == ("ServiceOrderStateChangeEvent", shop.url)
    assert run.waiting() == 0


def test_pauses_spread_and_are_bounded() -> None:
    patience = Patience(first_pause_s=1.0, longest_pause_s=30.0)
    assert [patience.pause_s(failures, 1.0) for failures in (1, 2, 5, 6, 1000)] == [1.0, 2.0, 16.0, 30.0, 30.0]
    assert patience.pause_s(3, 0.0) == 2.0


def test_what_waited_behind_a_dead_letter_is_tried_once(run: Rig, shop: Subscriber) -> None:
    shop.answer = lambda _: 500
    run.subscribe(shop.url)
    run.publish(order_event(0), order_event(1), order_event(2))
    run.run_to_the_end()
    assert _numbers(shop.tried) == [0] * PATIENCE.attempts + [1, 2]
    assert run.hub.dead_letters(Query(limit=10))[1] == 3


def test_what_comes_after_a_dead_letter_is_delivered_with_the_full_patience(run: Rig, shop: Subscriber) -> None:
    shop.answer = lambda _: 500
    run.subscribe(shop.url)
    run.publish(order_event(0))
    run.run_to_the_end()
    run.clock.now_s += 60.0
    run.publish(order_event(1))
    run.run_due()
    shop.answer = lambda _: 201
    run.run_to_the_end()
    assert _numbers(shop.accepted) == [1]


def test_a_replayed_letter_is_delivered_and_forgotten(run: Rig, shop: Subscriber) -> None:
    shop.answer = lambda _: 500
    run.subscribe(shop.url)
    run.publish(order_event(5))
    run.run_to_the_end()
    (dead,), _ = run.hub.dead_letters(Query(limit=10))
    shop.answer = lambda _: 201
    run.hub.replay(dead.letter.letter_id)
    assert run.hub.dead_letters(Query(limit=10)) == ([], 0)
    run.run_to_the_end()
    assert shop.event_ids() == [dead.letter.event_id]
    assert _letters(run) == []
    with pytest.raises(UnknownResource, match="deadLetter"):
        run.hub.replay(dead.letter.letter_id)


def test_a_replayed_letter_that_fails_again_gets_its_full_patience(run: Rig, shop: Subscriber) -> None:
    shop.answer = lambda _: 500
    run.subscribe(shop.url)
    run.publish(order_event(5))
    run.run_to_the_end()
    (dead,), _ = run.hub.dead_letters(Query(limit=10))
    shop.tried.clear()
    run.hub.replay(dead.letter.letter_id)
    run.run_to_the_end()
    assert len(shop.tried) == PATIENCE.attempts
    assert run.hub.dead_letters(Query(limit=10))[1] == 1


def test_nobody_who_left_gets_anything_more(run: Rig, shop: Subscriber) -> None:
    left, stays = run.subscribe(f"{shop.url}/left"), run.subscribe(f"{shop.url}/stays")
    run.publish(order_event(0), order_event(1))
    run.hub.unsubscribe(SERVICE_ORDERING, left)
    run.publish(order_event(2))
    run.run_to_the_end()
    assert {each.path.split("/")[1] for each in shop.tried} == {"stays"}
    assert _numbers(shop.accepted) == [0, 1, 2]
    assert [each.subscription_id for each in run.hub.subscriptions(SERVICE_ORDERING)] == [stays]


def test_leaving_between_two_attempts_ends_them_and_forgets_the_letters(run: Rig, shop: Subscriber) -> None:
    shop.answer = lambda _: 500
    key = run.subscribe(shop.url)
    run.publish(order_event())
    run.run_due()
    assert len(_letters(run)) == 1
    run.hub.unsubscribe(SERVICE_ORDERING, key)
    run.run_to_the_end()
    assert (len(shop.tried), _letters(run), run.waiting()) == (1, [], 0)
    with pytest.raises(UnknownResource):
        run.hub.unsubscribe(SERVICE_ORDERING, key)


def test_only_what_was_asked_for_is_delivered(run: Rig, shop: Subscriber) -> None:
    run.subscribe(f"{shop.url}/done", "eventType=ServiceOrderStateChangeEvent&state=completed,failed")
    run.subscribe(f"{shop.url}/made", "eventType=ServiceOrderCreateEvent")
    run.subscribe(f"{shop.url}/all", base=EVENTS)
    run.subscribe(f"{shop.url}/topic", base=f"{EVENTS}/topic/service")
    run.subscribe(f"{shop.url}/other", base="/tmf-api/productOrderingManagement/v4")
    run.subscribe(f"{shop.url}/otherTopic", base=f"{EVENTS}/topic/product")
    run.publish(order_event(0, change="Create"), order_event(1), order_event(2, state="completed"))
    run.run_to_the_end()
    by_path: dict[str, list[int]] = {}
    for each in shop.accepted:
        by_path.setdefault(each.path.split("/")[1], []).append(each.body["event"]["serviceOrder"]["number"])
    assert by_path == {"done": [2], "made": [0], "all": [0, 1, 2], "topic": [0, 1, 2]}


def test_without_subscribers_no_job_is_written(run: Rig) -> None:
    run.publish(order_event())
    assert run.waiting() == 0


def test_a_failed_step_takes_its_deliveries_with_it(run: Rig, shop: Subscriber) -> None:
    run.subscribe(shop.url)

    def publish_then_fail(uow: LedgerUnit) -> None:
        with uow.step():
            uow.publish(order_event(0))
            raise ZeroDivisionError

    with run.database.begin() as uow:
        with pytest.raises(ZeroDivisionError):
            publish_then_fail(uow)
        with uow.step():
            uow.publish(order_event(1))
    run.run_to_the_end()
    assert _numbers(shop.accepted) == [1]


def test_a_restart_in_between_loses_nothing_and_may_repeat_what_was_under_way(tmp_path: Path, shop: Subscriber) -> None:
    with rig(tmp_path) as first:
        first.subscribe(shop.url)
        first.publish(*(order_event(number) for number in range(6)))
        first.run_due()
        (claim,) = first.lease()
        assert first.delivery(claim.job, first.database) is None
        clock = first.clock
    clock.now_s += 3600.0
    with rig(tmp_path, clock=clock) as second:
        with second.database.begin() as uow:
            second.database.queue.reap(uow.connection, silent_for_s=10.0, max_failures=8)
        second.publish(order_event(6))
        second.run_to_the_end()
    assert _numbers(shop.accepted) == [0, 1, 1, 2, 3, 4, 5, 6]
    assert len(set(shop.event_ids())) == 7


def test_an_unreachable_subscriber_is_tried_for_one_resource_and_given_up_for_all(run: Rig) -> None:
    with subscribed_system() as gone:
        run.subscribe(gone.url)
    run.publish(*(order_event(number, order=f"so-{number}") for number in range(50)))
    run.run_due()
    ((failures, reason, dead),) = _letters(run)
    assert (failures, reason.startswith("ConnectError"), dead) == (1, True, False)
    begun_s = run.clock()
    run.run_to_the_end()
    dead_letters, total = run.hub.dead_letters(Query(limit=100))
    assert total == 50
    reasons = {each.letter.reason.partition(":")[0] for each in dead_letters}
    assert reasons == {"ConnectError", "not tried"}
    assert run.clock() - begun_s < 3 * PATIENCE.lasts_s
    assert len(run.attempts_at_s) < 50 * 10


def test_a_subscriber_that_comes_back_gets_everything_in_order(run: Rig) -> None:
    with subscribed_system() as gone:
        port = int(gone.url.rsplit(":", 1)[1])
        run.subscribe(gone.url)
    run.publish(*(order_event(number) for number in range(5)))
    run.run_due()
    with subscribed_system(port) as back:
        run.run_to_the_end()
        assert _numbers(back.accepted) == [0, 1, 2, 3, 4]


def test_the_same_subscription_stands_once(run: Rig, shop: Subscriber) -> None:
    key = run.subscribe(shop.url, "state=completed")
    run.subscribe(shop.url, "state=failed")
    with pytest.raises(AlreadySubscribed, match=key):
        run.subscribe(shop.url, "state=completed")


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        ({}, BadRequest, "callback"),
        ({"callback": 17}, BadRequest, "callback"),
        ({"callback": "http://127.0.0.1:1", "query": ["x"]}, BadRequest, "query"),
        ({"callback": "http://127.0.0.1:1", "query": "colour=red"}, BadRequest, "externalId"),
        ({"callback": "http://10.0.0.1"}, CallbackRefused, "LASTMILE_HUB_ALLOW"),
    ],
)
def test_a_bad_subscription_is_refused_and_not_stored(
    run: Rig, body: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        run.hub.subscribe(SERVICE_ORDERING, body)
    assert run.hub.subscriptions(SERVICE_ORDERING) == []


def test_the_listener_url() -> None:
    for callback in ("http://a/b", "http://a/b/"):
        assert listener_url(callback, "ProductOrderCreateEvent") == "http://a/b/listener/productOrderCreateEvent"
