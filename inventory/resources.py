"""TMF639 resources: the documents of devices and of reserved values, and the store they stand in."""

from collections.abc import Mapping
from typing import Any, Final

from inventory.documents import Document, characteristic_list
from inventory.model import Device, Premises, ReservationRequest, ResourceId
from inventory.store import DocumentStore
from inventory.tables import resources

BASE: Final = "/tmf-api/resourceInventoryManagement/v4/resource"
SPECIFICATIONS: Final = "/tmf-api/resourceCatalog/v4/resourceSpecification"
PLACES: Final = "/tmf-api/geographicAddressManagement/v4/geographicAddress"


HOSTED_BY: Final = "hostedBy"


def resource_store() -> DocumentStore:
    """Return the store of TMF639 resources."""
    return DocumentStore(table=resources, kind="resource", domain="inventory")


def device_document(device: Device) -> Document:
    """Return the device as a TMF639 PhysicalResource; credentials stay out."""
    known = {"platform": device.platform, "role": device.role, "address": device.address}
    return {
        "id": device.name,
        "href": f"{BASE}/{device.name}",
        "category": "device",
        "name": device.name,
        "administrativeState": "unlocked",
        "resourceStatus": "available",
        "resourceCharacteristic": characteristic_list(known),
        "@type": "PhysicalResource",
    }


def reserved_document(
    resource_id: ResourceId, name: str, request: ReservationRequest, place: Premises, values: Mapping[str, Any]
) -> Document:
    """Return the value reserved for ``request`` as a TMF639 LogicalResource."""
    return {
        "id": resource_id,
        "href": f"{BASE}/{resource_id}",
        "name": name,
        "administrativeState": "unlocked",
        "resourceStatus": "reserved",
        "usageState": "active",
        # TMF639 v4 has one place per resource, and its href is mandatory.
        "place": {
            "id": place.place_id,
            "href": f"{PLACES}/{place.place_id}",
            "name": place.name,
            "role": "installationAddress",
            "@type": "GeographicAddress",
        },
        "resourceCharacteristic": characteristic_list(values),
        "resourceSpecification": {
            "id": request.specification_id,
            "href": f"{SPECIFICATIONS}/{request.specification_id}",
            "name": request.specification_name,
        },
        "@type": "LogicalResource",
    }


def hosted_by(device: str) -> dict[str, Any]:
    """Return the relationship of a reserved value to the device that it is configured on first of all."""
    return {"id": device, "href": f"{BASE}/{device}", "relationshipType": HOSTED_BY, "@type": "ResourceRelationship"}
