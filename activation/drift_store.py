"""What is stored about drift: the fragments on a device, what is under way there, how the last check found it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from activation import tables
from activation.fragment_store import fragment_of
from activation.model import Fragment, ServiceId, TransactionId
from activation.states import DRIFT, DriftState
from activation.store import interrupted_on
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore, Row

DRIFTS: Final = DocumentStore(table=tables.drifts, kind="deviceDrift", domain="activation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What the platform has on one device.

    Attributes:
        roots: the service that was activated, by each part with a fragment.
        busy: transactions that may be changing the device right now.
    """

    fragments: tuple[Fragment, ...] = ()
    roots: Mapping[ServiceId, str]
    busy: tuple[TransactionId, ...] = ()


def owned_on(connection: Connection, device: str) -> Owned:
    """Return the fragments on ``device`` and what is under way there."""
    here = tables.fragments.c
    wanted = select(tables.fragments).where(here.device == device).order_by(here.service_id, here.intent)
    rows = connection.execute(wanted).mappings().all()
    return Owned(
        fragments=tuple(map(fragment_of, rows)),
        roots={ServiceId(row["service_id"]): row["root_id"] for row in rows},
        busy=interrupted_on(connection, [device]),
    )


def devices_with_fragments(connection: Connection) -> tuple[str, ...]:
    """Return the names of the devices that carry a service, sorted."""
    here = tables.fragments.c
    return tuple(connection.execute(select(here.device).distinct().order_by(here.device)).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCheck:
    """What came of a device's last check.

    Attributes:
        state: ``inSync``, ``drifted``, ``unreadable`` or ``busy``.
        reason: why it could not be checked.
    """

    device: str
    state: str
    reason: str
    deviations: int
    checked_at: datetime


def note_check(uow: UnitOfWork, checked: LastCheck) -> None:
    """Write that a device was checked; what the check before found is forgotten."""
    here = tables.device_checks
    values = asdict(checked)
    found = uow.connection.execute(update(here).where(here.c.device == checked.device).values(values))
    if not found.rowcount:
        uow.connection.execute(insert(here).values(values))


def last_checks(connection: Connection) -> Mapping[str, LastCheck]:
    """Return what came of the last check of each device that ever was checked, by its name."""
    rows = connection.execute(select(tables.device_checks).order_by(tables.device_checks.c.device)).mappings()
    return {row["device"]: LastCheck(**{**row, "checked_at": _aware(row["checked_at"])}) for row in rows}


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def note(uow: UnitOfWork, device: str, state: DriftState, document: Mapping[str, Any]) -> bool:
    """Write how a check found ``device``; return whether that is news, of which an event tells."""
    before = DRIFTS.find(uow, device)
    told = {**document, "state": state.value}
    if before is None:
        if state == DriftState.IN_SYNC:
            return False
        DRIFTS.insert(uow, Row(id=device, state=state, correlation_id=device, document=told))
        return True
    if before.document == told:
        return False
    if before.state != state:
        DRIFT.advance(DriftState(before.state), state)
    DRIFTS.save(uow, before, replace(before, state=state, document=told))
    return True
