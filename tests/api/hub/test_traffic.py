"""How much of the deliverers' time one subscriber may take."""

from api.hub.traffic import AT_ONCE, LONGEST_REST_S, Traffic, Wait


def test_a_subscriber_gets_a_few_deliveries_at_a_time_and_others_are_untouched() -> None:
    traffic = Traffic()
    assert [traffic.enter("a", 0.0) for _ in range(AT_ONCE)] == [None] * AT_ONCE
    assert isinstance(traffic.enter("a", 0.0), Wait)
    assert traffic.enter("b", 0.0) is None
    traffic.leave("a", 1.0, took_s=0.1)
    assert traffic.enter("a", 1.0) is None


def test_those_turned_away_come_back_one_after_the_other() -> None:
    traffic = Traffic()
    for _ in range(AT_ONCE):
        traffic.enter("a", 0.0)
    traffic.leave("a", 0.0, took_s=0.8)
    traffic.enter("a", 0.0)
    waits = [traffic.enter("a", 0.0) for _ in range(3)]
    assert [round(wait.delay_s, 3) for wait in waits if wait] == [0.2, 0.4, 0.6]
    assert [wait.unreachable for wait in waits if wait] == ["", "", ""]


def test_the_longer_nothing_moves_the_longer_the_others_stay_away() -> None:
    traffic = Traffic()
    for _ in range(AT_ONCE):
        traffic.enter("a", 0.0)
    delays = []
    for now_s in (1.0, 5.0, 25.0):
        wait = traffic.enter("a", now_s)
        assert wait is not None
        delays.append(wait.delay_s)
    assert delays == [0.25, 1.25, 6.25]


def test_a_slow_subscriber_gets_one_at_a_time() -> None:
    traffic = Traffic()
    assert traffic.enter("a", 0.0) is None
    traffic.leave("a", 5.0, took_s=5.0)
    assert traffic.enter("a", 5.0) is None
    assert isinstance(traffic.enter("a", 5.0), Wait)


def test_an_unreachable_subscriber_is_left_alone_longer_and_longer_until_it_answers() -> None:
    traffic, now_s, rests = Traffic(), 0.0, []
    for _ in range(12):
        assert traffic.enter("a", now_s) is None
        traffic.leave("a", now_s, took_s=0.0, unreachable="refused")
        wait = traffic.enter("a", now_s)
        assert wait is not None
        assert wait.unreachable == "refused"
        rests.append(round(wait.delay_s, 1))
        now_s += wait.delay_s
    assert rests == sorted(rests)
    assert [round(rest_s) for rest_s in (rests[1], rests[2], rests[-1])] == [1, 2, LONGEST_REST_S]
    assert traffic.enter("a", now_s) is None
    traffic.leave("a", now_s, took_s=0.0)
    assert traffic.enter("a", now_s) is None


def test_a_subscriber_may_ask_for_a_longer_rest_but_not_for_ever() -> None:
    traffic = Traffic()
    for pause_s, expected_s in ((7.0, 7.0), (86_400.0, LONGEST_REST_S)):
        traffic.enter("a", 0.0)
        traffic.leave("a", 0.0, took_s=0.0, unreachable="HTTP 503", pause_s=pause_s)
        wait = traffic.enter("a", 0.0)
        assert wait is not None
        assert round(wait.delay_s) == expected_s
        traffic = Traffic()
