"""Service checks: what shows that a service works, as data (``templates/checks.yaml``), and what came of them. Pure.

A check of the traffic names a probe, one of the operational state a device and what each platform is asked; both say
which of the service's characteristics they need. Who can probe (a lab with packets, an operator's own measuring gear)
stands behind :class:`Probes`; what nobody can find out is ``notRun``, never ``passed``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from activation.device_state import Question
from activation.errors import BadChecks

Moment = Literal["beforeConfirm", "onDemand"]


class CheckState(Enum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "notRun"
    """Nobody can probe that here; says why."""


class Check(BaseModel):
    """One check of a service specification.

    Attributes:
        level: L1 configuration, L2 operational state, L3 traffic.
        arguments: what probe or question need, each with the name of the characteristic that holds it.
        probe: who looks at the traffic.
        device: the characteristic that names the device which is asked.
        state: what it is asked, by platform.
        patience_s: how long a device may take until its state is as it should be.
        moments: when it runs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    level: Literal["L1", "L2", "L3"]
    arguments: Mapping[str, str]
    probe: str = ""
    device: str = ""
    state: Mapping[str, Question] = {}
    patience_s: float = 5.0
    moments: frozenset[Moment] = frozenset({"beforeConfirm", "onDemand"})

    @model_validator(mode="after")
    def _asks_one(self) -> Self:
        if bool(self.probe) == bool(self.state) or bool(self.device) != bool(self.state):
            raise ValueError(f"{self.name!r}: legal: either 'probe', or 'device' and 'state'")
        return self

    @property
    def needs(self) -> frozenset[str]:
        """The characteristics without which it cannot run."""
        return frozenset(self.arguments.values()) | ({self.device} if self.device else frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What came of one check.

    Attributes:
        detail: what was found, or why it was not run.
        device: the device it is about, where it is one.
        measured: the value that was measured, with its unit.
    """

    service_id: str
    name: str
    level: str
    state: CheckState
    detail: str
    device: str = ""
    measured: str = ""

    def document(self) -> dict[str, str]:
        """Return the result in the wire's words."""
        told = {
            "serviceId": self.service_id,
            "name": self.name,
            "level": self.level,
            "state": self.state.value,
            "detail": self.detail,
        }
        return told | {name: value for name in ("device", "measured") if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a probe found.

    Attributes:
        measured: the value it measured, with its unit.
    """

    is_good: bool
    detail: str
    measured: str = ""


class Probes(Protocol):
    """Who can look at traffic and operational state."""

    def lacks(self, probe: str) -> str:
        """Return why ``probe`` cannot be run here; empty where it can."""
        ...

    def run(self, probe: str, arguments: Mapping[str, Any]) -> Answer:
        """Return what ``probe`` finds; trouble of the probe itself is a bad answer, never an exception."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoProbes:
    """Where nothing can be probed.

    Attributes:
        why: the reason.
    """

    why: str = "no lab with packets and no measuring equipment is connected"

    def lacks(self, probe: str) -> str:
        """Return why no probe can be run."""
        del probe
        return self.why

    def run(self, probe: str, arguments: Mapping[str, Any]) -> Answer:
        """Return that nothing was found."""
        del probe, arguments
        return Answer(is_good=False, detail=self.why)


def failed(results: Collection[CheckResult]) -> tuple[CheckResult, ...]:
    """Return the results that speak against the service."""
    return tuple(result for result in results if result.state is CheckState.FAILED)


def load_checks(path: Path) -> Mapping[str, Sequence[Check]]:
    """Return the checks in ``path`` by service specification.

    Raises:
        BadChecks: the file cannot be used; names each place.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return TypeAdapter(dict[str, tuple[Check, ...]]).validate_python(raw)
    except (OSError, yaml.YAMLError) as unreadable:
        raise BadChecks(f"{path}: {unreadable}") from None
    except ValidationError as wrong:
        places = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in wrong.errors())
        raise BadChecks(f"{path}: {places}") from None
