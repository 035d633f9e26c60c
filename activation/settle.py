"""How an activation ends: fragments, service and monitor in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from activation.errors import DeviceError
from activation.model import Fragment, Path
from activation.report import Report, error_documents
from activation.reviews import REVIEW_ID, close
from activation.service_activation import HEADER, Request
from activation.states import MONITOR, SERVICE, MonitorState, ServiceState
from activation.store import MONITORS, SERVICES, replace_fragments
from inventory.documents import Document
from inventory.ledger import Transactions, UnitOfWork
from inventory.store import Row, dump


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
        for monitor_id, report in ending:
            fail(uow, monitor_id, report, failures, rollback_failures)


def complete(uow: UnitOfWork, monitor_id: str, report: Report, fragments: Mapping[Fragment, frozenset[Path]]) -> None:
    """Write that every device carries the service's ``fragments``, each with the places it holds."""
    monitor = MONITORS.get(uow, monitor_id)
    request = Request.of(monitor)
    replace_fragments(uow, request.service_id, fragments)
    service = _activated(uow, monitor, request) if request.service is not None else _terminated(uow, request)
    status = "200" if request.service is not None else "204"
    response = {"statusCode": status, "body": dump(service) if service else "", "header": list(HEADER)}
    _end(uow, monitor, MonitorState.COMPLETED, {**report.document(), "response": response})


def fail(
    uow: UnitOfWork,
    monitor_id: str,
    report: Report,
    failures: Iterable[Exception],
    rollback_failures: Iterable[DeviceError] = (),
) -> None:
    """Write why nothing was activated; a service that never stood goes away again."""
    monitor = MONITORS.get(uow, monitor_id)
    errors = error_documents(failures, rollback_failures)
    service = SERVICES.find(uow, Request.of(monitor).service_id)
    if service is not None and service.state == ServiceState.DESIGNED:
        SERVICES.remove(uow, service)
    response = {"statusCode": "409", "body": dump(errors), "header": list(HEADER)}
    additions = {**report.document(), "errorMessage": errors, "response": response}
    _end(uow, monitor, MonitorState.IN_ERROR, additions)


def _end(uow: UnitOfWork, monitor: Row, state: MonitorState, additions: Mapping[str, Any]) -> None:
    MONITOR.advance(MonitorState(monitor.state), state)
    document = {**monitor.document, **additions, "state": state.value}
    reason = "; ".join(error["message"] for error in additions.get("errorMessage", ()))
    ended = MONITORS.save(uow, monitor, replace(monitor, state=state, document=document), reason=reason)
    if REVIEW_ID in ended.task:
        close(uow, ended, f"its activation ended: {reason or state.value}")


def _activated(uow: UnitOfWork, monitor: Row, request: Request) -> Document:
    document = _in_state(request.service or {}, ServiceState.ACTIVE)
    before = SERVICES.find(uow, request.service_id)
    if before is None:
        row = Row(
            id=request.service_id,
            state=ServiceState.ACTIVE,
            external_id=monitor.external_id,
            correlation_id=monitor.correlation_id,
            document=document,
        )
        SERVICES.insert(uow, row)
    else:
        SERVICE.advance(ServiceState(before.state), ServiceState.ACTIVE)
        SERVICES.save(uow, before, replace(before, state=ServiceState.ACTIVE, document=document))
    return document


def _terminated(uow: UnitOfWork, request: Request) -> Document | None:
    before = SERVICES.find(uow, request.service_id)
    if before is None or before.state == ServiceState.TERMINATED:
        return None
    if before.state == ServiceState.DESIGNED:
        SERVICES.remove(uow, before)
        return None
    SERVICE.advance(ServiceState(before.state), ServiceState.TERMINATED)
    document = _in_state(before.document, ServiceState.TERMINATED)
    SERVICES.save(uow, before, replace(before, state=ServiceState.TERMINATED, document=document))
    return document


def _in_state(service: Document, state: ServiceState) -> Document:
    supporting = [{**part, "state": state.value} for part in service.get("supportingService", ())]
    return {**service, "state": state.value, **({"supportingService": supporting} if supporting else {})}
