"""For whom or what an item waits, as its order tells everybody. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from orders.catalog.model import CustomerService, ManualTask
from orders.documents import stamp
from orders.service.model import ItemTask, Phase
from orders.states import OrderState

REVIEW: Final = "review"
ENGINEER: Final = "engineer"
DEVICE: Final = "device"
MANUAL_TASK: Final = "manualTask"
SKIP: Final = "skip"
STATES: Final[Mapping[str, OrderState]] = MappingProxyType(
    {REVIEW: OrderState.HELD, ENGINEER: OrderState.HELD, MANUAL_TASK: OrderState.PENDING}
)
"""The state of an item by what it waits for; by anything else it is in progress."""


def waits_for_review(task: ItemTask, review: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return that the item's plan waits for people; since when is kept."""
    since = _since(task, REVIEW, now)
    return {
        "item": task.item_id,
        "for": REVIEW,
        "since": since,
        "text": f"{review['because']}; {review['href']}",
        "legal": ["hold", "cancel", "note"],
    }


def waits_for_engineer(task: ItemTask, now: datetime) -> dict[str, Any]:
    """Return that an item which failed waits for somebody to decide."""
    text = "; ".join(dict.fromkeys(str(each.get("message") or each.get("reason", "failed")) for each in task.errors))
    legal = ["retry", "repair", "compensate", "hold", "cancel", "note"]
    if task.action == "delete":
        legal.remove("repair")
    if task.phase is Phase.ACTIVATING:
        legal.insert(1, SKIP)
    return {"item": task.item_id, "for": ENGINEER, "since": stamp(now), "text": text, "legal": legal}


def waits_for_device(task: ItemTask, text: str, since: str, legal: list[str]) -> dict[str, Any]:
    """Return that a device has to be as it was before the item goes on; it is asked again by itself."""
    return {"item": task.item_id, "for": DEVICE, "since": since, "text": text, "legal": legal}


def stuck(task: ItemTask, now: datetime) -> dict[str, Any]:
    """Return that the undoing of an item waits for a device; since when is kept."""
    text = f"cannot be undone yet, {task.tries} tries so far: {task.errors[-1]['reason']}"
    return waits_for_device(task, text, _since(task, DEVICE, now), ["retry", SKIP, "note"])


def waits_for_answer(
    task: ItemTask, manual: ManualTask, specification: CustomerService, now: datetime
) -> dict[str, Any]:
    """Return what somebody has to do and to answer."""
    known = {each.name: each for each in specification.characteristics}
    asks = [{"name": name, "valueType": known[name].value_type, "legal": known[name].legal()} for name in manual.asks]
    return {
        "item": task.item_id,
        "for": MANUAL_TASK,
        "task": manual.name,
        "role": manual.role,
        "since": stamp(now),
        "text": manual.instruction,
        "asks": asks,
        "legal": ["answer", "hold", "cancel", "note"],
    }


def _since(task: ItemTask, what: str, now: datetime) -> str:
    return str(task.waits["since"]) if task.waits is not None and task.waits_for == what else stamp(now)
