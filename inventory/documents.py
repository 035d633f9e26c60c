"""JSON documents as they stand on the wire and in the database."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
"""A TMF body: read-only, camelCase keys, JSON values. Built new, never changed in place."""


def characteristics(document: Document, key: str) -> dict[str, Any]:
    """Return ``{name: value}`` of the TMF characteristic list that stands under ``key`` (empty where absent)."""
    return {entry["name"]: entry["value"] for entry in document.get(key) or ()}


def characteristic_list(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return ``values`` as a TMF characteristic list, with the ``valueType`` of each JSON type."""
    return [{"name": name, "valueType": _value_type(value), "value": value} for name, value in values.items()]


def _value_type(value: object) -> str:
    # bool before int: Python's bool is an int.
    names = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"))
    return next((name for kind, name in names if isinstance(value, kind)), "object")
