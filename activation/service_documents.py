"""TMF640 services as documents: their state, and what a PATCH makes of one. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from activation.states import ServiceState
from inventory.documents import Document

NAMED: Final[Mapping[str, str]] = {"serviceCharacteristic": "name", "supportingService": "id"}
"""Lists whose entries have names: a patch merges them entry by entry instead of replacing the whole list."""


def state_of(service: Document) -> ServiceState:
    """Return the state that ``service`` asks for; the order layers' services want to be active."""
    return ServiceState(service.get("state", ServiceState.ACTIVE))


def in_state(service: Document, state: ServiceState) -> Document:
    """Return ``service`` with its parts in ``state``."""
    supporting = [{**part, "state": state.value} for part in service.get("supportingService", ())]
    return {**service, "state": state.value, **({"supportingService": supporting} if supporting else {})}


def patched(service: Document, patch: Document) -> dict[str, Any]:
    """Return ``service`` after a JSON merge patch (RFC 7396) that knows named lists.

    Characteristics are merged by name, supporting services by id; one whose ``value`` is null, or whose ``state`` is
    terminated, goes. Any other list is replaced as a whole.
    """
    found = dict(service)
    for attribute, value in patch.items():
        before = found.get(attribute)
        if value is None:
            found.pop(attribute, None)
        elif attribute in NAMED and isinstance(value, list):
            entries = before if isinstance(before, list) else []
            found[attribute] = _merged(entries, value, NAMED[attribute])
        elif isinstance(value, Mapping):
            found[attribute] = patched(before if isinstance(before, Mapping) else {}, value)
        else:
            found[attribute] = _without_nulls(value)
    return found


def _merged(entries: Sequence[Any], changes: Sequence[Any], key: str) -> list[Any]:
    found = list(entries)
    for change in changes:
        place = next((number for number, entry in enumerate(found) if _name(entry, key) == _name(change, key)), None)
        if place is None or _name(change, key) is None:
            found.append(patched({}, change) if isinstance(change, Mapping) else change)
        elif _leaves(change):
            del found[place]
        else:
            found[place] = patched(found[place], change)
    return found


def _name(entry: object, key: str) -> str | None:
    name = entry.get(key) if isinstance(entry, Mapping) else None
    return name if isinstance(name, str) else None


def _leaves(change: Document) -> bool:
    return change.get("state") == ServiceState.TERMINATED or ("value" in change and change["value"] is None)


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, Mapping):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value
