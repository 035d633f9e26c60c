from datetime import UTC, datetime, timedelta

import pytest

from activation.errors import DeviceQuarantined, DeviceUnreachable, EditRefused, HostKeyRefused, OutcomeUnknown
from activation.login_rate import BURST, LoginRate
from activation.patience import Patience
from activation.quarantine import LONGEST_PAUSE_S, PATIENCE, after_failure, after_success, is_failure, refusal
from inventory.model import DeviceState

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
GONE = DeviceUnreachable("olt1", "connect", "no route")


def failing(times: int) -> DeviceState:
    state = DeviceState(name="olt1")
    for _ in range(times):
        state = after_failure(state, GONE, NOW)
    return state


def test_few_failures_are_forgiven_and_counted() -> None:
    state = failing(PATIENCE - 1)
    assert refusal(state, NOW) is None
    assert (state.failures, state.last_error, state.last_error_at) == (PATIENCE - 1, str(GONE), NOW)


def test_device_that_keeps_failing_is_left_alone_and_the_words_say_all() -> None:
    refused = refusal(failing(PATIENCE), NOW)
    assert refused is not None
    assert str(refused) == (
        "olt1: connect: quarantined until 12:00:05 UTC after 3 failures in a row; last: olt1: connect: no route; "
        "'lastmile device release olt1' lets it back at once"
    )
    assert refused.pause_s == 5.0


def test_pauses_grow_to_a_limit() -> None:
    pauses = [
        (state.quarantined_until - NOW).total_seconds()
        for state in map(failing, range(PATIENCE, PATIENCE + 40))
        if state.quarantined_until is not None
    ]
    assert pauses[:4] == [5.0, 10.0, 20.0, 40.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S


def test_after_the_pause_it_is_asked_again_and_an_answer_ends_it() -> None:
    state = failing(PATIENCE)
    assert refusal(state, NOW + timedelta(seconds=5)) is None
    assert after_success(state).failures == 0
    assert after_success(state).last_error


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (GONE, True),
        (OutcomeUnknown("olt1", "commit", "lost"), True),
        (EditRefused("olt1", "stage", "no"), False),
        (HostKeyRefused("olt1", known="a", shown="b"), False),
        (DeviceQuarantined("olt1", "later", pause_s=1.0), False),
    ],
)
def test_only_silence_is_a_failure(error: DeviceUnreachable, counts: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_failure(error) is counts


def test_orders_wait_for_a_quarantined_device_for_a_while_then_fail() -> None:
    now_s = [0.0]
    patience = Patience(wait_s=60.0, clock=lambda: now_s[0])
    away = DeviceQuarantined("olt1", "later", pause_s=40.0)

    first = patience.retry(["m1"], [away])
    now_s[0] = 40.0
    second = patience.retry(["m1", "m2"], [away])
    now_s[0] = 60.0

    assert (first and first.delay_s, second and second.delay_s) == (40.0, 20.0)
    assert patience.retry(["m1"], [away]) is None
    assert patience.retry(["m3"], [away, GONE]) is None
    assert patience.retry(["m3"], []) is None


def test_logins_come_in_a_burst_and_then_at_their_rate() -> None:
    rate = LoginRate(per_minute=60)
    for _ in range(BURST):
        assert rate.wait_s(0.0) == 0.0
        rate.take(0.0)

    assert rate.wait_s(0.0) == pytest.approx(1.0)
    assert rate.wait_s(1.0) == pytest.approx(0.0)
    rate.take(1.0)
    rate.take(1.0)
    assert rate.wait_s(1.0) == pytest.approx(2.0)
