"""Characteristics as TM Forum spells them, read back into what a catalog file says of them. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from inventory.documents import Document

OWN: Final = "lastmile"
"""The attribute that carries what TM Forum has no word for: exactly what a catalog file would say. Others ignore it."""
LISTS: Final[Mapping[str, tuple[str, str]]] = {
    "productSpecification": ("productSpecCharacteristic", "productSpecCharacteristicValue"),
    "serviceSpecification": ("specCharacteristic", "characteristicValueSpecification"),
    "resourceSpecification": ("resourceSpecCharacteristic", "resourceSpecCharacteristicValue"),
}
"""Kind of document to the attribute that holds its characteristics, and to the one that holds the values of each."""
_TYPES: Final[Mapping[str, str]] = {
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "bool": "boolean",
    "text": "string",
}
_DEFAULTS: Final[Document] = {
    "required": False,
    "default": None,
    "min": None,
    "max": None,
    "pattern": None,
    "allowed": [],
    "unit": "",
    "description": "",
    "minValues": 0,
    "maxValues": 1,
}
"""What a catalog file means where it says nothing."""


def told(characteristic: Document, values_key: str) -> dict[str, Any]:
    """Return what a catalog file says of a characteristic that a client wrote in TM Forum's words."""
    values = characteristic.get(values_key) or ()
    named = [each["value"] for each in values if each.get("value") is not None]
    defaults = [each["value"] for each in values if each.get("isDefault") and each.get("value") is not None]
    span: Document = next((each for each in values if {"valueFrom", "valueTo"} & each.keys()), {})
    least, most = characteristic.get("minCardinality") or 0, characteristic.get("maxCardinality", 1)
    is_list = most != 1
    is_closed = not characteristic.get("extensible") and not span and bool(named)
    found = {
        "valueType": _type(characteristic.get("valueType")),
        "description": characteristic.get("description"),
        "required": least > 0,
        "default": (defaults if is_list else defaults[0]) if defaults else None,
        "min": span.get("valueFrom"),
        "max": span.get("valueTo"),
        "pattern": characteristic.get("regex"),
        "allowed": named if is_closed else [],
        "unit": next((each["unitOfMeasure"] for each in values if each.get("unitOfMeasure")), ""),
        "minValues": least if is_list else 0,
        "maxValues": most,
    }
    own = {key: value for key, value in found.items() if value is not None}
    return _plain({"name": characteristic["name"], **own, **(characteristic.get(OWN) or {})})


def with_own(characteristic: Document, values_key: str, declared: Document) -> Document:
    """Return the TMF characteristic with what its words leave out of ``declared``, where they leave out anything."""
    understood = told(characteristic, values_key)
    missing = {
        key: declared.get(key, default)
        for key, default in _DEFAULTS.items()
        if declared.get(key, default) != understood.get(key, default)
    }
    return {**characteristic, OWN: missing} if missing else characteristic


def _plain(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key not in _DEFAULTS or value != _DEFAULTS[key]}


def _type(name: object) -> object:
    if not isinstance(name, str):
        return "string" if name is None else name
    lower = name.lower()
    return _TYPES.get(lower, lower)
