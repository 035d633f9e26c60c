"""A patched TMF640 service as a merge patch that knows named lists (:mod:`activation.service_documents`). Pure."""

from collections.abc import Mapping
from typing import Any, Final

from activation.service_documents import NAMED
from activation.states import ServiceState
from inventory.documents import Document

_GONE: Final[Mapping[str, Mapping[str, Any]]] = {
    "serviceCharacteristic": {"value": None},
    "supportingService": {"state": ServiceState.TERMINATED.value},
}
"""What an entry of a named list says when it goes."""


def named_changes(before: Document, changes: Document) -> Document:
    """Return ``changes`` with each named list as what changes in it, entries that go among them.

    Args:
        before: the service as it is.
        changes: a merge patch of it whose lists are meant as a whole.
    """
    return {
        name: _entries(before.get(name), value, name) if name in NAMED and isinstance(value, list) else value
        for name, value in changes.items()
    }


def _entries(before: object, after: list[Any], attribute: str) -> list[Any]:
    key = NAMED[attribute]
    entries = before if isinstance(before, list) else []
    kept = {each.get(key) for each in after if isinstance(each, Mapping)}
    gone = [{key: each[key], **_GONE[attribute]} for each in entries if each.get(key) not in kept]
    return [each for each in after if each not in entries] + gone
