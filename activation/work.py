"""What activations are to change, before anything is planned."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from activation.desired import is_change
from activation.model import Fragment, FragmentChange, Plan
from activation.report import Report
from activation.suspects import may_share
from inventory.ledger import DeviceJob, Retry, Transactions, UnitOfWork
from inventory.store import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one service's activation changes: its fragments before, and what becomes of them on each device.

    Attributes:
        claims: what the service has for itself from then on.
        is_staged: whether the change is only planned, and nothing of it is pushed.
        by_hand: whether people have done it already: nothing is pushed, the rest is as if it had been.
        asserted: whether fragments that stay as they are count too: what is missing of them on a device comes back.
    """

    root_id: str
    old: tuple[Fragment, ...]
    by_device: Mapping[str, tuple[FragmentChange, ...]]
    claims: tuple[str, ...] = ()
    is_staged: bool = False
    by_hand: bool = False
    asserted: bool = False

    @property
    def is_pushed(self) -> bool:
        """Whether what it changes goes to the devices."""
        return not (self.is_staged or self.by_hand)

    def changing(self) -> Mapping[str, tuple[FragmentChange, ...]]:
        """Return the changes that change something, by device."""
        found = {device: tuple(filter(self._counts, made)) for device, made in self.by_device.items()}
        return {device: made for device, made in found.items() if made}

    def parts(self) -> frozenset[str]:
        """Return the ids of the services that hold the fragments, before or after."""
        made = [change for found in self.by_device.values() for change in found]
        return frozenset(fragment.service_id for fragment in fragments_in(made))

    def roots(self) -> frozenset[str]:
        """Return the activated services whose fragments change."""
        return frozenset({self.root_id})

    def root_of(self, part: str) -> str:
        """Return the activated service that the service ``part`` is to belong to."""
        del part
        return self.root_id

    def check(self, plan: Plan) -> None:
        """Do nothing where ``plan`` may be pushed.

        Raises:
            PlanError: it may not.
        """

    def begin(self, uow: UnitOfWork, monitor_id: str) -> None:
        """Do nothing: what the service needs is its own since it was asked for.

        Raises:
            ActivationError: it cannot begin.
        """

    def to_approve(self, plan: Plan) -> Plan | None:
        """Return ``plan`` as people are asked about it; None where it changes nothing that anybody has to look at."""
        return plan if any(edit.changes for edit in plan.edits) else None

    def fragments_after(self, settled: Mapping[str, FragmentChange]) -> tuple[Fragment, ...]:
        """Return the service's fragments once it is live: ``settled`` by :func:`change_key`, and those unchanged."""
        return tuple(fragment for made in self.by_device.values() for fragment in self._after(made, settled))

    def held_after(self, settled: Mapping[str, FragmentChange]) -> Mapping[str, tuple[Fragment, ...]]:
        """Return the fragments on each device that changes, once that is live; ``settled`` as above."""
        return {device: tuple(self._after(self.by_device[device], settled)) for device in self.changing()}

    def _after(self, made: Iterable[FragmentChange], settled: Mapping[str, FragmentChange]) -> Iterator[Fragment]:
        for change in made:
            after = settled[change_key(change)].new if self._counts(change) else change.old
            if after is not None:
                yield after

    def _counts(self, change: FragmentChange) -> bool:
        return self.asserted or is_change(change)


@dataclass(slots=True, kw_only=True)
class Member:
    """One activation on its way to the devices, alone or in a group.

    Attributes:
        transactions: where its job may write.
        end: tells its job that it is done, when to come again, or what broke it.
        alone: whether it must not share a transaction.
        job: its job; None where it is made for nobody's request.
        service: its service as it was stored when the member came to be; None: not known, or nobody keeps it.
    """

    monitor: Row
    work: Work
    report: Report
    transactions: Transactions
    end: Callable[[Retry | BaseException | None], None]
    alone: bool = False
    job: DeviceJob | None = None
    service: Row | None = None
    is_ended: bool = False

    @property
    def most(self) -> int:
        """How many may share its transaction, by how often its job failed or its worker died."""
        return 1 if self.alone else may_share(self.job.failures if self.job is not None else 0)

    def finish(self, outcome: Retry | BaseException | None) -> None:
        """End the member's job, unless it has ended."""
        if not self.is_ended:
            self.is_ended = True
            self.end(outcome)


def change_key(change: FragmentChange) -> str:
    """Return what names the fragment that changes."""
    fragment = change.new or change.old
    return f"{fragment.service_id} {fragment.device} {fragment.intent}" if fragment is not None else ""


def fragments_in(changes: Iterable[FragmentChange]) -> Iterator[Fragment]:
    """Yield the fragments before and after."""
    return (fragment for change in changes for fragment in (change.old, change.new) if fragment is not None)


def changes_of(members: Iterable[Member]) -> dict[str, tuple[FragmentChange, ...]]:
    """Return what all members change, by device."""
    found: dict[str, list[FragmentChange]] = {}
    for member in members:
        for device, made in member.work.changing().items():
            found.setdefault(device, []).extend(made)
    return {device: tuple(made) for device, made in sorted(found.items())}
