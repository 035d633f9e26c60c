"""What a check tells on the wire."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from activation.check_sync import Checked
from activation.drift import Deviation, DeviceDrift
from activation.drift_store import LastCheck
from activation.fragments import readable
from activation.history import culprit
from activation.model import ChangeNote, Path, ServiceId
from activation.states import DriftState
from activation.transactions import moment
from inventory.store import Row

OWNERS_SHOWN: Final = 20
"""A shared node may have thousands; the rest is counted."""

PLACES_SHOWN: Final = 20
"""Nodes of one change that are named; the rest is counted."""

UNREADABLE: Final = "unreadable"
BUSY: Final = "busy"
UNCHECKED: Final = "unchecked"


def drift_document(checked: Checked, owners: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is told of one device; ``owners`` says who stands behind each activated service, by its id.

    ``state`` is ``inSync``, ``drifted``, ``unreadable`` where device or configuration cannot be read, or ``busy``
    where it is being changed.
    """
    told: dict[str, Any] = {"device": checked.device, "state": state_of(checked)}
    if checked.error is not None:
        return {**told, "reason": str(checked.error)}
    if checked.drift is None:
        return {**told, "reason": f"is being changed by {', '.join(checked.busy)}; check it again"}
    drift = checked.drift
    told_of = checked.told
    changes = [_change(each) for each in told_of.changes]
    return {
        **told,
        "services": drift.services,
        "nodes": drift.nodes,
        "ignored": drift.ignored,
        "deviations": [
            {**_deviation(each, checked.roots, owners), **_culprit(each, told_of.changes)} for each in drift.deviations
        ],
        "diff": drift.diff,
        **({"changes": changes} if changes else {}),
        "tellsWho": not told_of.silence,
        **({"whyNot": told_of.silence} if told_of.silence else {}),
    }


def state_of(checked: Checked) -> str:
    """Return the word for what came of a check."""
    if checked.error is not None:
        return UNREADABLE
    if checked.drift is None:
        return BUSY
    return str(DriftState.IN_SYNC if checked.drift.in_sync else DriftState.DRIFTED)


def event_document(drift: DeviceDrift, roots: Mapping[ServiceId, str], base: str) -> dict[str, Any]:
    """Return what an event tells of one device: each deviation in a few words."""
    deviations = [
        {
            "kind": each.kind,
            "path": each.place,
            "service": sorted({roots[owner] for owner in each.owners})[:OWNERS_SHOWN],
        }
        for each in drift.deviations
    ]
    return {
        "id": drift.device,
        "href": f"{base}/{drift.device}",
        "deviations": deviations,
        "@type": "DeviceDrift",
    }


def last_document(device: str, check: LastCheck | None, known: Row | None) -> dict[str, Any]:
    """Return what is told of a device's last check; ``state`` is ``unchecked`` where there was none."""
    if check is None:
        return {"device": device, "state": UNCHECKED}
    told = {"device": device, "state": check.state, "checkedAt": moment(check.checked_at)}
    if check.reason:
        told["reason"] = check.reason
    deviations = known.document["deviations"] if known is not None and check.state == DriftState.DRIFTED else []
    return {**told, "deviations": deviations}


def _deviation(
    each: Deviation, roots: Mapping[ServiceId, str], owners: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    services = _services(each, roots)
    return {
        "kind": each.kind,
        "path": each.place,
        **_shown("wanted", each.wanted),
        **_shown("running", each.standing),
        **({"below": len(each.below)} if each.below else {}),
        "policy": each.policy,
        "owners": [owners.get(root, {"service": root}) for root in services[:OWNERS_SHOWN]],
        "ownerCount": len(services),
    }


def _change(note: ChangeNote) -> dict[str, Any]:
    known = {"source": note.source, "session": note.session, "ownLogin": note.own_login and not note.ours}
    places = [readable(place) for place in note.places]
    return {
        "at": note.at,
        "who": note.who,
        "text": note.text,
        "ours": note.ours,
        **{name: value for name, value in known.items() if value},
        **({"paths": places[:PLACES_SHOWN], "pathCount": len(places)} if places else {}),
    }


def _culprit(each: Deviation, changes: Sequence[ChangeNote]) -> dict[str, Any]:
    note = culprit(changes, each.slot)
    return {"changedBy": _change(note)} if note is not None else {}


def _services(each: Deviation, roots: Mapping[ServiceId, str]) -> list[str]:
    return sorted({roots[owner] for owner in each.owners})


def _shown(name: str, node: Path | None) -> dict[str, str]:
    return {name: readable(node[-1:])} if node is not None else {}
