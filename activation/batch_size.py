"""How many activations may share a commit, learned per device from what commits took.

A commit takes a fixed time and something for each activation in it; both are estimated from the latest commits, older
ones counting ever less, so that a device that slows down as it fills is followed. What the activations add may take as
long as the fixed part, or until the whole takes as long as wanted, whichever is more: a device whose empty commit takes
ten seconds gains the most from many activations in one.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

FIRST: Final = 128
MOST: Final = 1000
TARGET_S: Final = 5.0
"""How long a commit may take before fewer activations share it."""
_FORGETS: Final = 0.7
"""What each later commit leaves of the weight of those before it."""
_GROWS: Final = 2
_PROBES: Final = 4
"""So many share a commit at least until it is known what one activation more costs."""
_PROBE: Final = 0.75
"""A batch that took too long shrinks by a quarter at least while that is not known: sizes alike teach nothing."""
_TELLS_APART: Final = 0.1
"""Commits whose sizes vary less than this, relative to their mean, say nothing new of that."""
OVERRUN_SHARE: Final = 4
"""After a commit that did not end in time, so many times fewer share the next: nobody knows how long it would take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSize:
    """What is known of one device's commits.

    Attributes:
        limit: how many activations may share the next one.
        each_s: what one activation more costs; None while nobody knows.
        weight: of the commits seen, the latest counting 1; with it go the weighted means of their sizes and of the
            seconds they took, the variance of the sizes and their covariance.
    """

    limit: int = FIRST
    each_s: float | None = None
    weight: float = 0.0
    mean_size: float = 0.0
    mean_s: float = 0.0
    variance: float = 0.0
    covariance: float = 0.0

    def after(self, size: int, took_s: float, *, target_s: float = TARGET_S) -> "BatchSize":
        """Return what is known after a commit of ``size`` activations that took ``took_s``.

        The limit falls at once to what would have fitted; it grows only as far as twice what was seen to fit.
        """
        seen = self._with(size, took_s)
        return replace(seen, limit=seen.limited(size, took_s, target_s))

    def overrun(self, size: int) -> "BatchSize":
        """Return what is known after a commit of ``size`` activations that did not end in time."""
        return replace(self, limit=max(1, min(self.limit, size // OVERRUN_SHARE)))

    def limited(self, size: int, took_s: float, target_s: float) -> int:
        """Return how many may share the next commit, after one of ``size`` that took ``took_s`` and counts already."""
        fixed_s = max(0.0, self.mean_s - (self.each_s or 0.0) * self.mean_size)
        allowed_s = target_s if self.each_s is None else max(target_s, 2.0 * fixed_s)
        fitting = (allowed_s - fixed_s) / self.each_s if self.each_s else MOST
        if took_s > allowed_s:
            least, most = (_PROBES, _PROBE * size) if self.each_s is None else (1, MOST)
            fitting = min(fitting, max(least, min(most, size * allowed_s / took_s)), self.limit)
        return int(max(1, min(MOST, fitting, max(self.limit, size * _GROWS))))

    def _with(self, size: int, took_s: float) -> "BatchSize":
        weight = self.weight * _FORGETS + 1.0
        share = 1.0 / weight
        off_size, off_s = size - self.mean_size, took_s - self.mean_s
        mean_size = self.mean_size + share * off_size
        variance = (1.0 - share) * (self.variance + share * off_size * off_size)
        covariance = (1.0 - share) * (self.covariance + share * off_size * off_s)
        tells = variance > (_TELLS_APART * mean_size) ** 2
        return BatchSize(
            limit=self.limit,
            each_s=max(0.0, covariance / variance) if tells else self.each_s,
            weight=weight,
            mean_size=mean_size,
            mean_s=self.mean_s + share * off_s,
            variance=variance,
            covariance=covariance,
        )


@dataclass(slots=True, kw_only=True)
class BatchSizes:
    """What is known of each device's commits; safe for use by many threads.

    Attributes:
        target_s: how long a commit may take before fewer activations share it.
    """

    target_s: float = TARGET_S
    _known: dict[str, BatchSize] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def limit(self, devices: Iterable[str]) -> int:
        """Return how many activations may share a transaction on all of ``devices``."""
        with self._guard:
            return min((self._known.get(name, _UNKNOWN).limit for name in devices), default=MOST)

    def learn(self, device: str, size: int, took_s: float) -> None:
        """Note that a commit of ``size`` activations took so long on ``device``."""
        with self._guard:
            known = self._known.get(device, _UNKNOWN)
            self._known[device] = known.after(size, took_s, target_s=self.target_s)

    def overran(self, device: str, size: int) -> None:
        """Note that a commit of ``size`` activations did not end in time on ``device``."""
        with self._guard:
            self._known[device] = self._known.get(device, _UNKNOWN).overrun(size)


_UNKNOWN: Final = BatchSize()
