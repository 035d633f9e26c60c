from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.runtime.database import Database
from inventory.device_states import DeviceStates, released, trusted
from inventory.model import DeviceState

pytestmark = pytest.mark.db
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_one_process_sees_within_a_second_what_another_changed(database: Database) -> None:
    now_s = [0.0]
    worker, api = DeviceStates(transactions=database), DeviceStates(transactions=database, clock=lambda: now_s[0])
    assert api.state("olt1") == DeviceState(name="olt1")

    worker.change("olt1", lambda state: replace(state, failures=3, quarantined_until=AT, last_error="gone"))
    assert api.state("olt1").failures == 0
    now_s[0] = 1.1
    assert api.state("olt1") == DeviceState(name="olt1", failures=3, quarantined_until=AT, last_error="gone")

    api.change("olt1", released)
    assert (api.state("olt1").failures, api.states()["olt1"].quarantined_until) == (0, None)


def test_trusted_key_is_the_known_one() -> None:
    state = DeviceState(name="olt1", host_key="a", offered_key="b")
    assert (trusted(state).host_key, trusted(state).offered_key) == ("b", "")
