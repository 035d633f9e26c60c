"""The life cycles of this package as data."""

from enum import StrEnum
from typing import Final

from inventory.lifecycle import Lifecycle


class MonitorState(StrEnum):
    """TMF640's words for an asynchronous request."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    IN_ERROR = "InError"


MONITOR: Final = Lifecycle(
    name="Monitor (TMF640)",
    initial=frozenset({MonitorState.IN_PROGRESS}),
    transitions={MonitorState.IN_PROGRESS: frozenset({MonitorState.COMPLETED, MonitorState.IN_ERROR})},
)


class ServiceState(StrEnum):
    """TMF640's states of a service. A retired service is a row that was removed."""

    FEASIBILITY_CHECKED = "feasibilityChecked"
    DESIGNED = "designed"
    RESERVED = "reserved"
    INACTIVE = "inactive"
    ACTIVE = "active"
    TERMINATED = "terminated"


_PREPARED: Final = frozenset(
    {ServiceState.DESIGNED, ServiceState.RESERVED, ServiceState.INACTIVE, ServiceState.ACTIVE},
)

SERVICE: Final = Lifecycle(
    name="Service (TMF640)",
    initial=_PREPARED | {ServiceState.FEASIBILITY_CHECKED},
    transitions={
        ServiceState.FEASIBILITY_CHECKED: _PREPARED | {ServiceState.FEASIBILITY_CHECKED},
        ServiceState.DESIGNED: _PREPARED,
        ServiceState.RESERVED: _PREPARED,
        # TM Forum's diagram ends a service only from active; nobody puts one into service in order to end it.
        ServiceState.INACTIVE: frozenset({ServiceState.INACTIVE, ServiceState.ACTIVE, ServiceState.TERMINATED}),
        ServiceState.ACTIVE: frozenset({ServiceState.ACTIVE, ServiceState.INACTIVE, ServiceState.TERMINATED}),
        ServiceState.TERMINATED: frozenset({ServiceState.ACTIVE}),
    },
)

TAKEN_BACK: Final = Lifecycle(
    name="Service (TMF640) whose transaction is rolled back",
    initial=frozenset(),
    transitions={
        # Reserved again: it left the devices, what it uses stays its own.
        ServiceState.ACTIVE: frozenset({ServiceState.INACTIVE, ServiceState.RESERVED}),
        ServiceState.INACTIVE: frozenset({ServiceState.ACTIVE, ServiceState.RESERVED}),
        ServiceState.RESERVED: frozenset({ServiceState.ACTIVE, ServiceState.INACTIVE}),
        ServiceState.TERMINATED: frozenset({ServiceState.ACTIVE, ServiceState.INACTIVE}),
    },
)
"""What an engineer's rollback may do to a service; no request over TMF640 may."""

STAGED: Final = frozenset({ServiceState.FEASIBILITY_CHECKED, ServiceState.DESIGNED, ServiceState.RESERVED})
"""Planned and stored; nothing of the service is on any device."""
CONFIGURED: Final = frozenset({ServiceState.INACTIVE, ServiceState.ACTIVE})
"""On the devices, in service or not."""


class Step(StrEnum):
    """How far a network-wide transaction has come; journalled before the step is taken."""

    STAGING = "staging"
    COMMITTING = "committing"
    READING_BACK = "readingBack"
    CONFIRMING = "confirming"
    DONE = "done"
    ROLLING_BACK = "rollingBack"
    ROLLED_BACK = "rolledBack"
    ROLLBACK_FAILED = "rollbackFailed"
    """Some device may not be as it was before: an engineer has to look."""


TRANSACTION: Final = Lifecycle(
    name="device transaction",
    initial=frozenset({Step.STAGING}),
    transitions={
        Step.STAGING: frozenset({Step.COMMITTING, Step.ROLLING_BACK}),
        Step.COMMITTING: frozenset({Step.READING_BACK, Step.ROLLING_BACK}),
        Step.READING_BACK: frozenset({Step.CONFIRMING, Step.ROLLING_BACK}),
        Step.CONFIRMING: frozenset({Step.DONE, Step.ROLLING_BACK}),
        # A crash while rolling back is followed by rolling back again.
        Step.ROLLING_BACK: frozenset({Step.ROLLING_BACK, Step.ROLLED_BACK, Step.ROLLBACK_FAILED}),
    },
)


class DriftState(StrEnum):
    """How a device was found by its last check."""

    IN_SYNC = "inSync"
    DRIFTED = "drifted"


DRIFT: Final = Lifecycle(
    name="device against its intended configuration",
    initial=frozenset(DriftState),
    transitions={
        DriftState.IN_SYNC: frozenset({DriftState.DRIFTED}),
        DriftState.DRIFTED: frozenset({DriftState.IN_SYNC}),
    },
)


class ReviewState(StrEnum):
    """Where a plan stands with the people who have to agree to it."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    """Another plan took its place, or its activation ended without it."""


REVIEW: Final = Lifecycle(
    name="review",
    initial=frozenset({ReviewState.WAITING}),
    transitions={
        ReviewState.WAITING: frozenset({ReviewState.APPROVED, ReviewState.REJECTED, ReviewState.SUPERSEDED}),
        ReviewState.APPROVED: frozenset({ReviewState.SUPERSEDED}),
    },
)
