"""From a repair that was asked for to the changes of fragments that it is today."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from activation import fragment_store
from activation.contracts import Returns
from activation.desired import Renderings, changes
from activation.drift_store import owned_on
from activation.dry_run import Mending
from activation.errors import ActivationError, NothingToRepair, PlanError, RollbackRefused
from activation.model import FragmentChange
from activation.past_store import record_of, records_after
from activation.platforms import Platform
from activation.repair import adopt, reapply
from activation.repair_requests import RepairRequest
from activation.repair_work import LEGAL, ROLLED_BACK, Comeback, RepairWork
from activation.service_activation import is_direct
from activation.states import ServiceState
from activation.store import SERVICES
from activation.undo import key_of, undo
from activation.unique import claims
from activation.work import fragments_in
from inventory.documents import Document
from inventory.errors import InventoryError
from inventory.ledger import Transactions
from inventory.store import Row


class _Rehearsed(Exception):
    """What was to be found out is known: ends a transaction that is to leave nothing behind."""


REDEPLOYED: Final = frozenset({ServiceState.ACTIVE, ServiceState.INACTIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """Turns repairs into work; reads the database alone."""

    renderings: Renderings
    platform: Callable[[str], Platform]
    returns: Returns | None = None

    def work(self, request: RepairRequest, transactions: Transactions) -> RepairWork:
        """Return what ``request`` changes now.

        Raises:
            ActivationError: it cannot be done; says why and what is legal.
            UnknownResource: no such service, device or transaction.
        """
        if request.action == "redeploy":
            return self._redeployed(request, transactions)
        if request.action == "rollback":
            return self._rolled_back(request, transactions)
        return self._reconciled(request, transactions)

    def foreseen(
        self, requests: Iterable[object], transactions: Transactions
    ) -> tuple[Mapping[RepairRequest, Mending | None], Sequence[str]]:
        """Return what those of ``requests`` that are repairs change now, and why others of them will fail."""
        found: dict[RepairRequest, Mending | None] = {}
        failing: list[str] = []
        for request in (each for each in requests if isinstance(each, RepairRequest)):
            try:
                found[request] = Mending(request=request, work=self.work(request, transactions))
            except (ActivationError, InventoryError) as error:
                found[request] = None
                failing.append(f"{request.action} of {request.subject} is left out, it will fail: {error}")
        return found, failing

    def _reconciled(self, request: RepairRequest, transactions: Transactions) -> RepairWork:
        device, platform = request.subject, self.platform(request.subject)
        if request.action == "reapply":
            made = reapply(device, platform, request.deviations)
            return RepairWork(root_id=device, old=(), by_device={device: made})
        with transactions.read() as connection:
            owned = owned_on(connection, device)
        made = adopt(device, platform, request.deviations, owned.fragments)
        if not made:
            raise NothingToRepair(f"{device}: what was to be adopted is intended already")
        parts = _parts([made])
        owners = {str(part): root for part, root in owned.roots.items() if part in parts}
        return RepairWork(root_id=device, old=(), by_device={device: made}, owners=owners, may_push=False)

    def _rolled_back(self, request: RepairRequest, transactions: Transactions) -> RepairWork:
        with transactions.read() as connection:
            first = record_of(connection, request.subject)
            later = records_after(connection, first)
            chain = (first, *later)
            owners = {part: root for record in chain for part, root in record.owners.items()}
            held = fragment_store.held_by(connection, owners)
            today = {key_of(FragmentChange(old=fragment, new=None)): fragment for _, fragment in held.values()}
            done = undo(first.past, [each.past for each in later], today, with_later=request.with_later)
            undone = [record for record in chain if record.past.transaction_id in done.undone]
            before = {key: document for record in reversed(undone) for key, document in record.services.items()}
            rows = SERVICES.many(connection, list(before))
        services = {key: each for key, each in before.items() if each is not None or not _has_ended(rows.get(key))}
        if not done.changes and not services:
            raise RollbackRefused(f"{request.subject}: nothing of it is left; there is nothing to undo")
        made: dict[str, list[FragmentChange]] = {}
        for change in done.changes:
            made.setdefault(next(fragments_in([change])).device, []).append(change)
        comeback = self._comeback(services, rows)
        return RepairWork(
            root_id=request.subject,
            old=(),
            by_device={device: tuple(changes) for device, changes in sorted(made.items())},
            owners=owners,
            services=services,
            comeback=comeback,
            regained=_rehearsed(comeback, transactions) if comeback.claims else {},
        )

    def _comeback(self, services: Mapping[str, Document | None], rows: Mapping[str, Row]) -> Comeback:
        """Return those of ``services`` that have ended and are to be there again.

        Raises:
            RollbackRefused: one was forgotten altogether, or its inventories are not in reach.
        """
        wanted = {key: document for key, document in services.items() if document is not None}
        if gone := sorted(wanted.keys() - rows.keys()):
            raise RollbackRefused(f"{', '.join(gone)}: ended and forgotten since; {LEGAL}")
        back = {key: document for key, document in wanted.items() if _has_ended(rows[key])}
        ordered = tuple(sorted(key for key in back if not is_direct(rows[key])))
        if ordered and self.returns is None:
            raise RollbackRefused(
                f"{', '.join(ordered)}: ended since, and the inventories are another process's; legal: order it anew"
            )
        claimed = {key: claims(self.renderings.intents, document) for key, document in back.items()}
        return Comeback(claims=claimed, ordered=ordered, returns=self.returns if ordered else None)

    def _redeployed(self, request: RepairRequest, transactions: Transactions) -> RepairWork:
        with transactions.read() as connection:
            service = SERVICES.get(connection, request.subject)
            old = fragment_store.fragments_of(connection, [request.subject])[request.subject]
        was_rolled_back = bool(service.task.get(ROLLED_BACK))
        if service.state not in REDEPLOYED and not was_rolled_back:
            legal = ", ".join(sorted(REDEPLOYED))
            raise PlanError(
                f"service {request.subject} is {service.state}; legal: {legal}, or one that was rolled back"
            )
        made = changes(old, self.renderings.fragments(service.document))
        owners = dict.fromkeys(_parts(made.values()), request.subject)
        documents: dict[str, Document | None] = {}
        if was_rolled_back:
            documents = {request.subject: {**service.document, "state": ServiceState.ACTIVE.value}}
        return RepairWork(root_id=request.subject, old=old, by_device=made, owners=owners, services=documents)


def consequences(work: RepairWork) -> tuple[str, ...]:
    """Return what the inventories and reservations will not follow by themselves, and what comes back, in words."""
    if not work.services or all(each is not None and each["id"] == work.root_id for each in work.services.values()):
        return ()
    again = ", ".join(work.regained.values())
    return tuple(
        _back(service_id, again if service_id in work.comeback.ordered else "")
        if service_id in work.comeback.claims
        else _consequence(service_id, is_new=before is None)
        for service_id, before in sorted(work.services.items())
    )


def _back(service_id: str, regained: str) -> str:
    used = f" and reserves again what it used: {regained}" if regained else ""
    return f"service {service_id} comes back{used}; the inventories show it as active, as it was when it was ended"


def _consequence(service_id: str, *, is_new: bool) -> str:
    if is_new:
        return (
            f"service {service_id} leaves the devices; the inventories still show it and its resources stay reserved: "
            f"'lastmile redeploy {service_id}' puts it back, a cease order ends it"
        )
    return (
        f"service {service_id} goes back to what it was; the product inventory still says what was ordered last: "
        f"'lastmile redeploy' does not change that, an order does"
    )


def _has_ended(service: Row | None) -> bool:
    return service is None or service.state == ServiceState.TERMINATED


def _rehearsed(comeback: Comeback, transactions: Transactions) -> Mapping[str, str]:
    """Return the names of what would be taken again, by id; nothing of that is kept.

    Raises:
        RollbackRefused: something is another's by now; says whose.
    """
    held: Mapping[str, str] = {}
    try:
        with transactions.begin() as uow:
            held = comeback.hold(uow)
            _leave_nothing()
    except _Rehearsed:
        return held


def _leave_nothing() -> NoReturn:
    raise _Rehearsed


def _parts(made: Iterable[Iterable[FragmentChange]]) -> set[str]:
    return {fragment.service_id for each in made for fragment in fragments_in(each)}
