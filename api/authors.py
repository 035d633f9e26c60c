"""Who ordered what, as the history has it."""

from sqlalchemy import select

from api.runtime.tables import moves
from inventory.ledger import UnitOfWork


class RecordedAuthors:
    """:class:`activation.contracts.Authors` over the history."""

    def author_of(self, uow: UnitOfWork, monitor_id: str, correlation_id: str) -> str:
        """Return who sent the request itself, or the order that it follows from; empty where nobody did."""
        wanted = (
            select(moves.c.resource_id, moves.c.actor)
            .where(moves.c.resource_id.in_([monitor_id, correlation_id]), moves.c.from_state == "", moves.c.actor != "")
            .order_by(moves.c.sequence)
        )
        found: dict[str, str] = {}
        for row in uow.connection.execute(wanted):
            found.setdefault(row.resource_id, row.actor)
        return found.get(monitor_id) or found.get(correlation_id, "")
