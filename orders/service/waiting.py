"""For whom or what an item waits, as its order tells everybody. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from orders.documents import stamp
from orders.service.model import ItemTask

REVIEW: Final = "review"


def waits_for_review(task: ItemTask, review: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return that the item's plan waits for people; since when is kept."""
    since = task.waits["since"] if task.waits is not None and task.waits_for == REVIEW else stamp(now)
    return {
        "item": task.item_id,
        "for": REVIEW,
        "since": since,
        "text": f"{review['because']}; {review['href']}",
        "legal": ["hold", "cancel", "note"],
    }
