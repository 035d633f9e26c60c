from pathlib import Path

import pytest

from activation.journal import Journal
from activation.model import DeviceEdit, Plan, PlanId, ServiceId, TransactionId
from activation.states import Step
from activation.store import MONITORS, begin_transaction, journal_of, plan_edits, store_plan, unfinished
from api.runtime.database import Database
from inventory.errors import StaleState, UnknownResource
from inventory.lifecycle import IllegalTransition
from tests.activation.rig import database

EDIT = DeviceEdit(
    device="a",
    platform="fake",
    dialect="cli",
    edit="port 1\n",
    inverse="no port 1\n",
    diff="+port 1",
    touched=(("port 1",), ("route 1", "x")),
    before="",
    after="port 1\n",
    base_fingerprint="f",
    shared_with=(ServiceId("other"),),
)
PLAN = Plan(plan_id=PlanId("p1"), edits=(EDIT,), fragments=(), plan_hash="h1")
TX = TransactionId("t1")


@pytest.fixture
def base(tmp_path: Path) -> Database:
    return database(tmp_path)


@pytest.fixture
def journal(base: Database) -> Journal:
    with base.begin() as uow:
        store_plan(uow, PLAN, "m1")
        begin_transaction(uow, TX, PLAN, ["m1"])
    return Journal(base, TX)


def test_steps_are_on_disk_in_order_with_their_details(journal: Journal, base: Database) -> None:
    journal.enter(Step.COMMITTING, {"devices": ["a"]})
    journal.enter(Step.ROLLING_BACK)

    with base.read() as connection:
        steps = journal_of(connection, "m1")
    assert steps == (("staging", {"planHash": "h1"}), ("committing", {"devices": ["a"]}), ("rollingBack", {}))


def test_stored_plan_comes_back_as_it_was(journal: Journal, base: Database) -> None:
    with base.read() as connection:
        [transaction] = unfinished(connection)
    assert transaction.edits == (EDIT,)
    assert (transaction.transaction_id, transaction.step) == (journal.transaction_id, Step.STAGING)


def test_illegal_step_is_refused_and_not_written(journal: Journal, base: Database) -> None:
    with pytest.raises(IllegalTransition, match="legal from here: committing, rollingBack"):
        journal.enter(Step.DONE)

    assert journal.step is Step.STAGING
    with base.read() as connection:
        assert len(journal_of(connection, "m1")) == 1


def test_second_process_on_the_same_transaction_is_stale(journal: Journal, base: Database) -> None:
    other = Journal(base, TX)
    journal.enter(Step.COMMITTING)

    with pytest.raises(StaleState):
        other.enter(Step.ROLLING_BACK)


@pytest.mark.parametrize("end", [Step.ROLLED_BACK, Step.ROLLBACK_FAILED])
def test_ended_transaction_is_not_unfinished(end: Step, journal: Journal, base: Database) -> None:
    journal.enter(Step.ROLLING_BACK)
    journal.enter(end)

    with base.read() as connection:
        assert unfinished(connection) == unfinished(connection, ["m1"]) == ()


def test_unknown_plan_and_monitor_are_named(base: Database) -> None:
    with base.read() as connection:
        with pytest.raises(UnknownResource, match="unknown plan 'nope'"):
            plan_edits(connection, PlanId("nope"))
        with pytest.raises(UnknownResource, match="unknown monitor 'nope'"):
            MONITORS.get(connection, "nope")
