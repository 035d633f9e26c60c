"""The documents SOM sends and stores: resource orders, TMF640 requests, TMF638 services. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from inventory.documents import Document, characteristic_list
from orders.catalog.model import Catalog, ref_of_text
from orders.catalog.wire import reference
from orders.documents import href
from orders.service.model import Composition, Part, Reserved


def reserving_order(catalog: Catalog, part: Part, composition: Composition, external_id: str) -> Document:
    """Return the TMF652 order for all that one part needs."""
    items = reserving_items(catalog, part.requires, composition)
    return {"externalId": external_id, "orderItem": items, "@type": "ResourceOrder"}


def reserving_items(catalog: Catalog, requires: Iterable[str], composition: Composition) -> list[dict[str, Any]]:
    """Return the items that take these resources (``id[@version]``), at the port that people chose where they did."""
    at_port = {"resourceCharacteristic": characteristic_list(composition.port)} if composition.port else {}
    return [
        {
            "id": str(number),
            "action": "add",
            "quantity": 1,
            # TMF652 v4 demands both of every resource, also of one that is still to be found.
            "resource": {
                "id": "",
                "href": "",
                "place": _place(composition),
                "resourceSpecification": reference("resourceSpecification", catalog.resource(ref_of_text(required))),
                **at_port,
            },
        }
        for number, required in enumerate(requires, start=1)
    ]


def with_urgency(order: Document, of: Document) -> Document:
    """Return a resource order that is as urgent as the service order ``of``; TMF652 counts in numbers."""
    given = str(of.get("priority", "")).strip()
    return {**order, "priority": int(given)} if given in {"0", "1", "2", "3", "4"} else order


def releasing_order(resources: Iterable[Reserved], external_id: str) -> Document:
    """Return the TMF652 order that gives resources back."""
    return {"externalId": external_id, "orderItem": releasing_items(resources), "@type": "ResourceOrder"}


def releasing_items(resources: Iterable[Reserved], *, first: int = 1) -> list[dict[str, Any]]:
    """Return the items that give resources back; the first has the number ``first``."""
    return [
        {
            "id": str(number),
            "action": "delete",
            "quantity": 1,
            "resource": {"id": each.id, "href": href("resource", each.id), "name": each.name},
        }
        for number, each in enumerate(resources, start=first)
    ]


def reserved(order: Document, part: str) -> tuple[Reserved, ...]:
    """Return the resources that an ended resource order reports as reserved."""
    held = (item["resource"] for item in order["orderItem"] if item["action"] == "add" and item["state"] == "completed")
    return tuple(_reserved(resource, part) for resource in held)


def activation_request(catalog: Catalog, service_id: str, composition: Composition) -> Document:
    """Return the TMF640 service with its supporting services by value."""
    supporting = [_part(catalog, part, composition) for part in composition.parts]
    return {**_customer_service(catalog, service_id, composition), "supportingService": supporting}


def customer_service(catalog: Catalog, service_id: str, composition: Composition) -> Document:
    """Return the TMF638 customer-facing service, its supporting services by reference."""
    supporting = [_service_reference(catalog, part) for part in composition.parts]
    relied = (_relied_reference(key, each) for key, each in composition.relied.items())
    relationships = [{"relationshipType": "reliesOn", "service": each} for each in (*supporting, *relied)]
    return {
        **_customer_service(catalog, service_id, composition),
        "supportingService": supporting,
        "serviceRelationship": relationships,
    }


def resource_services(catalog: Catalog, service_id: str, composition: Composition) -> Mapping[str, Document]:
    """Return the TMF638 resource-facing services by id, each with its resources and the service it supports."""
    specification = catalog.customer_service(composition.specification)
    parent = {"id": service_id, "href": href("service", service_id), "name": specification.name, "@type": "Service"}
    relationship = {"relationshipType": "supports", "service": parent}
    return {
        part.service_id: {**_part(catalog, part, composition), "serviceRelationship": [relationship]}
        for part in composition.parts
    }


def error_message(found: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Return one TMF641 error message from what a layer below reported."""
    texts = {key: str(found[key]) for key in ("code", "reason", "message", "status", "device") if found.get(key)}
    return {**texts, "timestamp": now, "@type": "ServiceOrderItemErrorMessage"}


def order_error_messages(errors: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return the order's error messages from those of its items, each naming its item."""
    return [
        {**error, "serviceOrderItem": [{"id": item_id, "itemId": item_id}], "@type": "ServiceOrderErrorMessage"}
        for item_id, found in errors.items()
        for error in found
    ]


def _customer_service(catalog: Catalog, service_id: str, composition: Composition) -> dict[str, Any]:
    specification = catalog.customer_service(composition.specification)
    return {
        **_service(service_id, specification.name, "CFS"),
        "serviceSpecification": reference("serviceSpecification", specification),
        "serviceCharacteristic": characteristic_list(composition.values),
        "place": [_place(composition)],
    }


def _part(catalog: Catalog, part: Part, composition: Composition) -> dict[str, Any]:
    specification = catalog.resource_service(part.specification)
    return {
        **_service(part.service_id, specification.name, "RFS"),
        "serviceSpecification": reference("serviceSpecification", specification),
        "serviceCharacteristic": characteristic_list(composition.part_values[part.service_id]),
        "supportingResource": [
            _resource_reference(each) for each in composition.resources if each.part == part.service_id
        ],
    }


def _service(service_id: str, name: str, category: str) -> dict[str, Any]:
    return {
        "id": service_id,
        "href": href("service", service_id),
        "name": name,
        "category": category,
        "serviceType": category,
        "state": "active",
        "hasStarted": True,
        "isServiceEnabled": True,
        "@type": "Service",
    }


def _service_reference(catalog: Catalog, part: Part) -> dict[str, Any]:
    return {
        "id": part.service_id,
        "href": href("service", part.service_id),
        "name": catalog.resource_service(part.specification).name,
        "@type": "ServiceRef",
        "@referredType": "Service",
    }


def _relied_reference(specification_id: str, service_id: str) -> dict[str, Any]:
    names = {"name": specification_id, "@type": "ServiceRef", "@referredType": "Service"}
    return {"id": service_id, "href": href("service", service_id), **names}


def _resource_reference(resource: Reserved) -> dict[str, Any]:
    key = resource.id
    names = {"name": resource.name, "@type": "ResourceRef", "@referredType": "LogicalResource"}
    return {"id": key, "href": href("resource", key), **names}


def _place(composition: Composition) -> dict[str, Any]:
    given = {key: value for key, value in composition.place.items() if value is not None}
    return {"role": "installationAddress", **given, "@type": "GeographicAddress"}


def _reserved(resource: Document, part: str) -> Reserved:
    return Reserved(
        id=resource["id"],
        name=resource.get("name", resource["id"]),
        specification_id=resource["resourceSpecification"]["id"],
        part=part,
        characteristics={each["name"]: each["value"] for each in resource["resourceCharacteristic"]},
    )
