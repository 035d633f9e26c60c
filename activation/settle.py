"""How an activation ends: fragments, service, claims and monitor in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from activation.claim_store import ClaimSheet
from activation.errors import DeviceError
from activation.fragment_store import replace_fragments
from activation.model import Fragment
from activation.places import Places
from activation.report import Report, error_documents, status_of
from activation.reviews import REVIEW_ID, close
from activation.service_activation import HEADER, Request, is_direct, pending, run_job, stands
from activation.service_documents import in_state, state_of
from activation.states import MONITOR, SERVICE, STAGED, MonitorState, ServiceState
from activation.store import MONITORS, SERVICES
from inventory.documents import Document
from inventory.ledger import NewJob, Transactions, UnitOfWork
from inventory.store import Row, dump

HELD: Final = "held"
"""Where a rollback's private data names what it took for services that come back."""
GIVE_BACK: Final = "activation.give_back"
"""The job that gives back the resources that were taken for services which then did not come back."""
CLAIMS_KEPT: Final = "claimsKept"
"""The code of what a monitor tells of values that nobody else gets because a device may still carry them."""
ROLLBACK: Final = "rollback"
"""Where a monitor tells of a rollback that waits for a device."""


def is_open(monitor: Row) -> bool:
    """Say whether what ``monitor`` monitors has not ended yet."""
    return not MONITOR.is_final(MonitorState(monitor.state))


def fail_all(
    transactions: Transactions,
    ending: Iterable[tuple[str, Report]],
    failures: Sequence[Exception],
    rollback_failures: Sequence[DeviceError] = (),
) -> None:
    """Write of several monitors, each by its id and with what is known of it, why nothing was activated."""
    with transactions.begin() as uow:
        listed = list(ending)
        foresee(uow, [monitor_id for monitor_id, _ in listed])
        for monitor_id, report in listed:
            fail(uow, monitor_id, report, failures, rollback_failures)


def foresee(
    uow: UnitOfWork, monitor_ids: Sequence[str], monitors: Iterable[Row] = (), services: Iterable[Row] = ()
) -> None:
    """Read these monitors and their services with a statement each, as many of them are about to end.

    ``monitors`` and ``services`` are what was read before of some.
    """
    MONITORS.prefetch(uow, monitor_ids, monitors)
    tasks = (monitor.task for monitor_id in monitor_ids if (monitor := MONITORS.find(uow, monitor_id)) is not None)
    SERVICES.prefetch(uow, {task["serviceId"] for task in tasks if task.get("serviceId")}, services)


def complete(
    uow: UnitOfWork,
    monitor_id: str,
    report: Report,
    fragments: Mapping[str, Mapping[Fragment, Places]] | None,
    claims: Sequence[str] = (),
) -> None:
    """Write that the devices carry the service's ``fragments``, by device, each with the places it holds.

    None: the service is planned and stored, and nothing was pushed. ``claims`` is what it now has for itself.
    """
    monitor = MONITORS.get(uow, monitor_id)
    if not is_open(monitor):
        # Cancelled in the meantime: there was nothing to push, so no device knows of it.
        return
    request = Request.of(monitor)
    if fragments is not None:
        replace_fragments(uow, request.service_id, fragments)
    before = SERVICES.find(uow, request.service_id)
    if request.action == "delete":
        _terminated(uow, monitor, before)
        response = _response("204", "")
    else:
        service = _arrived(uow, monitor, before, claims)
        response = _response("201" if request.action == "add" else "200", dump(service))
    _go_on(uow, monitor, before)
    end_monitor(uow, monitor, MonitorState.COMPLETED, {**report.document(), "response": response})


def fail(
    uow: UnitOfWork,
    monitor_id: str,
    report: Report,
    failures: Iterable[Exception],
    rollback_failures: Sequence[DeviceError] = (),
) -> None:
    """Write why nothing was activated; a service that never stood goes away again. What has ended stays as it is.

    What it was to have for itself is given back, unless a device may still carry it: until an engineer says that it
    does not (:mod:`activation.claim_release`), nobody else gets it.
    """
    monitor = MONITORS.get(uow, monitor_id)
    if not is_open(monitor):
        return
    errors = error_documents(failures, rollback_failures)
    left = [error.device for error in rollback_failures]
    service = SERVICES.find(uow, Request.of(monitor).service_id)
    if service is not None:
        kept = _forget(uow, monitor, service, may_be_carried=bool(left))
        errors += _kept_documents(service.id, kept, left)
    _go_on(uow, monitor, service)
    if HELD in monitor.task and not rollback_failures:
        _give_back(uow, monitor)
    response = _response(status_of(errors), dump(errors))
    additions = {**report.document(), "errorMessage": errors, "response": response}
    end_monitor(uow, monitor, MonitorState.IN_ERROR, additions)


def end_monitor(uow: UnitOfWork, monitor: Row, state: MonitorState, additions: Mapping[str, Any]) -> None:
    """Write how what ``monitor`` monitors has ended."""
    MONITOR.advance(MonitorState(monitor.state), state)
    told = {name: value for name, value in monitor.document.items() if name != ROLLBACK}
    document = {**told, **additions, "state": state.value}
    reason = "; ".join(error["message"] for error in additions.get("errorMessage", ()))
    ended = MONITORS.save(uow, monitor, replace(monitor, state=state, document=document), reason=reason)
    if REVIEW_ID in ended.task:
        close(uow, ended, f"its activation ended: {reason or state.value}")


