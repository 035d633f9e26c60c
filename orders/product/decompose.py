"""Decomposition by the catalog: a product order into one service order. Pure."""

from collections.abc import Iterable
from typing import Any

from inventory.documents import Document, characteristic_list
from orders.catalog.expressions import place_context
from orders.catalog.model import Catalog, ProductSpecification, Ref, Use
from orders.catalog.wire import reference
from orders.dependencies import DEPENDENCY
from orders.documents import href
from orders.errors import UnknownSpecification
from orders.product.model import ItemTask

_CARRIED = ("category", "description", "priority", "requestedStartDate", "requestedCompletionDate", "relatedParty")
"""What a product order hands on to its service order."""


def service_order(catalog: Catalog, order: Document, tasks: Iterable[ItemTask]) -> Document:
    """Return the TMF641 order that realizes ``tasks`` of the product order ``order``.

    Raises:
        MappingError: a catalog expression gave no value.
    """
    carried = {key: order[key] for key in _CARRIED if key in order}
    items = [_item(catalog, task) for task in tasks if not task.is_bundle]
    return {**carried, "externalId": order["id"], "serviceOrderItem": items, "@type": "ServiceOrder"}


def product_of(catalog: Catalog, task: ItemTask) -> ProductSpecification:
    """Return the product specification of an item, in the version that its order or its product pinned.

    Raises:
        UnknownSpecification: the catalog no longer has it.
    """
    if task.specification is not None:
        return catalog.product(task.specification)
    return catalog.specification_of(catalog.offering(Ref(id=task.offering_id, version=task.offering_version)))


def service_values(catalog: Catalog, task: ItemTask) -> dict[str, Any]:
    """Return the characteristics of the service that realizes an item.

    Raises:
        MappingError: a catalog expression gave no value.
        UnknownSpecification: no service realizes it.
    """
    context = {"product": task.values, "place": place_context(task.place, task.place_attributes)}
    return {name: expression.evaluate(context) for name, expression in _use_of(catalog, task).characteristics.items()}


def delivered(catalog: Catalog, task: ItemTask, service: Document) -> ItemTask:
    """Return an item that was amended as ``service`` shows that it came about: the latest that fits.

    A device may have refused an amendment, or the layer below did not take it any more.
    """
    shown = {each["name"]: each["value"] for each in service.get("serviceCharacteristic", ()) if "value" in each}
    if not task.was or not shown:
        return task
    for candidate in (task, *(task.under(terms) for terms in reversed(task.was))):
        wanted = service_values(catalog, candidate)
        if all(shown.get(name, value) == value for name, value in wanted.items()):
            return candidate
    return task


def _use_of(catalog: Catalog, task: ItemTask) -> Use:
    made_by = product_of(catalog, task)
    if made_by.realized_by is None:
        raise UnknownSpecification("service that realizes product specification", made_by.id, ())
    return made_by.realized_by


def _item(catalog: Catalog, task: ItemTask) -> Document:
    service: dict[str, Any] = {"@type": "Service"}
    if task.service_id is not None:
        service |= {"id": task.service_id, "href": href("service", task.service_id)}
    if task.action != "delete":
        service |= _wanted(catalog, task)
    waits = [{"relationshipType": DEPENDENCY, "orderItem": {"id": key, "itemId": key}} for key in task.after]
    more = {"serviceOrderItemRelationship": waits} if waits else {}
    return {"id": task.item_id, "action": task.action, "quantity": 1, "service": service, **more}


def _wanted(catalog: Catalog, task: ItemTask) -> dict[str, Any]:
    specification = catalog.customer_service(_use_of(catalog, task).specification)
    wanted: dict[str, Any] = {"serviceCharacteristic": characteristic_list(service_values(catalog, task))}
    if task.action == "add":
        named = {"serviceSpecification": reference("serviceSpecification", specification)}
        relied = [{"relationshipType": "reliesOn", "service": {"id": key}} for key in task.relied_services]
        more = {"serviceRelationship": relied} if relied else {}
        return {**named, **wanted, "name": specification.name, "serviceType": "CFS", "place": [task.place], **more}
    # A service keeps the version it was made by, unless the order moves its product to another one.
    renewed = {"serviceSpecification": reference("serviceSpecification", specification)} if task.renewed else {}
    return {**renewed, **wanted}
