"""TMF620, TMF633 and TMF634 bodies as catalog entries; its own words for the rest. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from inventory.documents import Document
from orders.catalog.bodies import EntryBody, OfferingBody, ResourceBody, ServedBody
from orders.catalog.model import Catalog
from orders.catalog.spellings import LISTS, OWN, told
from orders.catalog.statuses import Status, status_of
from orders.catalog.stored import StoredEntry, checked
from orders.catalog.wire import HEAD, status_on_wire
from orders.errors import InvalidEntry, Problem
from orders.inbound import parse

CFS: Final = "CustomerFacingServiceSpecification"
RFS: Final = "ResourceFacingServiceSpecification"
FIRST_VERSION: Final = "1.0"
_SAID: Final[Mapping[str, Mapping[str, str]]] = {
    "productOffering": {
        "productSpecification": "productSpecification",
        "prodSpecCharValueUse": "fixes",
        "bundledProductOffering": "bundles",
    },
    "productSpecification": {"serviceSpecification": "realizedBy"},
    "serviceSpecification": {"serviceSpecRelationship": "supportedBy", "resourceSpecification": "requires"},
    "resourceSpecification": {"category": "allocation"},
}
"""TMF attribute to the key of a catalog file that says the same, only exactly."""
_MADE: Final = frozenset(
    {"id", "href", "name", "version", "description", "lifecycleStatus", "validFor", "lastUpdate", OWN}
)
"""What is never kept as it was sent: it is said anew."""


_SHAPES: Final[Mapping[str, type[EntryBody]]] = {
    "productOffering": OfferingBody,
    "productSpecification": ServedBody,
    "serviceSpecification": ServedBody,
    "resourceSpecification": ResourceBody,
}


def read_entry(catalog: Catalog, kind: str, body: object, changed: Collection[str] = ()) -> StoredEntry:
    """Return the entry that a client's body describes; ``changed`` names what a patch said of it.

    Raises:
        InvalidOrder: a body of the wrong types.
        InvalidEntry: what no entry can be; names the path in the body.
    """
    shape, document = parse(_SHAPES[kind], body)
    own = {**(shape.lastmile or {})}
    for name, key in _SAID[kind].items():
        if name in changed:
            own.pop(key, None)
    section = _section(kind, document, own)
    key = shape.id or _slug(shape.name)
    said = {name: value for name, value in _said(catalog, section, document).items() if name not in own}
    entry = {"id": key, "version": FIRST_VERSION, **_head(document), **_characteristics(kind, document), **said, **own}
    try:
        return checked(section, entry, _kept(kind, document))
    except InvalidEntry as error:
        raise InvalidEntry(in_words_of(kind, error.problems)) from error


def in_words_of(kind: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems of a catalog file's entry with the paths that a TMF body has."""
    return tuple(replace(each, path=_path(kind, each.path)) for each in problems)


def _path(kind: str, path: str) -> str:
    head, rest = found.groups() if (found := re.match(r"(\w+)(.*)", path)) else ("", "")
    if head == "characteristics" and kind in LISTS:
        return LISTS[kind][0] + rest
    return path if head in HEAD or not head else f"{OWN}.{path}"


def _head(document: Document) -> dict[str, Any]:
    found = {name: document[name] for name in ("name", "version", "description", "validFor") if name in document}
    status = document.get("lifecycleStatus", "")
    known = status_of(status) if status else Status.IN_DESIGN
    if known is None:
        legal = ", ".join(status_on_wire(each) for each in Status)
        raise InvalidEntry([Problem(path="lifecycleStatus", wrong=f"{status!r} is not legal", legal=legal)])
    return {**found, "lifecycleStatus": str(known)}


def _characteristics(kind: str, document: Document) -> dict[str, Any]:
    if kind not in LISTS:
        return {}
    name, values_key = LISTS[kind]
    return {"characteristics": [told(each, values_key) for each in document.get(name) or ()]}


def _section(kind: str, document: Document, own: Mapping[str, Any]) -> str:
    sections = {
        "productOffering": "productOfferings",
        "productSpecification": "productSpecifications",
        "resourceSpecification": "resourceSpecifications",
    }
    if kind in sections:
        return sections[kind]
    of_type = {CFS: "customerFacingServices", RFS: "resourceFacingServices"}
    if (named := of_type.get(document.get("@type", ""))) is not None:
        return named
    if "supportedBy" in own or document.get("serviceSpecRelationship"):
        return "customerFacingServices"
    if "requires" in own or document.get("resourceSpecification"):
        return "resourceFacingServices"
    raise InvalidEntry([Problem(path="@type", wrong="does not say which way the service faces", legal=f"{CFS}, {RFS}")])


def _said(catalog: Catalog, section: str, document: Document) -> dict[str, Any]:
    """Return what TM Forum's own words say of the decomposition: equal names are handed on as they are."""
    match section:
        case "productOfferings":
            named = document.get("productSpecification")
            fixed = {each["name"]: _value(each) for each in document.get("prodSpecCharValueUse") or ()}
            bundled = [_part(each) for each in document.get("bundledProductOffering") or ()]
            found = {"productSpecification": _ref(named) if named else None, "fixes": fixed, "bundles": bundled}
            return {name: value for name, value in found.items() if value}
        case "productSpecifications":
            uses = [_use(catalog, each, document, "product") for each in document.get("serviceSpecification") or ()]
            return {"realizedBy": uses[0]} if len(uses) == 1 else {}
        case "customerFacingServices":
            uses = [_use(catalog, each, document, "service") for each in document.get("serviceSpecRelationship") or ()]
            return {"supportedBy": uses} if uses else {}
        case "resourceFacingServices":
            required = [{"specification": _ref(each)} for each in document.get("resourceSpecification") or ()]
            return {"requires": required} if required else {}
        case _:
            return {"allocation": document["category"]} if document.get("category") else {}


def _part(bundled: Document) -> dict[str, Any]:
    option = bundled.get("bundledProductOfferingOption") or {}
    limits = {
        "lowerLimit": option.get("numberRelOfferLowerLimit"),
        "upperLimit": option.get("numberRelOfferUpperLimit"),
        "default": option.get("numberRelOfferDefault"),
    }
    return {"offering": bundled["id"], **{name: value for name, value in limits.items() if value is not None}}


def _use(catalog: Catalog, named: Document, document: Document, prefix: str) -> dict[str, Any]:
    target = catalog.customer_services.named(named["id"], named.get("version") or "")
    target = target or catalog.resource_services.named(named["id"], named.get("version") or "")  # type: ignore[assignment] # either has characteristics
    taken = {each.name for each in target.characteristics} if target is not None else set()
    list_name = LISTS["productSpecification" if prefix == "product" else "serviceSpecification"][0]
    given = [each["name"] for each in document.get(list_name) or ()]
    mapped = {name: f"{prefix}.{name}" for name in given if name in taken}
    return {"specification": _ref(named), **({"characteristics": mapped} if mapped else {})}


def _value(use: Document) -> object:
    values = [each.get("value") for each in use.get("productSpecCharacteristicValue") or ()]
    return values[0] if len(values) == 1 else values


def _ref(named: Document) -> str:
    return f"{named['id']}@{named['version']}" if named.get("version") else str(named["id"])


def _kept(kind: str, document: Document) -> dict[str, Any]:
    """Return what the platform keeps as it was sent: all that it does not say itself."""
    found = {name: value for name, value in document.items() if name not in _MADE}
    if kind == "resourceSpecification":
        found.pop("category", None)
    return found


def _slug(name: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return words if words[:1].isalpha() else f"entry-{words}".rstrip("-")
