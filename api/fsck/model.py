"""Values of the check: facts as they stand in the database, findings, and repairs that are safe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.runtime.history import RecordedMove
from inventory.store import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueue:
    """Repair: write the job that was lost. Handlers run twice have the effect of running once."""

    job_kind: str
    lane: str
    payload: Mapping[str, Any]

    def __str__(self) -> str:
        """Say what is done."""
        return f"enqueue {self.job_kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeliver:
    """Repair: hand a stored event once more to a layer that follows it."""

    job_kind: str
    lane: str
    event_id: str

    def __str__(self) -> str:
        """Say what is done."""
        return f"deliver event {self.event_id} again to {self.job_kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Repair: give a value back that nobody uses."""

    resource_id: str

    def __str__(self) -> str:
        """Say what is done."""
        return "release it"


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildPools:
    """Repair: compute the free spans of all pools from the reservations."""

    def __str__(self) -> str:
        """Say what is done."""
        return "rebuild the free spans"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclaim:
    """Repair: forget the order in flight that a product or a service still names although it has ended."""

    kind: str
    resource_id: str

    def __str__(self) -> str:
        """Say what is done."""
        return "forget the ended order"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepForItself:
    """Repair: write that a service has what its intents say is its own, as it is when a service is activated."""

    service_id: str
    claims: tuple[str, ...]

    def __str__(self) -> str:
        """Say what is done."""
        return "claim " + "; ".join(self.claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetOthersHave:
    """Repair: forget what a service has for itself that is not there."""

    service_id: str
    claims: tuple[str, ...]

    def __str__(self) -> str:
        """Say what is done."""
        return "give back " + "; ".join(self.claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildFilters:
    """Repair: write what filters on one kind of resource are answered from anew, from the documents."""

    kind: str

    def __str__(self) -> str:
        """Say what is done."""
        return f"rebuild the filters of {self.kind}"


Repair = Enqueue | Redeliver | Release | RebuildPools | RebuildFilters | Unclaim | KeepForItself | LetOthersHave


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not agree.

    Attributes:
        rule: which rule found it, e.g. ``"order-stuck"``.
        kind: lowerCamel TMF resource name, or ``"job"``, ``"reservation"``, ``"pool"``, ``"fragment"``.
        text: what does not agree, for an engineer.
        repairs: what mends it safely; empty: a person has to decide.
    """

    rule: str
    kind: str
    id: str
    text: str
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastEvent:
    """The newest event of a resource: its id, its type, and the document it carries."""

    event_id: str
    event_type: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One stored resource with all that was written about it.

    Attributes:
        moves: its history, oldest first; those of its items among them.
        counts: how many events of each type were published of it.
    """

    kind: str
    row: Row
    moves: Sequence[RecordedMove] = ()
    last_event: LastEvent | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedWork:
    """One job that is not done.

    Attributes:
        moves_id: the order or monitor that it moves: named in its payload, or the resource of its event.
        has_event: False where it names an event that is not there.
    """

    job_id: int
    job_kind: str
    lane: str
    moves_id: str
    parked: bool
    attempt: int
    reason: str
    has_event: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One reservation with what belongs to it; None where that is not there.

    Attributes:
        resource: the TMF639 resource.
        owner: the TMF652 order that took it.
        parent: the TMF641 order that the owner was sent by, if it was.
        used_by: the live service that lists it.
        in_flight: whether a service order of its chain has not ended.
        unrestored: whether a device may still carry it, because a rollback of this chain failed.
    """

    resource_id: str
    allocation: str
    pool: str
    value: int
    owner_key: str
    resource: Row | None = None
    owner: Row | None = None
    parent: Row | None = None
    used_by: str | None = None
    in_flight: bool = False
    unrestored: bool = False
