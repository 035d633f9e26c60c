"""Which hubs there are, and what can be subscribed to at each of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

CHANGES: Final = ("CreateEvent", "AttributeValueChangeEvent", "StateChangeEvent", "DeleteEvent")
ORDER_CHANGES: Final = (*CHANGES, "InformationRequiredEvent")
SERVICE_ORDER_CHANGES: Final = (*ORDER_CHANGES, "MilestoneEvent", "JeopardyEvent")
CANCEL_CHANGES: Final = ("CreateEvent", "StateChangeEvent", "InformationRequiredEvent")

ENVELOPE: Final = ("correlationId", "domain")
_ORDER: Final = ("category", "externalId", "id", "priority", "relatedParty.id", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of resource as one hub tells of it.

    Attributes:
        stored: its kind in the outbox, e.g. ``"activationService"``.
        wire: TM Forum's name for it at this hub, e.g. ``"service"``.
        changes: the ends of its event types.
        attributes: what a subscription can filter by, next to the envelope's own.
        renamed: ends of event types that this hub calls otherwise.
    """

    stored: str
    wire: str
    changes: tuple[str, ...]
    attributes: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)

    def types(self) -> Mapping[str, str]:
        """Return the event types: as stored to as sent."""
        return {
            _capital(self.stored) + change: _capital(self.wire) + self.renamed.get(change, change)
            for change in self.changes
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One hub.

    Attributes:
        base: path of its API; the hub stands at ``{base}/hub``.
        domain: only events of this domain; empty for those of all.
        types: event types, as stored to as sent.
        attributes: what a subscription can filter by.
        wire_kinds: resource kinds, as stored to as sent.
    """

    base: str
    domain: str = ""
    types: Mapping[str, str] = field(repr=False)
    attributes: frozenset[str] = field(repr=False)
    wire_kinds: Mapping[str, str] = field(repr=False)

    @property
    def path(self) -> str:
        """The hub's path without a trailing slash."""
        return f"{self.base}/hub"

    def spell(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return a stored TMF event in this hub's own words for type and resource."""
        event_type = self.types[event["eventType"]]
        resource = {self.wire_kinds.get(kind, kind): document for kind, document in event["event"].items()}
        title = str(event["title"]).replace(event["eventType"], event_type, 1)
        return {**event, "eventType": event_type, "@type": event_type, "title": title, "event": resource}


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _kind(wire: str, changes: tuple[str, ...], attributes: Iterable[str], *, stored: str = "") -> Kind:
    return Kind(stored=stored or wire, wire=wire, changes=changes, attributes=tuple(attributes))


def _topic(base: str, *kinds: Kind, domain: str = "") -> Topic:
    return Topic(
        base=base,
        domain=domain,
        types={stored: wire for kind in kinds for stored, wire in kind.types().items()},
        attributes=frozenset((*ENVELOPE, *(name for kind in kinds for name in kind.attributes))),
        wire_kinds={kind.stored: kind.wire for kind in kinds},
    )


_PRODUCT_ORDER = _kind("productOrder", ORDER_CHANGES, _ORDER)
_SERVICE_ORDER = _kind("serviceOrder", SERVICE_ORDER_CHANGES, _ORDER)
_RESOURCE_ORDER = _kind("resourceOrder", ORDER_CHANGES, _ORDER)
_CANCELS = [
    _kind(f"cancel{layer}Order", CANCEL_CHANGES, ("id", "state")) for layer in ("Product", "Service", "Resource")
]
_PRODUCT = _kind("product", CHANGES, ("id", "name", "productSerialNumber", "relatedParty.id", "status"))
_SERVICE = _kind("service", CHANGES, ("category", "id", "name", "relatedParty.id", "serviceType", "state"))
_RESOURCE = _kind("resource", CHANGES, ("category", "id", "name", "resourceStatus"))
_MONITOR = _kind("monitor", CHANGES, ("id", "sourceHref", "state"))
_ACTIVATED = _kind("service", CHANGES, _SERVICE.attributes, stored="activationService")
# Beside TMF638's events of the same service: TMF688 keeps the two apart by name.
_ACTIVATED_APART = _kind("activationService", CHANGES, _SERVICE.attributes)
# Ours, so told by TMF688 alone: TMF640 has no such events.
_REVIEW = _kind("review", CHANGES, ("author", "externalId", "id", "requirement", "state"))
_DRIFT = _kind("deviceDrift", CHANGES, ("id", "state"))

_ENTRY: Final = ("id", "lifecycleStatus", "name", "version")
_OFFERING = _kind("productOffering", CHANGES, (*_ENTRY, "isSellable"))
_PRODUCT_SPECIFICATION = _kind("productSpecification", CHANGES, (*_ENTRY, "brand", "productNumber"))
_SPECIFICATIONS = [_kind(f"{layer}Specification", CHANGES, _ENTRY) for layer in ("service", "resource")]
# TMF633 and TMF634 have one event for a change of any kind.
_ONE_CHANGE: Final = {"AttributeValueChangeEvent": "ChangeEvent", "StateChangeEvent": "ChangeEvent"}
_SPECIFICATIONS_ALIKE = [replace(each, renamed=_ONE_CHANGE) for each in _SPECIFICATIONS]

EVENTS: Final = "/tmf-api/event/v4"
_ALL: Final = (
    *(_PRODUCT_ORDER, _SERVICE_ORDER, _RESOURCE_ORDER, *_CANCELS),
    *(_PRODUCT, _SERVICE, _RESOURCE, _MONITOR, _REVIEW, _ACTIVATED_APART, _DRIFT),
    *(_OFFERING, _PRODUCT_SPECIFICATION, *_SPECIFICATIONS),
)

TOPICS: Final[Mapping[str, Topic]] = {
    topic.base: topic
    for topic in (
        _topic("/tmf-api/productOrderingManagement/v4", _PRODUCT_ORDER, _CANCELS[0]),
        _topic("/tmf-api/serviceOrdering/v4", _SERVICE_ORDER, _CANCELS[1]),
        _topic("/tmf-api/resourceOrderingManagement/v4", _RESOURCE_ORDER, _CANCELS[2]),
        _topic("/tmf-api/ServiceActivationAndConfiguration/v4", _ACTIVATED, _MONITOR),
        _topic("/tmf-api/productInventory/v4", _PRODUCT),
        _topic("/tmf-api/serviceInventory/v4", _SERVICE),
        _topic("/tmf-api/resourceInventoryManagement/v4", _RESOURCE),
        _topic("/tmf-api/productCatalogManagement/v4", _OFFERING, _PRODUCT_SPECIFICATION),
        _topic("/tmf-api/serviceCatalogManagement/v4", _SPECIFICATIONS_ALIKE[0]),
        _topic("/tmf-api/resourceCatalog/v4", _SPECIFICATIONS_ALIKE[1]),
        _topic(EVENTS, *_ALL),
        *(
            _topic(f"{EVENTS}/topic/{domain}", *_ALL, domain=domain)
            for domain in ("product", "service", "resource", "activation", "inventory", "catalog")
        ),
    )
}
"""Every hub by the path of its API."""
