"""The three product orders of the demo, as a customer channel would send them."""

from typing import Any

PLACE = {
    "id": "ADDR-1015",
    "name": "Lindenstraße 15, 10969 Berlin",
    "role": "installationAddress",
    "@type": "GeographicAddress",
}


ONT = "LMLE0000A015"


def add(offering: str = "fibre-100", serial_number: str = ONT, place_id: str = "ADDR-1015") -> dict[str, Any]:
    """Return an order for a new broadband product."""
    product = {
        "place": [PLACE | {"id": place_id}],
        "productCharacteristic": [{"name": "ontSerialNumber", "valueType": "string", "value": serial_number}],
    }
    return _order("add", offering, product, "New broadband connection")


def upgrade(product_id: str, offering: str = "fibre-500") -> dict[str, Any]:
    """Return an order that moves a product to another speed."""
    return _order("modify", offering, {"id": product_id}, "Speed change")


def cease(product_id: str) -> dict[str, Any]:
    """Return an order that ends a product."""
    return _order("delete", None, {"id": product_id}, "Cease")


def _order(action: str, offering: str | None, product: dict[str, Any], description: str) -> dict[str, Any]:
    item: dict[str, Any] = {"id": "1", "action": action, "product": product}
    if offering:
        item["productOffering"] = {"id": offering}
    party = {"id": "C-4711", "name": "Ada Example", "role": "customer", "@referredType": "Individual"}
    return {"description": description, "relatedParty": [party], "productOrderItem": [item], "@type": "ProductOrder"}
