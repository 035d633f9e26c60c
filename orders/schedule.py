"""When an order is begun, and when it is late. Pure."""

from datetime import datetime

from inventory.documents import Document


def starts_at(order: Document, now: datetime) -> datetime | None:
    """Return when the order is to be begun, where that is not yet."""
    return _later(order.get("requestedStartDate"), now)


def late_at(order: Document, now: datetime) -> datetime | None:
    """Return from when on the order is late, where it is not yet."""
    return _later(order.get("requestedCompletionDate"), now)


def _later(date: str | None, now: datetime) -> datetime | None:
    at = datetime.fromisoformat(date) if date is not None else now
    return at if at > now else None
