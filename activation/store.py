"""What the activation core keeps: monitors, services, fragments, plans, and the journal of its transactions."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select, tuple_, update

from activation import tables
from activation.model import DeviceEdit, Fragment, Path, Plan, PlanId, ServiceId, TransactionId
from activation.states import TRANSACTION, MonitorState, Step
from inventory.bulk import Bulk
from inventory.entries import Entries
from inventory.errors import StaleState, UnknownResource
from inventory.ledger import Move, Open, UnitOfWork
from inventory.rows import Row, row_of
from inventory.store import DocumentStore, dump

MONITORS: Final = DocumentStore(table=tables.monitors, kind="monitor", domain="activation")
# Not "service": TMF638's events of the same id must stay apart from these.
SERVICES: Final = DocumentStore(table=tables.services, kind="activationService", domain="activation")
REVIEWS: Final = DocumentStore(table=tables.reviews, kind="review", domain="activation")
_DELETE_FRAGMENTS: Final = delete(tables.fragments).where(
    tuple_(tables.fragments.c.root_id, tables.fragments.c.device).in_(bindparam("held", expanding=True))
)
_DELETE_PLACES: Final = delete(tables.fragment_places).where(
    tuple_(tables.fragment_places.c.root_id, tables.fragment_places.c.device).in_(bindparam("held", expanding=True))
)
_INSERT_FRAGMENTS: Final = Bulk(insert(tables.fragments))
_INSERT_PLACES: Final = Bulk(insert(tables.fragment_places))
_SHARERS: Final = (
    select(func.min(tables.fragment_places.c.root_id), func.max(tables.fragment_places.c.root_id))
    .where(
        tables.fragment_places.c.device == bindparam("device"),
        tables.fragment_places.c.place.in_(bindparam("places", expanding=True)),
        tables.fragment_places.c.root_id.not_in(bindparam("roots", expanding=True)),
    )
    .group_by(tables.fragment_places.c.place)
)
_ALL_SHARERS: Final = (
    select(tables.fragment_places.c.root_id)
    .where(
        tables.fragment_places.c.device == bindparam("device"),
        tables.fragment_places.c.place.in_(bindparam("places", expanding=True)),
        tables.fragment_places.c.root_id.not_in(bindparam("roots", expanding=True)),
    )
    .distinct()
)
_FRAGMENTS_OF: Final = (
    select(tables.fragments)
    .where(
        tables.fragments.c.device == bindparam("device"),
        tables.fragments.c.root_id.in_(bindparam("roots", expanding=True)),
    )
    .order_by(tables.fragments.c.service_id, tables.fragments.c.intent)
)
PLACES: Final = 5000
"""Places that go into one SELECT."""
UNFINISHED: Final = tuple(step for step in Step if not TRANSACTION.is_final(step))
_REACHED: Final = tuple(step.value for step in UNFINISHED if step is not Step.STAGING)
"""Steps at which the devices may have something of a transaction that must go again if it ends there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A network-wide transaction as the journal knows it.

    Attributes:
        may_be_committed: whether any of its commits may have been sent, which the step alone does not say.
        rollbacks: counts the attempts to roll it back.
    """

    transaction_id: TransactionId
    monitor_ids: tuple[str, ...]
    edits: tuple[DeviceEdit, ...]
    step: Step
    may_be_committed: bool
    rollbacks: int


def fragments_of(connection: Connection, roots: Collection[str]) -> Mapping[str, tuple[Fragment, ...]]:
    """Return the fragments of each of the services ``roots``, their supporting services' among them."""
    here = tables.fragments.c
    by_root: dict[str, list[Fragment]] = defaultdict(list)
    wanted = select(tables.fragments).where(here.root_id.in_(roots)).order_by(here.device, here.service_id, here.intent)
    for row in connection.execute(wanted).mappings():
        by_root[row["root_id"]].append(fragment_of(row))
    return {root: tuple(by_root[root]) for root in roots}


def fragments_sharing(
    connection: Connection, roots: Iterable[str], places: Mapping[str, Iterable[Path]]
) -> Mapping[str, tuple[Fragment, ...]]:
    """Return, by device, fragments that hold one of ``places``, of services other than ``roots``.

    Of the services that share a place two are enough to know that it is not ours alone: the cost of a change does not
    grow with how many there are.
    """
    found: dict[str, tuple[Fragment, ...]] = {}
    ours = sorted(roots)
    for device, wanted in places.items():
        hashes = sorted(map(_place, wanted))
        sharing: set[str] = set()
        for first in range(0, len(hashes), PLACES):
            some = {"device": device, "roots": ours, "places": hashes[first : first + PLACES]}
            sharing.update(root for pair in connection.execute(_SHARERS, some) for root in pair)
        found[device] = _of_roots(connection, device, sharing) if sharing else ()
    return found


