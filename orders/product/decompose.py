"""Decomposition by the catalog: a product order into one service order. Pure."""

from collections.abc import Iterable
from typing import Any

from inventory.documents import Document, characteristic_list
from orders.catalog.model import Catalog
from orders.catalog.wire import reference
from orders.documents import href
from orders.product.model import ItemTask

_CARRIED = ("category", "description", "priority", "requestedStartDate", "requestedCompletionDate", "relatedParty")
"""What a product order hands on to its service order."""


def service_order(catalog: Catalog, order: Document, tasks: Iterable[ItemTask]) -> Document:
    """Return the TMF641 order that realizes ``tasks`` of the product order ``order``.

    Raises:
        MappingError: a catalog expression gave no value.
    """
    carried = {key: order[key] for key in _CARRIED if key in order}
    items = [_item(catalog, task) for task in tasks]
    return {**carried, "externalId": order["id"], "serviceOrderItem": items, "@type": "ServiceOrder"}


def _item(catalog: Catalog, task: ItemTask) -> Document:
    product = catalog.specification_of(catalog.offerings[task.offering_id])
    specification = catalog.customer_services[product.realized_by.specification_id]
    service: dict[str, Any] = {"@type": "Service"}
    if task.service_id is not None:
        service |= {"id": task.service_id, "href": href("service", task.service_id)}
    service["serviceSpecification"] = reference("serviceSpecification", specification)
    if task.action != "delete":
        service["serviceCharacteristic"] = characteristic_list(_values(catalog, task))
    if task.action == "add":
        service |= {"name": specification.name, "serviceType": "CFS", "place": [task.place]}
    return {"id": task.item_id, "action": task.action, "quantity": 1, "service": service}


def _values(catalog: Catalog, task: ItemTask) -> dict[str, Any]:
    use = catalog.specification_of(catalog.offerings[task.offering_id]).realized_by
    place = {key: task.place.get(key) for key in ("id", "name", "role")}
    context = {"product": task.values, "place": place}
    return {name: expression.evaluate(context) for name, expression in use.characteristics.items()}
