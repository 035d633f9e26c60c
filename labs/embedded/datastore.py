"""The datastores of an emulated NETCONF device: running, candidate, locks, confirmed commit.

Sessions are named by their number. All methods are called from one thread; ``running`` may be read from any.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

from lxml import etree

from labs.embedded.contracts import unwatched
from labs.embedded.datatree import Branch, Entries, without_last_change
from labs.embedded.edit import PartlyRefused, apply_edit
from labs.embedded.faults import FaultBoard
from labs.embedded.rpc_error import RpcErrors, protocol_error
from labs.embedded.schema import Schema
from labs.embedded.validation import Validator

Store = Literal["running", "candidate", "startup"]
DEFAULT_CONFIRM_TIMEOUT_S: Final = 600


class CommitTimer(Protocol):
    """Fires once unless stopped or started anew."""

    def start(self, seconds: float, expired: Callable[[], object]) -> None:
        """Call ``expired`` after ``seconds``; forget an earlier start."""
        ...

    def stop(self) -> None:
        """Forget the start."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EditOptions:
    """The options of one edit-config."""

    default_operation: str = "merge"
    test_option: str = "set"
    error_option: str = "stop-on-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitOptions:
    """The options of one commit."""

    confirmed: bool = False
    timeout_s: int = DEFAULT_CONFIRM_TIMEOUT_S
    persist: str | None = None
    persist_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Who holds a datastore, since when."""

    session: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unconfirmed:
    before: Branch
    session: int
    persist: str | None


Noted = Callable[[int | None, Branch, Branch], None]


def unnoted(session: int | None, before: Branch, after: Branch) -> None:
    """Write nothing down: a device without a log."""
    del session, before, after


class Datastores:
    """Running, candidate and startup of one device.

    Attributes:
        changed: called whenever ``running`` is another.
        noted: called with who made running another (None: the device itself), how it was and how it is.
        startup: what the device would start with; follows each commit, unless it is ``separate``.
    """

    def __init__(
        self,
        schema: Schema,
        running: Branch,
        faults: FaultBoard,
        timer: CommitTimer,
        saved: Callable[[Branch, Branch], None] | None = None,
        *,
        separate_startup: bool = False,
    ) -> None:
        self.changed: Callable[[], None] = unwatched
        self.noted: Noted = unnoted
        self._running = self.startup = running
        self._separate = separate_startup
        self._saved = saved
        self._schema = schema
        self._validator = Validator(schema)
        self._faults = faults
        self._timer = timer
        self._candidate: Branch | None = None
        self._modified_by: int | None = None
        self._locks: dict[Store, Lock] = {}
        self._unconfirmed: _Unconfirmed | None = None
        self._reads_left: int | None = None

    @property
    def running(self) -> Branch:
        """The running configuration; a snapshot that never changes, replaced by each commit."""
        return self._running

    @running.setter
    def running(self, tree: Branch) -> None:
        self._running = tree
        self.changed()

    def _put(self, session: int | None, tree: Branch) -> None:
        before, self.running = self._running, tree
        self.noted(session, before, tree)

    @property
    def candidate(self) -> Branch:
        """The candidate; running itself as long as nobody has edited."""
        return self.running if self._candidate is None else self._candidate

    def tree(self, store: Store) -> Branch:
        """Return the tree of a datastore."""
        return {"running": self.running, "candidate": self.candidate, "startup": self.startup}[store]

    # Locks

    def locks(self) -> Mapping[Store, Lock]:
        """Return the locks that are held."""
        return self._locks

    def lock(self, session: int, store: Store) -> None:
        """Give the session the only right to change ``store``.

        Raises:
            RpcError: ``lock-denied``, with the holder's session number.
        """
        holder = self.locked_by(store)
        if holder is None and store == "candidate" and self._candidate is not None:
            holder = self._modified_by
        if holder is None and store == "running" and self._unconfirmed is not None:
            holder = self._unconfirmed.session if self._unconfirmed.session != session else None
        if holder is not None:
            message = f"lock of {store} denied: held or changed by session {holder}"
            raise protocol_error("lock-denied", message, info=(("session-id", str(holder)),))
        self._locks[store] = Lock(session=session, since=datetime.now(UTC))

    def unlock(self, session: int, store: Store) -> None:
        """Give the lock back; changes of the candidate that were not committed are discarded.

        Raises:
            RpcError: the session does not hold it.
        """
        if self.locked_by(store) != session:
            raise protocol_error("operation-failed", f"session {session} does not hold the lock of {store}")
        del self._locks[store]
        if store == "candidate":
            self._discard()

    # Candidate

    def edit(self, session: int, config: etree._Element, options: EditOptions) -> None:
        """Change the candidate.

        An edit that is refused leaves it as it was; only ``continue-on-error`` keeps the parts that were not refused.
        References are checked by validate and commit, or here when ``test_option`` asks for it.

        Raises:
            RpcError: the edit is refused, or somebody else holds the lock.
            RpcErrors: there are several refusals.
        """
        self._check_lock(session, "candidate")
        keep_going = options.error_option == "continue-on-error"
        refused: PartlyRefused | None = None
        try:
            tree = apply_edit(
                self.candidate,
                config,
                self._schema,
                default_operation=options.default_operation,
                keep_going=keep_going,
            )
        except PartlyRefused as partly:
            tree, refused = partly.tree, partly
        if options.test_option != "set":
            self.validate(tree)
        if options.test_option != "test-only":
            self._set_candidate(session, tree)
        if refused is not None:
            raise refused

    def edit_running(self, session: int, config: etree._Element, options: EditOptions) -> None:
        """Change running at once: all of the edit, or nothing of it.

        Raises:
            RpcError: the edit is refused, or somebody else holds the lock.
            RpcErrors: the configuration would not be valid.
        """
        self._check_lock(session, "running")
        tree = apply_edit(self.running, config, self._schema, default_operation=options.default_operation)
        self.validate(tree)
        if options.test_option != "test-only":
            self._replace_running(session, tree)

    def _replace_running(self, session: int, tree: Branch) -> None:
        self._set_candidate(session, tree)
        self._put(session, self._put_live())
        self._discard()
        self._keep()

    def _keep(self) -> None:
        if not self._separate:
            self._save(self.running)

    def _save(self, tree: Branch) -> None:
        before, self.startup = self.startup, tree
        if self._saved is not None:
            self._saved(before, tree)

    def replace(self, session: int, store: Store, tree: Branch) -> None:
        """Put a whole configuration into a datastore; into running only a valid one.

        Raises:
            RpcError: somebody else holds the lock.
            RpcErrors: it is not valid.
        """
        self._check_lock(session, store)
        if store == "candidate":
            self._set_candidate(session, tree)
        elif store == "startup":
            self._save(tree)
        else:
            self.validate(tree)
            self._replace_running(session, tree)

    def discard(self, session: int) -> None:
        """Make the candidate equal to running again.

        Raises:
            RpcError: somebody else holds the lock.
        """
        self._check_lock(session, "candidate")
        self._discard()

    def validate(self, tree: Branch) -> None:
        """Check a configuration as a whole.

        Raises:
            RpcErrors: everything that is wrong with it.
        """
        errors = self._validator.violations(tree)
        if errors:
            raise RpcErrors(errors)

    # Commit

    def commit(self, session: int, options: CommitOptions) -> None:
        """Make the candidate the running configuration; with ``confirmed`` for a limited time only.

        Raises:
            RpcError: somebody else holds a lock or waits for his own confirmation, or ``persist_id`` is not his.
            RpcErrors: the candidate is not valid.
        """
        self._check_lock(session, "running")
        self._check_lock(session, "candidate")
        self._check_confirming(session, options)
        self.validate(self.candidate)
        before = self._unconfirmed.before if self._unconfirmed is not None else self.running
        self._put(session, self._put_live())
        self._discard()
        if not options.confirmed:
            self._settle()
            self._keep()
            return
        self._unconfirmed = _Unconfirmed(before=before, session=session, persist=options.persist)
        self._reads_left = int(early) if (early := self._early()) is not None else None
        if self._faults.amount("timer_never") is None:
            self._timer.start(options.timeout_s, self._roll_back)

    def cancel_commit(self, session: int, persist_id: str | None) -> None:
        """Take an unconfirmed commit back.

        Raises:
            RpcError: there is none, or it is somebody else's.
        """
        if self._unconfirmed is None:
            raise protocol_error("operation-failed", "there is no confirmed commit to cancel")
        self._check_confirming(session, CommitOptions(persist_id=persist_id))
        if not self._roll_back(session):
            raise protocol_error("operation-failed", "rollback failed: configuration database error")

    def about_to_read(self) -> None:
        """Let a commit timer that fires too early fire, if it is its time."""
        if self._unconfirmed is None or self._reads_left is None:
            return
        if self._reads_left == 0:
            self._roll_back()
        else:
            self._reads_left -= 1

    def about_to_confirm(self) -> None:
        """The same before a confirmation."""
        if self._reads_left == 0:
            self._roll_back()

    def dirty(self, session: int) -> None:
        """Leave an uncommitted change in the candidate, as somebody does who is called away."""
        if self._candidate is None and "candidate" not in self._locks:
            self._set_candidate(session, without_last_change(Branch(self._schema.root), self.running))

    def locked_by(self, store: Store) -> int | None:
        """Return the session that holds the lock."""
        lock = self._locks.get(store)
        return lock.session if lock is not None else None

    def leftovers(self) -> tuple[str, ...]:
        """Return what clients hold or have left behind, in words."""
        locks = [f"session {lock.session} holds the lock of {store}" for store, lock in self._locks.items()]
        dirty = [f"uncommitted change of session {self._modified_by}"] if self.candidate is not self.running else []
        pending = [f"unconfirmed commit of session {self._unconfirmed.session}"] if self._unconfirmed else []
        return (*locks, *dirty, *pending)

    def size(self) -> int:
        """Return how many list entries are configured, those inside others not counted."""
        return sum(map(_size, self.running.children.values()))

    def end_session(self, session: int) -> None:
        """Release what a session held: locks, its uncommitted changes, its unconfirmed commit unless it persists."""
        self._locks = {store: lock for store, lock in self._locks.items() if lock.session != session}
        if self._modified_by == session:
            self._discard()
        pending = self._unconfirmed
        if pending is not None and pending.session == session and pending.persist is None:
            self._roll_back()

    def _put_live(self) -> Branch:
        if self._faults.strikes("commit_changes_nothing"):
            return self.running
        if self._faults.strikes("commit_in_part"):
            return without_last_change(self.running, self.candidate)
        return self.candidate

    def _early(self) -> float | None:
        amount = self._faults.amount("timer_early")
        return amount if self._faults.strikes("timer_early") else None

    def _roll_back(self, session: int | None = None) -> bool:
        pending = self._unconfirmed
        self._settle()
        if pending is None or self._faults.strikes("rollback_fails"):
            return False
        self._put(session, pending.before)
        return True

    def _settle(self) -> None:
        self._unconfirmed, self._reads_left = None, None
        self._timer.stop()

    def _check_lock(self, session: int, store: Store) -> None:
        holder = self.locked_by(store)
        if holder not in {None, session}:
            message = f"{store} is locked by session {holder}"
            raise protocol_error("in-use", message, info=(("session-id", str(holder)),))

    def _check_confirming(self, session: int, options: CommitOptions) -> None:
        pending = self._unconfirmed
        if pending is None:
            if options.persist_id is not None:
                raise protocol_error("invalid-value", f"no confirmed commit has the persist-id {options.persist_id!r}")
            return
        if options.persist_id is not None and options.persist_id != pending.persist:
            raise protocol_error("invalid-value", f"no confirmed commit has the persist-id {options.persist_id!r}")
        if options.persist_id is None and (pending.persist is not None or pending.session != session):
            raise protocol_error("in-use", f"a confirmed commit of session {pending.session} waits for confirmation")

    def _set_candidate(self, session: int, tree: Branch) -> None:
        self._candidate = tree
        self._modified_by = session

    def _discard(self) -> None:
        self._candidate = None
        self._modified_by = None


def _size(child: object) -> int:
    if isinstance(child, Entries):
        return len(child.by_key)
    return sum(map(_size, child.children.values())) if isinstance(child, Branch) else 0
