"""A service tested on demand: its configuration on every device, their operational state, its traffic."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from activation import fragment_store, store
from activation.check_run import DeviceLook, ServiceChecks
from activation.checks import CheckResult, CheckState
from activation.drift import Deviation, DeviceDrift, check, places_to_read
from activation.errors import PlanError
from activation.fanout import Answer
from activation.fragments import readable
from activation.model import Fragment
from activation.platforms import Platform
from activation.reach import Reach
from activation.states import CONFIGURED, ServiceState
from activation.store import SERVICES
from activation.transact import Participants
from inventory.documents import Document
from inventory.ledger import Transactions

CONFIGURATION: Final = "the configuration stands"
SHOWN: Final = 3
"""Deviations that fit into one line; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A service's share of one device.

    Attributes:
        others: fragments of other services that hold some of the same nodes.
        busy: transactions that may be changing the device right now.
    """

    fragments: tuple[Fragment, ...]
    others: tuple[Fragment, ...] = ()
    busy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTest:
    """Tests services."""

    reach: Reach
    checks: ServiceChecks
    transactions: Transactions

    def run(self, service_id: str) -> tuple[CheckResult, ...]:
        """Return what came of the tests of an activated service, the configuration's first.

        Raises:
            UnknownResource: no activated service has this id, or the inventory lacks one of its devices.
        """
        with self.transactions.read() as connection:
            service = SERVICES.get(connection, service_id).document
            held = fragment_store.fragments_of(connection, [service_id])[service_id]
        parts = {device: self._part(service_id, device, held) for device in sorted({each.device for each in held})}
        with self.reach.participants(self.reach.named(parts)) as participants:
            configuration = tuple(self._configuration(service_id, parts, participants)) if parts else ()
            return (*configuration, *self._working(service, participants))

    def _part(self, service_id: str, device: str, held: Sequence[Fragment]) -> _Part:
        own = tuple(each for each in held if each.device == device)
        places = {device: places_to_read(self.reach.platform(device), own)}
        with self.transactions.read() as connection:
            others = fragment_store.fragments_sharing(connection, [service_id], places)[device]
            return _Part(fragments=own, others=others, busy=store.interrupted_on(connection, [device]))

    def _configuration(
        self, service_id: str, parts: Mapping[str, _Part], participants: Participants
    ) -> Iterator[CheckResult]:
        places = {name: places_to_read(participants.platform(name), part.fragments) for name, part in parts.items()}
        answers = participants.ask("read", parts, lambda name, driver: driver.read(places[name]))
        for name, part in parts.items():
            state, detail, measured = _compared(name, participants.platform(name), part, answers[name])
            yield CheckResult(
                service_id=service_id,
                name=CONFIGURATION,
                level="L1",
                state=state,
                detail=detail,
                device=name,
                measured=measured,
            )

    def _working(self, service: Document, participants: Participants) -> Sequence[CheckResult]:
        state = str(service.get("state", ServiceState.ACTIVE))
        active = {**service, "state": ServiceState.ACTIVE}
        if state == ServiceState.ACTIVE:
            return self.checks.run([active], "onDemand", DeviceLook(participants))
        because = "configured and out of service" if state in CONFIGURED else "not on the devices"
        return [
            replace(each, state=CheckState.NOT_RUN, detail=f"the service is {state}: {because}")
            for each in self.checks.named([active], "onDemand")
        ]


def _compared(name: str, platform: Platform, part: _Part, answer: Answer[str]) -> tuple[CheckState, str, str]:
    if answer.error is not None:
        return CheckState.FAILED, str(answer.error), ""
    if part.busy:
        return CheckState.NOT_RUN, f"is being changed by {', '.join(part.busy)}; test it again", ""
    try:
        drift = check(name, platform, answer.value or "", (*part.fragments, *part.others))
        nodes = check(name, platform, answer.value or "", part.fragments).nodes
    except PlanError as error:
        return CheckState.FAILED, str(error), ""
    found = _own(drift, part)
    wrong = sum(1 + len(each.below) for each in found if each.kind != "foreign")
    measured = f"{nodes - wrong} of {nodes} nodes"
    return (CheckState.FAILED if found else CheckState.PASSED), _words(found), measured


def _own(drift: DeviceDrift, part: _Part) -> Sequence[Deviation]:
    ours = {each.service_id for each in part.fragments}
    return [each for each in drift.deviations if ours.intersection(each.owners)]


def _words(found: Sequence[Deviation]) -> str:
    told = [f"{each.kind}: {each.place}{_values(each)}" for each in found[:SHOWN]]
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "; ".join([*told, *more]) or "as rendered"


def _values(each: Deviation) -> str:
    if each.kind != "changed" or each.standing is None or each.wanted is None:
        return ""
    return f" ({readable(each.standing[-1:])} instead of {readable(each.wanted[-1:])})"