def sharers(
    connection: Connection, roots: Iterable[str], places: Mapping[str, Iterable[int]]
) -> Mapping[str, frozenset[str]]:
    """Return, by device, every service other than ``roots`` that holds one of ``places``; costs as many rows.

    ``places`` as :func:`place_keys` gives them.
    """
    ours = sorted(roots)
    found: dict[str, frozenset[str]] = {}
    for device, wanted in places.items():
        rows = connection.execute(_ALL_SHARERS, {"device": device, "roots": ours, "places": sorted(wanted)})
        found[device] = frozenset(rows.scalars())
    return found


def replace_fragments(
    uow: UnitOfWork, root_id: str, by_device: Mapping[str, Mapping[Fragment, Iterable[Path]]]
) -> None:
    """Make these the fragments of the service ``root_id`` on these devices; each comes with the places it holds.

    For whoever holds the devices' locks. What the service has elsewhere stays as it is.
    """
    for device, fragments in by_device.items():
        uow.sheet(FragmentSheet).replace(root_id, device, fragments)


@dataclass(frozen=True, slots=True)
class _Fragments:
    """The fragments that a service is to have on a device, with their places."""

    wanted: Mapping[Fragment, Iterable[Path]]
    is_written: bool = False


class FragmentSheet:
    """A :class:`inventory.ledger.Sheet` of fragments and the places they hold."""

    def __init__(self, unit: Open) -> None:
        self._unit = unit
        self._entries: Entries[tuple[str, str], _Fragments] = Entries()
        self.mark, self.undo = self._entries.mark, self._entries.undo

    def replace(self, root_id: str, device: str, fragments: Mapping[Fragment, Iterable[Path]]) -> None:
        """Note what the service is to have on the device."""
        self._entries.put((root_id, device), _Fragments(fragments))

    def flush(self) -> None:
        """Write what is not written yet."""
        changed = dict(self._entries.unwritten())
        if not changed:
            return
        for statement in (_DELETE_FRAGMENTS, _DELETE_PLACES):
            self._unit.reader.execute(statement, {"held": list(changed)})
        rows = [fragment_row(root, fragment) for (root, _), entry in changed.items() for fragment in entry.wanted]
        if rows:
            _INSERT_FRAGMENTS.execute(self._unit.reader, rows)
        wanted: dict[str, dict[Fragment, Iterable[Path]]] = defaultdict(dict)
        for (root, _), entry in changed.items():
            wanted[root].update(entry.wanted)
        _index(self._unit.reader, wanted)
        for key, entry in changed.items():
            self._entries.put(key, replace(entry, is_written=True))


def unindexed(connection: Connection) -> Mapping[str, tuple[Fragment, ...]]:
    """Return the fragments whose places are not known, by the service they belong to: those of an older release."""
    here = tables.fragments.c
    known = select(tables.fragment_places.c.root_id)
    found: dict[str, list[Fragment]] = defaultdict(list)
    for row in connection.execute(select(tables.fragments).where(here.root_id.not_in(known))).mappings():
        found[row["root_id"]].append(fragment_of(row))
    return {root_id: tuple(fragments) for root_id, fragments in found.items()}


def index(uow: UnitOfWork, fragments: Mapping[str, Mapping[Fragment, Iterable[Path]]]) -> None:
    """Keep the places of fragments, by the service they belong to."""
    _index(uow.connection, fragments)


def _index(connection: Connection, fragments: Mapping[str, Mapping[Fragment, Iterable[Path]]]) -> None:
    places = {
        (fragment.device, _place(path), root_id)
        for root_id, held in fragments.items()
        for fragment, paths in held.items()
        for path in paths
    }
    rows = [{"device": device, "place": place, "root_id": root_id} for device, place, root_id in sorted(places)]
    if rows:
        _INSERT_PLACES.execute(connection, rows)


def _of_roots(connection: Connection, device: str, roots: Iterable[str]) -> tuple[Fragment, ...]:
    found = connection.execute(_FRAGMENTS_OF, {"device": device, "roots": sorted(roots)})
    return tuple(fragment_of(row) for row in found.mappings())


def place_keys(places: Mapping[str, Iterable[Path]]) -> Mapping[str, list[int]]:
    """Return, by device, what stands for these places in the database."""
    return {device: sorted(map(_place, paths)) for device, paths in places.items()}


