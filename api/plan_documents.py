"""Plans as people read them: per device, as a patch, and with everybody else who is on the touched nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from activation.model import DeviceEdit, PlanId
from activation.plan import unified_patch
from activation.store import REVIEWS, plan_edits
from api.blast_radius import BlastRadius


def whole_review(connection: Connection, key: str, blast_radius: BlastRadius) -> Mapping[str, Any]:
    """Return a review with its plan per device, as a patch, and who else is on the touched nodes now.

    Raises:
        UnknownResource: no review has this id.
    """
    review = REVIEWS.get(connection, key)
    edits = plan_edits(connection, PlanId(review.document["planId"]))
    return {
        **review.document,
        "plan": device_plans(edits),
        "patch": unified_patch(edits),
        "blastRadius": blast_radius.read(connection, review.document["service"]["id"], review.task["places"]),
    }


def device_plans(edits: Sequence[DeviceEdit]) -> list[dict[str, Any]]:
    """Return what people need of each device's share of a plan."""
    return [_device_plan(asdict(edit)) for edit in edits]


def _device_plan(edit: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: edit[name] for name in ("device", "platform", "diff", "edit", "inverse")}
    return {**shown, "baseFingerprint": edit["base_fingerprint"]}
