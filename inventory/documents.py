"""JSON documents as they stand on the wire and in the database."""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import orjson

Document: TypeAlias = Mapping[str, Any]
"""A TMF body: read-only, camelCase keys, JSON values. Built new, never changed in place."""

# What is no JSON stays an error, as it is for the standard library.
_STRICT: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS

LEAST_URGENT: Final = 4
"""TM Forum counts from 0, the most urgent, to 4."""


def json_text(value: object) -> str:
    """Return the compact JSON text of ``value``: the stored form of documents.

    Raises:
        TypeError: something in it is no JSON.
    """
    try:
        return orjson.dumps(value, option=_STRICT).decode()
    except TypeError:
        # It knows no integers beyond 64 bits, which a client may send and gets back.
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


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


def urgency(order: Document) -> int:
    """Return the priority of the order's jobs: the higher, the sooner; 0 where the order says nothing that counts."""
    given = str(order.get("priority", LEAST_URGENT)).strip()
    return LEAST_URGENT - int(given) if given in {"0", "1", "2", "3"} else 0
