"""Reading events back from the outbox, as the jobs they caused carry them."""

import json
from typing import Any, Final

from sqlalchemy import RowMapping

from inventory.ledger import Event

_FACTS: Final = ("event_type", "domain", "resource_kind", "resource_id", "correlation_id")
CARRIED: Final = (*_FACTS, "document")
"""The columns of the outbox that a claimed job's row must have."""


def event_of(row: RowMapping) -> Event | None:
    """Return the event of a job's row that was joined with the outbox; None where no event caused the job."""
    if row["event_type"] is None:
        return None
    facts: dict[str, Any] = {name: row[name] for name in _FACTS}
    return Event(**facts, document=json.loads(row["document"]))
