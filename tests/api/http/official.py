"""The official v4 files as the tests send and expect them."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

REF: Final = "#/definitions/"
ITEMS: Final[Mapping[str, str]] = {
    "productOrder": "productOrderItem",
    "serviceOrder": "serviceOrderItem",
    "resourceOrder": "orderItem",
}


@cache
def official(path: Path) -> dict[str, Any]:
    """Return a file without its recursions: a service within a service within a service costs minutes to make up."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    loaded.pop("host", None)
    loaded["paths"] = {place: verbs for place, verbs in loaded["paths"].items() if "/listener/" not in place}
    definitions = loaded["definitions"]
    for name, definition in definitions.items():
        inner = definition.get("properties", {})
        kept = {key: value for key, value in inner.items() if not _leads_back(definitions, value, name)}
        if inner:
            # TMF641 demands an id of item references that it does not declare.
            definition["properties"] = {key: {"type": "string"} for key in definition.get("required", ())} | kept
    for schema in _objects(loaded):
        # TM Forum's own answers name each other by path alone, as ours do.
        if schema.get("format") == "uri":
            schema["format"] = "uri-reference"
    return loaded


def _leads_back(definitions: Mapping[str, Any], schema: object, name: str) -> bool:
    seen: set[str] = set()
    waiting = list(_refs(schema))
    while waiting:
        found = waiting.pop()
        if found == name:
            return True
        if found not in seen:
            seen.add(found)
            waiting += _refs(definitions[found])
    return False


def _refs(schema: object) -> Iterator[str]:
    for each in _objects(schema):
        if str(each.get("$ref", "")).startswith(REF):
            yield each["$ref"].removeprefix(REF)


def _objects(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def orderable(kind: str, body: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a made-up order whose items order something that there is; what else they say stays."""
    key = ITEMS[kind]
    made = body.get(key) or [{}]
    items = [{**_plain(each), **_wanted(kind, _plain(each), f"{number}-{at}")} for at, each in enumerate(made[:2])]
    return {**body, "externalId": f"made-{kind}-{number}", key: items}


def _plain(item: object) -> dict[str, Any]:
    return item if isinstance(item, dict) else {}


def _wanted(kind: str, item: dict[str, Any], number: str) -> dict[str, Any]:
    """Return what an item needs to be taken, ``quantity`` among it: more than one is refused."""
    place_id = f"P-{abs(hash(number)) % 3000}"
    serial = {"name": "ontSerialNumber", "value": f"LMLE{abs(hash(number)) % 2**32:08X}"}
    common = {"id": number, "action": "add", "quantity": 1}
    place = {"id": place_id, "role": "installationAddress"}
    if kind == "productOrder":
        product = _without(item.get("product"), "id", "href")
        product |= {"place": [place], "productCharacteristic": [serial]}
        return {**common, "productOffering": {"id": "fibre-100"}, "product": product}
    if kind == "serviceOrder":
        values = {"downstreamMbps": 100, "upstreamMbps": 50}
        listed = [serial, *({"name": name, "value": value} for name, value in values.items())]
        service = _without(item.get("service"), "id", "href")
        service |= {"serviceSpecification": {"id": "internet-access"}, "serviceCharacteristic": listed}
        return {**common, "service": {**service, "place": [place]}}
    resource = _without(item.get("resource"), "id", "href") | {"resourceSpecification": {"id": "gpon-port"}}
    return {**common, "resourceSpecification": {"id": "gpon-port"}, "resource": {**resource, "place": place}}


def _without(value: object, *names: str) -> dict[str, Any]:
    return {name: inner for name, inner in _plain(value).items() if name not in names}
