"""The watch over events sees what is wrong, and what is right."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.api.strict_events import SeenEvents

pytestmark = pytest.mark.shared


@pytest.mark.parametrize(("state", "faults"), [("held", 0), ("upset", 1)])
def test_an_event_is_checked_against_the_file_of_its_api(shared: Path, state: str, faults: int) -> None:
    seen = SeenEvents(folder=shared)
    row = {
        "event_id": "e1",
        "event_type": "ProductOrderStateChangeEvent",
        "domain": "product",
        "resource_kind": "productOrder",
        "resource_id": "1",
        "correlation_id": "1",
        "occurred_at": datetime(2026, 1, 2, tzinfo=UTC),
        "document": {"id": "1", "state": state, "productOrderItem": [{"id": "1", "action": "add"}]},
    }
    seen.look(row)
    assert len(seen.faults) == faults
    assert seen.checked.total() > 0
