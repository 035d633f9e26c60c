"""The OLT's datastores without sockets: locks, candidate, commits."""

from collections.abc import Callable

import pytest

from labs.embedded.datastore import CommitOptions, Datastores, EditOptions
from labs.embedded.faults import Fault, FaultBoard
from labs.embedded.rpc_error import RpcError, RpcErrors
from labs.embedded.tree_xml import to_text
from tests.labs.embedded.olt_configs import SCHEMA, config, empty, profile, profiles, startup, vani

DANGLING = vani("<v:channel-partition>cpart9</v:channel-partition>")


class HandTimer:
    """A commit timer that the test fires."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        self.fire: Callable[[], object] = lambda: None

    def start(self, seconds: float, expired: Callable[[], object]) -> None:
        self.seconds, self.fire = seconds, expired

    def stop(self) -> None:
        self.seconds = None

    def runs_for(self) -> float | None:
        return self.seconds


@pytest.fixture
def timer() -> HandTimer:
    return HandTimer()


@pytest.fixture
def faults() -> FaultBoard:
    return FaultBoard()


@pytest.fixture
def stores(timer: HandTimer, faults: FaultBoard) -> Datastores:
    return Datastores(SCHEMA, startup(), faults, timer)


def running(stores: Datastores) -> str:
    return to_text(stores.running, SCHEMA)


ONE, TWO = 1, 2


def add_profile(stores: Datastores, session: int, name: str) -> None:
    stores.edit(session, config(profile(name)), EditOptions())


def test_lock_is_exclusive_and_names_its_holder(stores: Datastores) -> None:
    stores.lock(ONE, "candidate")
    with pytest.raises(RpcError, match="session 1") as denied:
        stores.lock(TWO, "candidate")
    assert (denied.value.tag, denied.value.info) == ("lock-denied", (("session-id", "1"),))
    stores.lock(TWO, "running")
    attempts: tuple[Callable[[], None], ...] = (
        lambda: add_profile(stores, TWO, "p"),
        lambda: stores.discard(TWO),
        lambda: stores.commit(TWO, CommitOptions()),
        lambda: stores.replace(TWO, "candidate", empty()),
    )
    for blocked in attempts:
        with pytest.raises(RpcError) as refused:
            blocked()
        assert refused.value.tag == "in-use"
    with pytest.raises(RpcError, match="does not hold the lock"):
        stores.unlock(TWO, "candidate")
    stores.end_session(ONE)
    stores.lock(TWO, "candidate")


def test_dirty_candidate_cannot_be_locked(stores: Datastores) -> None:
    add_profile(stores, ONE, "p")
    with pytest.raises(RpcError) as denied:
        stores.lock(TWO, "candidate")
    assert denied.value.tag == "lock-denied"
    stores.discard(TWO)
    stores.lock(TWO, "candidate")


def test_candidate_goes_with_the_session_that_changed_it(stores: Datastores) -> None:
    before = running(stores)
    add_profile(stores, ONE, "p")
    stores.end_session(TWO)
    assert to_text(stores.candidate, SCHEMA) != before
    stores.end_session(ONE)
    assert to_text(stores.candidate, SCHEMA) == before


def test_unlock_discards(stores: Datastores) -> None:
    before = running(stores)
    stores.lock(ONE, "candidate")
    add_profile(stores, ONE, "p")
    stores.unlock(ONE, "candidate")
    assert to_text(stores.candidate, SCHEMA) == before


def test_invalid_candidate_is_not_committed(stores: Datastores) -> None:
    before = running(stores)
    stores.edit(ONE, config(DANGLING), EditOptions())
    with pytest.raises(RpcErrors, match="cpart9"):
        stores.commit(ONE, CommitOptions())
    assert running(stores) == before


def test_options_test_then_set_and_test_only(stores: Datastores) -> None:
    before = running(stores)
    with pytest.raises(RpcErrors, match="cpart9"):
        stores.edit(ONE, config(DANGLING), EditOptions(test_option="test-then-set"))
    stores.edit(ONE, config(profile("p")), EditOptions(test_option="test-only"))
    assert to_text(stores.candidate, SCHEMA) == before


def test_confirmed_commit_and_confirmation(stores: Datastores, timer: HandTimer) -> None:
    add_profile(stores, ONE, "p")
    stores.commit(ONE, CommitOptions(confirmed=True, timeout_s=30))
    assert timer.runs_for() == 30
    stores.commit(ONE, CommitOptions())
    assert timer.runs_for() is None
    stores.end_session(ONE)
    assert "p" in profiles(stores.running)


@pytest.mark.parametrize("ending", ["timer", "session", "cancel"])
def test_unconfirmed_commit_is_taken_back(stores: Datastores, timer: HandTimer, ending: str) -> None:
    before = running(stores)
    add_profile(stores, ONE, "p")
    stores.commit(ONE, CommitOptions(confirmed=True))
    add_profile(stores, ONE, "q")
    stores.commit(ONE, CommitOptions(confirmed=True))
    assert set(profiles(stores.running)) == {"p", "q"}
    endings: dict[str, Callable[[], object]] = {
        "timer": timer.fire,
        "session": lambda: stores.end_session(ONE),
        "cancel": lambda: stores.cancel_commit(ONE, None),
    }
    endings[ending]()
    assert running(stores) == before
    assert timer.runs_for() is None


def test_persistent_commit_survives_its_session_and_knows_its_id(stores: Datastores) -> None:
    add_profile(stores, ONE, "p")
    stores.commit(ONE, CommitOptions(confirmed=True, persist="order-1"))
    stores.end_session(ONE)
    assert "p" in profiles(stores.running)
    for persist_id, tag in ((None, "in-use"), ("order-2", "invalid-value")):
        with pytest.raises(RpcError) as refused:
            stores.commit(TWO, CommitOptions(persist_id=persist_id))
        assert refused.value.tag == tag
    with pytest.raises(RpcError) as denied:
        stores.lock(TWO, "running")
    assert denied.value.tag == "lock-denied"
    stores.commit(TWO, CommitOptions(persist_id="order-1"))
    stores.lock(TWO, "running")


def test_cancel_by_persist_id(stores: Datastores) -> None:
    before = running(stores)
    add_profile(stores, ONE, "p")
    stores.commit(ONE, CommitOptions(confirmed=True, persist="order-1"))
    stores.cancel_commit(TWO, "order-1")
    assert running(stores) == before
    with pytest.raises(RpcError, match="no confirmed commit to cancel"):
        stores.cancel_commit(TWO, "order-1")


def test_other_sessions_cannot_confirm_or_cancel(stores: Datastores) -> None:
    add_profile(stores, ONE, "p")
    stores.commit(ONE, CommitOptions(confirmed=True))
    with pytest.raises(RpcError, match="session 1 waits"):
        stores.commit(TWO, CommitOptions())
    with pytest.raises(RpcError, match="session 1 waits"):
        stores.cancel_commit(TWO, None)


def test_persist_id_without_pending_commit(stores: Datastores) -> None:
    with pytest.raises(RpcError) as refused:
        stores.commit(ONE, CommitOptions(persist_id="order-1"))
    assert refused.value.tag == "invalid-value"


def test_fault_commit_changes_nothing(stores: Datastores, faults: FaultBoard) -> None:
    before = running(stores)
    faults.set(Fault("commit_changes_nothing"))
    add_profile(stores, ONE, "p")
    stores.commit(ONE, CommitOptions())
    assert running(stores) == before
    assert to_text(stores.candidate, SCHEMA) == before


def test_fault_rollback_fails(stores: Datastores, faults: FaultBoard) -> None:
    faults.set(Fault("rollback_fails", -1))
    add_profile(stores, ONE, "p")
    stores.commit(ONE, CommitOptions(confirmed=True))
    stores.end_session(ONE)
    add_profile(stores, TWO, "q")
    stores.commit(TWO, CommitOptions(confirmed=True))
    with pytest.raises(RpcError, match="rollback failed"):
        stores.cancel_commit(TWO, None)
    assert set(profiles(stores.running)) == {"p", "q"}
