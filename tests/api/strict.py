"""Every answer of a platform under test against the official definitions, without a test asking for it."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

import httpx

from tests.orders.schema import faults

FILES: Mapping[str, str] = {
    "productCatalogManagement": "TMF620-v4.1.0.json",
    "productOrderingManagement": "TMF622-v4.0.0.json",
    "serviceCatalogManagement": "TMF633-v4.0.0.json",
    "resourceCatalog": "TMF634-v4.1.0.json",
    "productInventory": "TMF637-v4.0.0.json",
    "serviceInventory": "TMF638-v4.0.0.json",
    "resourceInventoryManagement": "TMF639-v4.0.0.json",
    "ServiceActivationAndConfiguration": "TMF640-v4.0.0.json",
    "serviceOrdering": "TMF641-v4.1.0.json",
    "resourceOrderingManagement": "TMF652-v4.0.0.json",
}

DEFINITIONS: Mapping[str, str] = {"hub": "EventSubscription"}
"""Where the definition is not called as the path says."""


def checking(shared: Path) -> Callable[[httpx.Response], None]:
    """Return an httpx response hook that fails on an answer its official definition does not allow."""

    def check(response: httpx.Response) -> None:
        _, root, api, *rest = (*response.url.path.split("/"), "", "", "")
        file = FILES.get(api) if root == "tmf-api" else None
        response.read()
        is_own = response.url.path.endswith("/history") and not response.is_error
        if file is None or is_own or not response.content or "fields" in response.url.params:
            return
        name = rest[1]
        definition = "Error" if response.is_error else DEFINITIONS.get(name, name[:1].upper() + name[1:])
        if response.status_code == HTTPStatus.ACCEPTED:
            definition = "Monitor"
        documents = json.loads(response.content)
        for document in documents if isinstance(documents, list) else [documents]:
            found = faults(shared, file, definition, document)
            assert not found, f"{response.request.method} {response.url.path}: {found}"

    return check
