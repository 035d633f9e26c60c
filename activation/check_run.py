"""Runs service checks: the devices are asked together and may take a moment; then the traffic is looked at."""

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from activation.checks import Check, CheckResult, CheckState, Moment, NoProbes, Probes, failed
from activation.contracts import Askable, Driver
from activation.device_state import Question
from activation.errors import DeviceError, EditRefused
from activation.fanout import Answer
from activation.platforms import Platform
from activation.states import ServiceState
from activation.transact import Participants
from inventory.documents import Document, characteristics

PAUSE_S: Final = 0.2
"""Between two looks at a device whose state is not yet as it should be."""
SPECIFICATION: Final = "serviceSpecification"
Finding = tuple[CheckState, str]


class Look(Protocol):
    """Who can ask devices for their state."""

    def platform(self, device: str) -> Platform:
        """Return the device's platform.

        Raises:
            KeyError: the device is none of those that can be asked.
        """
        ...

    def ask(self, questions: Mapping[str, Collection[str]]) -> Mapping[str, Answer[Mapping[str, str]]]:
        """Return each device's answers by question; a device whose session cannot be asked has none."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceLook:
    """Asks the devices of a transaction on the sessions that it holds."""

    participants: Participants

    def platform(self, device: str) -> Platform:
        """Return the device's platform."""
        return self.participants.platform(device)

    def ask(self, questions: Mapping[str, Collection[str]]) -> Mapping[str, Answer[Mapping[str, str]]]:
        """Return each device's answers, all devices asked at once."""

        def answers(name: str, driver: Driver) -> Mapping[str, str]:
            return {each: driver.ask(each) for each in questions[name]} if isinstance(driver, Askable) else {}

        return self.participants.ask("serviceCheck", questions, answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One check of one service, with the values it needs."""

    service_id: str
    check: Check
    known: Mapping[str, Any]

    @property
    def values(self) -> Mapping[str, Any]:
        """The values of its arguments."""
        return {name: self.known[value] for name, value in self.check.arguments.items()}

    @property
    def device(self) -> str:
        """The device it is about; empty for none."""
        return str(self.known.get(self.check.device, "")) if self.check.device else ""

    def result(self, state: CheckState, detail: str, measured: str = "") -> CheckResult:
        """Return what came of it."""
        return CheckResult(
            service_id=self.service_id,
            name=self.check.name,
            level=self.check.level,
            state=state,
            detail=detail,
            device=self.device,
            measured=measured,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceChecks:
    """The checks of every service specification, and who can run those of the traffic."""

    by_specification: Mapping[str, Sequence[Check]]
    probes: Probes

    def run(self, services: Sequence[Document], moment: Moment, look: Look | None = None) -> tuple[CheckResult, ...]:
        """Return what came of the checks of these services and of those they are made of.

        Before a confirm a service that is out of service has none, and after a failure nothing more is looked at.

        Args:
            services: TMF640 services.
            moment: when.
            look: who can ask their devices; without one the operational state is not checked.
        """
        results: list[CheckResult] = []
        asked = list(self._items(services, moment))
        todo: list[_Item] = []
        for item in asked:
            if missing := sorted(item.check.needs - set(item.known)):
                results.append(item.result(CheckState.NOT_RUN, f"the service has no {', '.join(missing)}"))
            else:
                todo.append(item)
        results += _States(look).found([item for item in todo if item.check.state])
        stop = moment == "beforeConfirm" and bool(failed(results))
        results += [self._probed(item, skip=stop) for item in todo if item.check.probe]
        return tuple(sorted(results, key=lambda each: each.level))

    def named(self, services: Sequence[Document], moment: Moment) -> Sequence[CheckResult]:
        """Return the checks that :meth:`run` would run, as not run."""
        found = [item.result(CheckState.NOT_RUN, "") for item in self._items(services, moment)]
        return sorted(found, key=lambda each: each.level)

    def _items(self, services: Sequence[Document], moment: Moment) -> Iterator[_Item]:
        for service in services:
            # Configured and not in service: nothing of it is supposed to work.
            if service.get("state") == ServiceState.INACTIVE:
                continue
            parts: Sequence[Document] = service.get("supportingService") or ()
            everything: dict[str, Any] = {}
            for each in (*parts, service):
                everything |= characteristics(each, "serviceCharacteristic")
            for each in (*parts, service):
                known = everything | characteristics(each, "serviceCharacteristic")
                for check in self.by_specification.get(_specification(each), ()):
                    if moment in check.moments:
                        yield _Item(service_id=str(each.get("id", "")), check=check, known=known)

    def _probed(self, item: _Item, *, skip: bool) -> CheckResult:
        if skip:
            return item.result(CheckState.NOT_RUN, "the operational state is wrong already")
        if lack := self.probes.lacks(item.check.probe):
            return item.result(CheckState.NOT_RUN, lack)
        answer = self.probes.run(item.check.probe, item.values)
        state = CheckState.PASSED if answer.is_good else CheckState.FAILED
        return item.result(state, answer.detail, answer.measured)


def no_checks() -> ServiceChecks:
    """Return what checks nothing."""
    return ServiceChecks(by_specification={}, probes=NoProbes())


@dataclass(frozen=True, slots=True)
class _States:
    """The checks of operational state."""

    look: Look | None

    def found(self, items: Sequence[_Item]) -> Sequence[CheckResult]:
        """Return what came of ``items``; a device is asked again while its patience lasts."""
        results: dict[int, Finding] = {}
        began_s = time.monotonic()
        pending = dict(enumerate(items))
        while pending:
            answers = self._answers(list(pending.values()))
            for number, item in list(pending.items()):
                results[number] = self._judged(item, answers)
                late = time.monotonic() - began_s >= item.check.patience_s
                if results[number][0] is not CheckState.FAILED or late:
                    del pending[number]
            if pending:
                threading.Event().wait(PAUSE_S)
        return [item.result(*results[number]) for number, item in enumerate(items)]

    def _answers(self, items: Sequence[_Item]) -> Mapping[str, Answer[Mapping[str, str]]]:
        questions: dict[str, dict[str, None]] = defaultdict(dict)
        for item in items:
            if (question := self._question(item)) is not None:
                questions[item.device][question.text(item.values)] = None
        return self.look.ask(questions) if self.look is not None and questions else {}

    def _question(self, item: _Item) -> Question | None:
        platform = self._platform(item)
        return item.check.state.get(platform.name) if platform is not None else None

    def _platform(self, item: _Item) -> Platform | None:
        try:
            return self.look.platform(item.device) if self.look is not None else None
        except KeyError:
            return None

    def _judged(self, item: _Item, answers: Mapping[str, Answer[Mapping[str, str]]]) -> Finding:
        platform, question = self._platform(item), self._question(item)
        if platform is None:
            return CheckState.NOT_RUN, f"nobody asks {item.device} here"
        if question is None:
            known = ", ".join(sorted(item.check.state))
            return CheckState.NOT_RUN, f"nothing says what to ask a {platform.name}; known: {known}"
        answer = answers[item.device]
        if answer.error is not None:
            return _unanswered(answer.error)
        text = (answer.value or {}).get(question.text(item.values))
        if text is None:
            return CheckState.NOT_RUN, f"driver {platform.driver} cannot be asked for more than the configuration"
        namespaces = platform.netconf.namespaces if platform.netconf is not None else {}
        is_good, words = question.judged(text, item.values, namespaces)
        return (CheckState.PASSED if is_good else CheckState.FAILED), words


def _unanswered(error: DeviceError) -> Finding:
    """A device that does not know the question says nothing about the service; one that cannot be reached does."""
    return (CheckState.NOT_RUN if isinstance(error, EditRefused) else CheckState.FAILED), error.reason


def _specification(service: Document) -> str:
    return str((service.get(SPECIFICATION) or {}).get("id", ""))
