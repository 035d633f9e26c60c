"""The orders of all measurements."""

from typing import Any


def order(number: int) -> dict[str, Any]:
    """Return a product order for the premises ``number``."""
    place = {"id": f"P-{number}", "role": "installationAddress", "@type": "GeographicAddress"}
    serial = {"name": "ontSerialNumber", "valueType": "string", "value": f"LMLE{number:08X}"}
    item = {
        "id": "1",
        "action": "add",
        "productOffering": {"id": "fibre-100"},
        "product": {"place": [place], "productCharacteristic": [serial]},
    }
    party = {"id": "C-4711", "name": "Ada Example", "role": "customer", "@referredType": "Individual"}
    return {"description": "New line", "relatedParty": [party], "productOrderItem": [item], "@type": "ProductOrder"}