def _place(path: Path) -> int:
    digest = hashlib.blake2b("\0".join(path).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def owners(connection: Connection, service_ids: Iterable[str]) -> Mapping[str, str]:
    """Return which service (root) each of the supporting services with fragments belongs to."""
    return {service_id: root for (service_id, _, _), (root, _) in held_by(connection, service_ids).items()}


def held_by(connection: Connection, service_ids: Iterable[str]) -> Mapping[tuple[str, str, str], tuple[str, Fragment]]:
    """Return every fragment of these services, by service, device and intent, with the service (root) it belongs to."""
    here = tables.fragments.c
    found = connection.execute(select(tables.fragments).where(here.service_id.in_(sorted(service_ids)))).mappings()
    return {(row["service_id"], row["device"], row["intent"]): (row["root_id"], fragment_of(row)) for row in found}


def open_monitors(connection: Connection) -> tuple[Row, ...]:
    """Return every request that has not ended, oldest first, those that wait for people among them."""
    here = tables.monitors.c
    wanted = select(tables.monitors).where(here.state == MonitorState.IN_PROGRESS.value)
    return tuple(row_of(each) for each in connection.execute(wanted.order_by(here.created_at, here.id)))


def store_plan(uow: UnitOfWork, plan: Plan, monitor_id: str) -> None:
    """Keep ``plan`` as it will be pushed; one that was approved is kept already."""
    if uow.reader.execute(select(tables.plans.c.plan_id).where(tables.plans.c.plan_id == plan.plan_id)).first():
        return
    values = {
        "plan_id": plan.plan_id,
        "monitor_id": monitor_id,
        "plan_hash": plan.plan_hash,
        "edits": dump([asdict(edit) for edit in plan.edits]),
        "created_at": uow.now,
    }
    uow.connection.execute(insert(tables.plans).values(values))


def plan_edits(connection: Connection, plan_id: PlanId) -> tuple[DeviceEdit, ...]:
    """Return the edits of a stored plan.

    Raises:
        UnknownResource: no plan has this id.
    """
    statement = select(tables.plans.c.edits).where(tables.plans.c.plan_id == plan_id)
    text = connection.execute(statement).scalar_one_or_none()
    if text is None:
        raise UnknownResource("plan", plan_id)
    return tuple(_edit(values) for values in json.loads(text))


def begin_transaction(uow: UnitOfWork, transaction_id: TransactionId, plan: Plan, monitor_ids: Sequence[str]) -> None:
    """Open the journal of a transaction that pushes ``plan``; its first step is staging."""
    values = {
        "transaction_id": transaction_id,
        "monitor_id": monitor_ids[0],
        "plan_id": plan.plan_id,
        "step": Step.STAGING.value,
        "devices": " ".join(["", *sorted(edit.device for edit in plan.edits if edit.changes), ""]),
        "updated_at": uow.now,
    }
    uow.connection.execute(insert(tables.transactions).values(values))
    members = [{"transaction_id": transaction_id, "monitor_id": monitor_id} for monitor_id in monitor_ids]
    uow.connection.execute(insert(tables.transaction_members), members)
    _write(uow, transaction_id, before="", to=Step.STAGING, detail={"planHash": plan.plan_hash})


def enter_step(
    uow: UnitOfWork, transaction_id: TransactionId, before: Step, to: Step, detail: Mapping[str, Any]
) -> None:
    """Journal that the transaction goes on from ``before`` to ``to``.

    Raises:
        IllegalTransition: the life cycle has no such move.
        StaleState: the transaction is no longer in ``before``.
    """
    TRANSACTION.advance(before, to)
    here = tables.transactions.c
    moved = uow.connection.execute(
        update(tables.transactions)
        .where(here.transaction_id == transaction_id, here.step == before.value)
        .values(step=to.value, updated_at=uow.now)
    )
    if moved.rowcount != 1:
        raise StaleState("device transaction", transaction_id, before)
    _write(uow, transaction_id, before=before, to=to, detail=detail)


def unfinished(connection: Connection, monitor_ids: Collection[str] | None = None) -> tuple[Transaction, ...]:
    """Return the transactions that neither ended nor were rolled back, oldest first; of some monitors if given."""
    here = tables.transactions.c
    statement = select(tables.transactions).where(here.step.in_([step.value for step in UNFINISHED]))
    if monitor_ids is not None:
        members = tables.transaction_members.c
        shared = select(members.transaction_id).where(members.monitor_id.in_(monitor_ids))
        statement = statement.where(here.transaction_id.in_(shared))
    rows = connection.execute(statement.order_by(here.updated_at)).mappings().all()
    return tuple(
        Transaction(
            transaction_id=TransactionId(row["transaction_id"]),
            monitor_ids=_members(connection, row["transaction_id"]),
            edits=plan_edits(connection, PlanId(row["plan_id"])),
            step=Step(row["step"]),
            may_be_committed=_times(connection, row["transaction_id"], Step.COMMITTING) > 0,
            rollbacks=_times(connection, row["transaction_id"], Step.ROLLING_BACK),
        )
        for row in rows
    )


def has_begun(connection: Connection, monitor_id: str) -> bool:
    """Say whether devices may know of what this monitor monitors: a transaction began, and was not rolled back."""
    here, members = tables.transactions.c, tables.transaction_members.c
    found = (
        select(here.transaction_id)
        .join(tables.transaction_members, here.transaction_id == members.transaction_id)
        .where(members.monitor_id == monitor_id, here.step != Step.ROLLED_BACK.value)
    )
    return connection.execute(found.limit(1)).first() is not None


def _members(connection: Connection, transaction_id: str) -> tuple[str, ...]:
    members = tables.transaction_members.c
    wanted = select(members.monitor_id).where(members.transaction_id == transaction_id).order_by(members.monitor_id)
    return tuple(connection.execute(wanted).scalars())


def interrupted_on(connection: Connection, devices: Iterable[str]) -> tuple[TransactionId, ...]:
    """Return the transactions that any of ``devices`` may still carry something of, oldest first.

    For whoever holds the devices' locks: nobody works on these transactions, so that all of them are to be rolled back.
    One that only staged is not among them: that ended with its sessions.
    """
    here, wanted = tables.transactions.c, frozenset(devices)
    statement = select(here.transaction_id, here.plan_id).where(here.step.in_(_REACHED))
    return tuple(
        TransactionId(row.transaction_id)
        for row in connection.execute(statement.order_by(here.updated_at))
        if any(edit.device in wanted for edit in plan_edits(connection, PlanId(row.plan_id)) if edit.changes)
    )


def step_of(connection: Connection, transaction_id: TransactionId) -> Step:
    """Return the step that a transaction has come to."""
    here = tables.transactions.c
    return Step(connection.execute(select(here.step).where(here.transaction_id == transaction_id)).scalar_one())


def journal_of(connection: Connection, monitor_id: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return the journalled steps of a monitor's transactions, oldest first, each with its details."""
    steps, members = tables.journal.c, tables.transaction_members.c
    found = connection.execute(
        select(steps.step, steps.detail)
        .join(tables.transaction_members, steps.transaction_id == members.transaction_id)
        .where(members.monitor_id == monitor_id)
        .order_by(steps.id)
    )
    return tuple((step, json.loads(detail)) for step, detail in found)


def _times(connection: Connection, transaction_id: str, step: Step) -> int:
    """Return how many times the transaction began this step."""
    here = tables.journal.c
    counted = select(func.count()).where(here.transaction_id == transaction_id, here.step == step.value)
    return connection.execute(counted).scalar_one()


def _write(uow: UnitOfWork, transaction_id: TransactionId, *, before: str, to: Step, detail: Mapping[str, Any]) -> None:
    values = {"transaction_id": transaction_id, "step": to.value, "detail": dump(detail), "at": uow.now}
    uow.connection.execute(insert(tables.journal).values(values))
    move = Move(
        resource_kind="deviceTransaction", resource_id=transaction_id, from_state=str(before), to_state=to.value
    )
    uow.record(move)


def fragment_row(root_id: str, fragment: Fragment) -> dict[str, Any]:
    """Return the row that holds a fragment of the service ``root_id``; :func:`fragment_of` reads it."""
    return {
        "service_id": fragment.service_id,
        "device": fragment.device,
        "intent": fragment.intent,
        "root_id": root_id,
        "text": fragment.text,
        "foreign_nodes": dump(sorted(fragment.foreign)),
    }


def fragment_of(row: RowMapping) -> Fragment:
    """Return the fragment that a row of the table holds."""
    return Fragment(
        service_id=ServiceId(row["service_id"]),
        device=row["device"],
        intent=row["intent"],
        text=row["text"],
        foreign=frozenset(tuple(path) for path in json.loads(row["foreign_nodes"])),
    )


def _edit(values: dict[str, Any]) -> DeviceEdit:
    touched = tuple(tuple(path) for path in values["touched"])
    shared_with = tuple(ServiceId(service) for service in values["shared_with"])
    return DeviceEdit(**{**values, "touched": touched, "shared_with": shared_with})
