"""Service checks: what shows that a service works, as data (``templates/checks.yaml``), and what came of them. Pure.

A check names a probe and which of the service's characteristics it needs. Who can probe (a lab with packets, an
operator's own measuring gear) stands behind :class:`Probes`; what nobody can probe is ``notRun``, never ``passed``.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from activation.errors import BadChecks
from activation.states import ServiceState
from inventory.documents import Document, characteristics

SPECIFICATION: Final = "serviceSpecification"
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
        arguments: the probe's arguments, each with the name of the characteristic that holds it.
        moments: when it runs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    level: Literal["L1", "L2", "L3"]
    probe: str
    arguments: Mapping[str, str]
    moments: frozenset[Moment] = frozenset({"beforeConfirm", "onDemand"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What came of one check.

    Attributes:
        detail: what was found, or why it was not run.
    """

    service_id: str
    name: str
    level: str
    state: CheckState
    detail: str

    def document(self) -> dict[str, str]:
        """Return the result in the wire's words."""
        return {
            "serviceId": self.service_id,
            "name": self.name,
            "level": self.level,
            "state": self.state.value,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a probe found."""

    is_good: bool
    detail: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChecks:
    """The checks of every service specification, and who can run them."""

    by_specification: Mapping[str, Sequence[Check]]
    probes: Probes

    def run(self, service: Document, moment: Moment) -> tuple[CheckResult, ...]:
        """Return what came of the checks of a service and of those it is made of."""
        if service.get("state") == ServiceState.INACTIVE:
            # Configured and not in service: nothing of it is supposed to work.
            return ()
        parts: Sequence[Document] = service.get("supportingService") or ()
        known: dict[str, Any] = {}
        for each in (*parts, service):
            known |= characteristics(each, "serviceCharacteristic")
        return tuple(
            self._result(str(each.get("id", "")), check, known)
            for each in (*parts, service)
            for check in self.by_specification.get(_specification(each), ())
            if moment in check.moments
        )

    def _result(self, service_id: str, check: Check, known: Mapping[str, Any]) -> CheckResult:
        state, detail = self._found(check, known)
        return CheckResult(service_id=service_id, name=check.name, level=check.level, state=state, detail=detail)

    def _found(self, check: Check, known: Mapping[str, Any]) -> tuple[CheckState, str]:
        missing = sorted(set(check.arguments.values()) - set(known))
        if missing:
            return CheckState.NOT_RUN, f"the service has no {', '.join(missing)}"
        if lack := self.probes.lacks(check.probe):
            return CheckState.NOT_RUN, lack
        answer = self.probes.run(check.probe, {name: known[value] for name, value in check.arguments.items()})
        return (CheckState.PASSED if answer.is_good else CheckState.FAILED), answer.detail


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


def _specification(service: Document) -> str:
    return str((service.get(SPECIFICATION) or {}).get("id", ""))
