"""Takes repairs at the door: looks at the device, chooses what is meant, plans it, and hands it to the core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from activation.check_sync import SyncCheck
from activation.drift import Deviation
from activation.engine import ActivationCore
from activation.errors import NothingToRepair
from activation.model import DeviceEdit
from activation.repair import chosen
from activation.repair_requests import RepairAction, RepairRequest, Told, accept
from activation.store import MONITORS
from api.errors import BadRequest
from api.http.once import Once
from api.runtime.database import Database
from inventory.documents import Document

KNOWN: Final = frozenset({"action", "subject", "paths", "remove", "byPolicy", "withLater"})
_RECONCILING: Final = frozenset({"reapply", "adopt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairDesk:
    """Where repairs are asked for."""

    core: ActivationCore
    checks: SyncCheck
    database: Database

    def dry_run(self, body: Document) -> Document:
        """Return what a repair would do now; nothing is stored, nothing is pushed.

        Raises:
            BadRequest: the body does not say what is to be done.
            ActivationError: it cannot be done; says why and what is legal.
            UnknownResource: no such device, service or transaction.
        """
        request = self._request(body)
        plan, consequences = self.core.foresee(request, self.database)
        return {
            "action": request.action,
            "subject": request.subject,
            "deviations": [{"kind": each.kind, "path": each.place} for each in request.deviations],
            "devices": [_device(edit) for edit in plan.edits],
            "consequences": list(consequences),
        }

    def take(self, body: Document, *, actor: str, once: Once) -> Document:
        """Store the request for a repair and return its monitor; of the same request again, that of the first.

        Raises:
            BadRequest, ActivationError, UnknownResource: as for :meth:`dry_run`.
            KeyReused: the request's key came with another body before.
        """
        # A repair that is done leaves nothing to be repaired: whether it came before is asked before the devices are.
        with self.database.begin(actor=actor) as uow:
            if known := once.known(uow, body):
                return MONITORS.get(uow, known).document
        request = self._request(body)
        _, consequences = self.core.foresee(request, self.database)
        told = Told(body=body, consequences=consequences)
        with self.database.begin(actor=actor) as uow:
            key = once(uow, body, lambda: str(accept(uow, request, told)["id"]))
            return MONITORS.get(uow, key).document

    def _request(self, body: Document) -> RepairRequest:
        action, subject = _checked(body)
        if action not in _RECONCILING:
            return RepairRequest(action=action, subject=subject, with_later=bool(body.get("withLater", False)))
        (checked,) = self.checks.run([subject], self.database)
        if checked.error is not None:
            raise checked.error
        if checked.drift is None:
            raise NothingToRepair(f"{subject} is being changed by {', '.join(checked.busy)}; legal: try again")
        found = _meant(action, body, checked.drift.deviations)
        if not found:
            raise NothingToRepair(f"{subject}: nothing to {action}; 'lastmile drift {subject}' shows what deviates")
        return RepairRequest(action=action, subject=subject, deviations=found)


def _meant(action: str, body: Document, deviations: Sequence[Deviation]) -> tuple[Deviation, ...]:
    if body.get("byPolicy"):
        return tuple(each for each in deviations if each.policy == action)
    paths, remove = list(body.get("paths", ())), list(body.get("remove", ()))
    if action == "adopt":
        return chosen(deviations, paths)
    foreign = [each for each in deviations if each.kind == "foreign"]
    ours = [each for each in deviations if each.kind != "foreign"]
    back = chosen(ours, paths) if paths or not remove else ()
    return (*back, *(chosen(foreign, remove) if remove else ()))


def _checked(body: Document) -> tuple[RepairAction, str]:
    if unknown := sorted(set(body) - KNOWN):
        raise BadRequest(f"{', '.join(unknown)}: not known here; legal: {', '.join(sorted(KNOWN))}")
    action, subject = body.get("action"), body.get("subject")
    if action not in get_args(RepairAction):
        raise BadRequest(f"action: {action!r}; legal: {', '.join(get_args(RepairAction))}")
    if not isinstance(subject, str) or not subject:
        raise BadRequest(f"subject: {subject!r}; legal: a device (reapply, adopt), a service or a transaction")
    for name in ("paths", "remove"):
        found = body.get(name, [])
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise BadRequest(f"{name}: must be an array of paths, as 'lastmile drift' shows them; '*' for any text")
    return cast("RepairAction", action), subject


def _device(edit: DeviceEdit) -> Mapping[str, Any]:
    return {name: getattr(edit, name) for name in ("device", "platform", "diff", "edit")}
