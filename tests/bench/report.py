"""What a measurement found, in words for people and one line of JSON for machines."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from types import MappingProxyType
from typing import Final

UNDER: Final = "≤"
OVER: Final = "≥"
NONE: Final[Mapping[str, str]] = MappingProxyType({})
NOT_MEASURED: Final = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure beside its peers', measured in the same run.

    Attributes:
        goal: what it is to be; with :data:`UNDER` for figures that are to be small.
        peers: other ways to do the same, and what they gave; None for one that could not be measured here.
    """

    name: str
    value: float
    unit: str
    goal: float
    sense: str = OVER
    peers: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.value <= self.goal if self.sense == UNDER else self.value >= self.goal

    def line(self) -> str:
        """Return the figure for people."""
        verdict = "ok  " if self.is_met else "MISS"
        peers = "".join(f"; {name} {NOT_MEASURED if it is None else f'{it:g}'}" for name, it in self.peers.items())
        return f"{verdict} {self.name:<20} {self.value:>9g} {self.unit:<9} (goal {self.sense} {self.goal:g}{peers})"


def as_json(figures: Iterable[Figure], lacking: Mapping[str, str] = NONE) -> str:
    """Return all figures in one line, and why others could not be measured, by name."""
    found: dict[str, object] = {
        each.name: {"value": each.value, "unit": each.unit, "goal": each.goal, "peers": dict(each.peers)}
        for each in figures
    }
    found |= {name: {"value": None, "unit": "", "goal": None, "peers": {}, "why": why} for name, why in lacking.items()}
    return json.dumps(found, ensure_ascii=False)


def median_of(runs: int, measure: Callable[[], float]) -> float:
    """Return the median of several measurements, to three digits."""
    return rounded(median(measure() for _ in range(runs)))


def rounded(value: float) -> float:
    """Return ``value`` to three digits."""
    return float(f"{value:.3g}")


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that ``share`` of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
