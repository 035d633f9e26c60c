"""Jobs over which workers died: a few at a time, one few after the other, until whoever is at fault stands alone.

Nobody knows which of the jobs that a dead worker had in hand killed it. After a second death those that were begun are
tried apart from all that never were suspected, the least suspect first, in groups that shrink with each death; the last
deaths before a job is parked count against one that was alone with its worker.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from activation.batch_size import MOST
from inventory.ledger import DeviceJob, Retry

DEATHS: Final = 2
"""The first death counts against all that a worker had leased, and says nothing of any of them."""

Ended = Callable[[DeviceJob, "Retry | BaseException | None"], None]


def may_share(failures: int) -> int:
    """Return how many may be done together with what failed so often: a quarter after each, at last nobody."""
    return max(1, MOST >> 2 * max(0, failures - 1))


@dataclass(slots=True)
class Suspects:
    """Those who wait for their trial, and those on trial who have not ended; its owner's lock guards it."""

    _waiting: list[DeviceJob] = field(default_factory=list)
    _on_trial: set[int] = field(default_factory=set)
    _is_alone: bool = False

    def apart(self, jobs: Iterable[DeviceJob]) -> list[DeviceJob]:
        """Keep the suspects among ``jobs`` and return the others."""
        others = []
        for job in jobs:
            if job.died and job.failures >= DEATHS:
                self._waiting.append(job)
            else:
                others.append(job)
        return others

    @property
    def want_quiet(self) -> bool:
        """Whether nobody else may begin: one that is to be alone is on trial, or is the next."""
        return self._is_alone if self._on_trial else bool(self._waiting) and may_share(self._least()) == 1

    def next(self, ended: Ended, *, is_idle: bool) -> list[DeviceJob]:
        """Return whom to try now, together; empty while others are on trial, or as long as it is not quiet enough.

        Each of them tells ``ended`` instead of whoever gave it, which is to tell :meth:`let_go`.
        """
        if self._on_trial or not self._waiting or (self.want_quiet and not is_idle):
            return []
        # The sort is stable: among equals the first who came.
        self._waiting.sort(key=lambda job: job.failures)
        most = may_share(self._waiting[0].failures)
        group: list[DeviceJob] = []
        while self._waiting and len(group) < min(most, may_share(self._waiting[0].failures)):
            group.append(self._waiting.pop(0))
        self._on_trial, self._is_alone = set(map(id, group)), most == 1
        return [replace(job, end=_telling(ended, job)) for job in group]

    def let_go(self, job: DeviceJob) -> None:
        """Say that one of those on trial, as it was given to :meth:`apart`, has ended."""
        self._on_trial.discard(id(job))

    def clear(self) -> Sequence[DeviceJob]:
        """Return all who wait; nobody waits any more."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def _least(self) -> int:
        return min(job.failures for job in self._waiting)


def _telling(ended: Ended, job: DeviceJob) -> Callable[["Retry | BaseException | None"], None]:
    return lambda outcome: ended(job, outcome)
