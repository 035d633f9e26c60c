"""Product orders for the lab metro, as a customer channel would send them."""

from collections.abc import Mapping
from typing import Any

E_LINE = {
    "vlanId": 2001,
    "customer": "acme",
    "bandwidthMbps": 20,
    "aSwitch": "sw2",
    "aInterface": "Ethernet4",
    "zSwitch": "sw4",
    "zInterface": "Ethernet4",
}
L3VPN = {
    "vrf": "beta",
    "vlanId": 300,
    "aPrefix": "10.1.0.0/24",
    "aGateway": "192.168.1.2",
    "aAddress": "192.168.1.1/30",
    "zPrefix": "10.2.0.0/24",
    "zGateway": "192.168.2.2",
    "zAddress": "192.168.2.1/30",
}


def order(offering: str, values: Mapping[str, object], action: str = "add", product_id: str = "") -> dict[str, Any]:
    """Return an order for a product with these values, or for other values of one that there is."""
    place = [{"id": "METRO-1", "role": "installationAddress", "@type": "GeographicAddress"}]
    product: dict[str, Any] = {"id": product_id} if product_id else {"place": place}
    product |= {
        "productCharacteristic": [
            {"name": name, "valueType": "integer" if isinstance(value, int) else "string", "value": value}
            for name, value in values.items()
        ],
    }
    item = {"id": "1", "action": action, "product": product, "productOffering": {"id": offering}}
    return {"description": offering, "productOrderItem": [item], "@type": "ProductOrder"}
