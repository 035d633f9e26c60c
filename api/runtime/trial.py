"""What the worker of this process is doing at the moment, noted where its heirs read it."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from api.errors import DatabaseAway
from api.runtime.contracts import Claim
from api.runtime.database import Database

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class Charges:
    """An :class:`inventory.ledger.Trial`: leased jobs that failed before are charged with the death that may come.

    Attributes:
        claims: the leased jobs by id; it may change at any time.
    """

    database: Database
    claims: Mapping[int, Claim]
    _depth: Counter[int] = field(default_factory=Counter)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def begins(self, job_ids: Collection[int], /) -> None:
        """Charge those of these jobs that failed before.

        Raises:
            DatabaseAway: nothing was noted, and nothing is to be begun.
        """
        if not (found := self._suspects(job_ids)):
            return
        # The lock is kept until it is written: who is acquitted of one thing may be charged with the next just now.
        with self._guard:
            self._write(self.database.queue.charge, [claim for claim in found if self._depth[_id(claim)] <= 0])
            self._depth.update(map(_id, found))

    def survived(self, job_ids: Collection[int], /) -> None:
        """Acquit those of these jobs that nothing else is done with; where that cannot be written, their end does."""
        if found := self._suspects(job_ids):
            with self._guard:
                self._depth.subtract(map(_id, found))
                self._acquit([claim for claim in found if self._depth[_id(claim)] <= 0])

    def cleared(self, job_ids: Collection[int], /) -> None:
        """Acquit those of these jobs that are charged, without waiting for their end to be written."""
        if found := self._suspects(job_ids):
            with self._guard:
                self._acquit([claim for claim in found if self._depth.pop(_id(claim), 0) > 0])

    def forget(self, job_id: int) -> None:
        """Say that a job has ended."""
        with self._guard:
            self._depth.pop(job_id, None)

    def _suspects(self, job_ids: Collection[int]) -> list[Claim]:
        claims = [self.claims.get(job_id) for job_id in job_ids]
        return [claim for claim in claims if claim is not None and claim.failures]

    def _acquit(self, claims: Sequence[Claim]) -> None:
        try:
            self._write(self.database.queue.acquit, claims)
        except DatabaseAway as error:
            _log.warning("%d jobs stay charged until they end: %s", len(claims), error)

    def _write(self, write: Callable[[Connection, Sequence[Claim]], None], claims: Sequence[Claim]) -> None:
        if claims:
            with self.database.begin() as unit:
                write(unit.reader, claims)


def _id(claim: Claim) -> int:
    return claim.job.job_id