def _response(status: str, body: str) -> dict[str, Any]:
    return {"statusCode": status, "body": body, "header": list(HEADER)}


def _arrived(uow: UnitOfWork, monitor: Row, before: Row | None, claims: Sequence[str]) -> Document:
    """Store the service as it is now on the devices, or planned."""
    request = Request.of(monitor)
    wanted = request.wanted(before.document if before is not None else None) or {}
    state = state_of(wanted)
    document = in_state(wanted, state)
    if before is None:
        row = Row(
            id=request.service_id,
            state=state,
            external_id=monitor.external_id,
            correlation_id=monitor.correlation_id,
            document=document,
            task={"stands": True, "claims": claims},
        )
        SERVICES.insert(uow, row)
        return document
    if stands(before):
        SERVICE.advance(ServiceState(before.state), state)
    _release(uow, monitor, before, live=claims)
    task = {**before.task, "stands": True, "claims": claims, "pending": _left(monitor, before)}
    SERVICES.save(uow, before, replace(before, state=state, document=document, task=task))
    return document


def _terminated(uow: UnitOfWork, monitor: Row, before: Row | None) -> None:
    """Store that the service has ended; one that nobody keeps is removed."""
    if before is None:
        return
    state = ServiceState(before.state)
    if not stands(before) or state in STAGED or (state is ServiceState.TERMINATED and is_direct(before)):
        _remove(uow, monitor, before)
        return
    _release(uow, monitor, before, live=())
    task = {**before.task, "claims": (), "pending": _left(monitor, before)}
    if state is ServiceState.TERMINATED:
        SERVICES.save(uow, before, replace(before, task=task))
        return
    SERVICE.advance(state, ServiceState.TERMINATED)
    document = in_state(before.document, ServiceState.TERMINATED)
    after = replace(before, state=ServiceState.TERMINATED, document=document, task=task)
    if is_direct(before):
        # Its client may use the name again, for a service of today.
        after = replace(after, external_id=None, task={**task, "isDirect": True})
    SERVICES.save(uow, before, after)


def _give_back(uow: UnitOfWork, monitor: Row) -> None:
    """Give back what was taken for services that do not come back: no device has anything of them."""
    held = monitor.task[HELD]
    for service_id, claims in held["claims"].items():
        uow.sheet(ClaimSheet).release(service_id, claims)
    if held["resources"]:
        payload = {"resources": held["resources"]}
        uow.enqueue(NewJob(kind=GIVE_BACK, lane=f"repair:{monitor.id}", payload=payload))


def _forget(uow: UnitOfWork, monitor: Row, service: Row, *, may_be_carried: bool) -> Sequence[str]:
    """Take a request that failed out of what the service waits for; return the claims that stay for a device's sake."""
    kept = _claimed(monitor) if may_be_carried else ()
    if not stands(service):
        _remove(uow, monitor, service, kept)
        return kept
    live = service.task.get("claims", ())
    _release(uow, monitor, service, live=[*live, *kept])
    if monitor.id in pending(service):
        SERVICES.save(uow, service, replace(service, task={**service.task, "pending": _left(monitor, service)}))
    return [claim for claim in kept if claim not in live]


def _kept_documents(service_id: str, claims: Sequence[str], devices: Sequence[str]) -> list[dict[str, Any]]:
    """Return what a monitor tells of claims that are kept until somebody has looked at the devices."""
    if not claims:
        return []
    text = (
        f"still service {service_id}'s until the devices are mended: {'; '.join(claims)}; "
        f"then: lastmile service release {service_id}"
    )
    return [{"code": CLAIMS_KEPT, "reason": "a device may still carry it", "message": text, "device": devices[0]}]


def _remove(uow: UnitOfWork, monitor: Row, service: Row, kept: Sequence[str] = ()) -> None:
    """Forget the service, with what it and those that wait for it would have had: they find nothing to change."""
    waiting = [MONITORS.get(uow, each) for each in _left(monitor, service)]
    held = {*service.task.get("claims", ()), *(claim for each in (monitor, *waiting) for claim in _claimed(each))}
    if loose := held.difference(kept):
        uow.sheet(ClaimSheet).release(service.id, sorted(loose))
    SERVICES.remove(uow, service)


def _go_on(uow: UnitOfWork, monitor: Row, before: Row | None) -> None:
    """Let those go on that came behind this request; where the service is gone, all of them find that out."""
    left = _left(monitor, before) if before is not None else []
    is_gone = before is not None and SERVICES.find(uow, before.id) is None
    for each in left if is_gone else left[:1]:
        uow.enqueue(run_job(Request.of(monitor).service_id, each))


def _release(uow: UnitOfWork, monitor: Row, service: Row, *, live: Sequence[str]) -> None:
    """Give back what neither the service has (``live``) nor any request that waits for its turn is to have."""
    held = {*service.task.get("claims", ()), *_claimed(monitor)}
    if loose := held.difference(live):
        waiting = (MONITORS.get(uow, each) for each in _left(monitor, service))
        uow.sheet(ClaimSheet).release(service.id, sorted(loose.difference(*map(_claimed, waiting))))


def _left(monitor: Row, service: Row) -> list[str]:
    return [each for each in pending(service) if each != monitor.id]


def _claimed(monitor: Row) -> Sequence[str]:
    found: Sequence[str] = monitor.task.get("claims", ())
    return found
