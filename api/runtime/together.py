"""Requests that write at the same moment share one transaction: one commit, one statement per table for all of them.

The first that comes leads. While it waits for its turn to write, the others queue behind it; then it does what each of
them wants, a step each, commits, and only then anybody gets an answer. A lone request waits for nobody.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from sqlalchemy.exc import DBAPIError

from api.errors import DatabaseAway
from api.runtime.ledger import LedgerUnit

T = TypeVar("T")
Begin = Callable[[str], AbstractContextManager[LedgerUnit]]
"""Opens a write transaction for somebody; leaving it commits."""

MOST: Final = 32
"""Requests in one transaction: those that come later wait for its commit as well."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Wish:
    """What one request wants written.

    Attributes:
        gate: opens when it was done, or when it is to lead.
        is_done: its result or its error stands.
    """

    work: Callable[[LedgerUnit], Any]
    actor: str
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    is_done: bool = False
    result: Any = None
    error: BaseException | None = None

    def end(self, error: BaseException | None = None) -> None:
        """Let the request go on; an error of its own stays what it is."""
        self.error = self.error or error
        self.is_done = True
        self.gate.release()


class Together:
    """Writes what requests of several threads want, as many at once as there are."""

    def __init__(self, begin: Begin) -> None:
        """Write in the transactions that ``begin`` opens."""
        self._begin = begin
        self._guard = threading.Lock()
        self._waiting: list[_Wish] = []
        self._is_led = False

    @property
    def waiting(self) -> int:
        """How many requests wait for the next transaction."""
        return len(self._waiting)

    def run(self, work: Callable[[LedgerUnit], T], *, actor: str) -> T:
        """Return what ``work`` gives, once that is committed; it may be run again where its first run left nothing.

        Raises:
            Exception: what ``work`` raises, which leaves nothing of it; or that it could not be committed.
        """
        wish = _Wish(work=work, actor=actor)
        if not self._queue(wish):
            wish.gate.acquire()
        if not wish.is_done:
            self._lead()
        if wish.error is not None:
            raise wish.error
        return cast("T", wish.result)

    def _queue(self, wish: _Wish) -> bool:
        """Queue up; return whether nobody leads yet."""
        with self._guard:
            self._waiting.append(wish)
            leads, self._is_led = not self._is_led, True
            return leads

    def _next(self) -> Sequence[_Wish]:
        """Return those whose turn it is, the leader first; another one leads those who come from now on."""
        with self._guard:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].gate.release()
        return some

    def _lead(self) -> None:
        some: Sequence[_Wish] = ()
        is_written = False
        try:
            with self._begin("") as unit:
                some = self._next()
                for wish in some:
                    _take_in(unit, wish)
                unit.flush()
                is_written = True
        except BaseException as error:  # noqa: BLE001 - whoever waits must be told, whatever it is
            # Who knows what became of a commit that failed? A transaction that did not come that far left nothing.
            if some and not is_written and len(some) > 1:
                self._one_by_one(some)
                return
            failed: BaseException | None = error
        else:
            failed = None
        for wish in some or self._next():
            wish.end(failed)

    def _one_by_one(self, wishes: Sequence[_Wish]) -> None:
        """Find out whose the fault is."""
        for wish in wishes:
            wish.error = None
            try:
                with self._begin(wish.actor) as unit:
                    wish.result = wish.work(unit)
            except BaseException as error:  # noqa: BLE001 - told to whoever waits
                wish.error = error
            wish.end()


def _take_in(unit: LedgerUnit, wish: _Wish) -> None:
    try:
        with unit.step(actor=wish.actor):
            wish.result = wish.work(unit)
    except (DBAPIError, DatabaseAway):
        # The transaction may be lost as a whole.
        raise
    except Exception as error:  # noqa: BLE001 - it is the answer to this request, and nobody else's
        wish.error = error
