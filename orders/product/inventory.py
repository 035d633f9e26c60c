"""COM's side of the product inventory (TMF637): which products exist, which are busy, what became of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from inventory.documents import Document, characteristic_list, characteristics
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore, Row
from inventory.tables import products
from orders.catalog.contracts import CatalogSource
from orders.catalog.model import Ref
from orders.catalog.wire import reference
from orders.documents import href, merged, stamp
from orders.errors import OrderConflict
from orders.product.decompose import product_of
from orders.product.model import ItemTask
from orders.product.states import PRODUCT, ProductStatus

_ENDED: Final = frozenset({ProductStatus.TERMINATED, ProductStatus.ABORTED, ProductStatus.CANCELLED})

BEFORE: Final = "before"
"""Where a product's private data keeps what the order in flight is about to change."""
_TERMS: Final = ("name", "productOffering", "productSpecification", "productCharacteristic")


def product_store() -> DocumentStore:
    """Return the store of TMF637 products."""
    return DocumentStore(table=products, kind="product", domain="inventory")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductInventory:
    """Reads and writes products; each method moves one product one step of its life cycle."""

    catalog: CatalogSource
    store: DocumentStore = field(default_factory=product_store)

    def current(self, uow: UnitOfWork, product_ids: Iterable[str]) -> dict[str, ItemTask]:
        """Return those products that exist, as items that would change nothing."""
        rows = (self.store.find(uow, product_id) for product_id in product_ids)
        return {row.id: _as_item(row) for row in rows if row is not None}

    def refuse_busy(self, uow: UnitOfWork, product_ids: Mapping[str, str]) -> None:
        """Do nothing where each of the products (id to path in the order) can be ordered on now.

        Raises:
            OrderConflict: one has ended or has an order in flight.
        """
        for product_id, path in product_ids.items():
            row = self.store.get(uow, product_id)
            if row.state in _ENDED:
                raise OrderConflict(path, product_id, f"is {row.state.strip()}")
            if row.task.get("order"):
                raise OrderConflict(path, product_id, f"has product order {row.task['order']!r} in flight")

    def accepted(self, uow: UnitOfWork, order: Row, task: ItemTask) -> None:
        """Write an added product as created; note the order in flight for any other."""
        if task.action != "add":
            row = self.store.get(uow, task.product_id)
            before = {key: row.document.get(key) for key in _TERMS}
            claimed = {**row.task, "order": order.id, BEFORE: before}
            self.store.save(uow, row, replace(row, correlation_id=order.correlation_id, task=claimed))
            return
        state = ProductStatus.CREATED
        row = Row(
            id=task.product_id,
            state=state,
            correlation_id=order.correlation_id,
            document={**self._document(uow, order, task), "status": state, "orderDate": stamp(uow.now)},
            task={"order": order.id},
        )
        self.store.insert(uow, row)

    def started(self, uow: UnitOfWork, order: Row, task: ItemTask) -> None:
        """Write that work on the product has begun; a product that is modified stays active meanwhile."""
        states = {"add": ProductStatus.PENDING_ACTIVE, "delete": ProductStatus.PENDING_TERMINATE}
        self._change(uow, order, task, {}, states.get(task.action), order_id=order.id)

    def completed(self, uow: UnitOfWork, order: Row, task: ItemTask, service: Document) -> None:
        """Write what the service layer reports as verified."""
        if task.action == "delete":
            ended = {"terminationDate": stamp(uow.now)}
            self._change(uow, order, task, ended, ProductStatus.TERMINATED, order_id=None)
        elif task.action == "modify":
            self._change(uow, order, task, self._terms(uow, task), None, order_id=None)
        else:
            realized = {"startDate": stamp(uow.now), "realizingService": [_service_reference(service)]}
            self._change(uow, order, task, realized, ProductStatus.ACTIVE, order_id=None)

    def failed(self, uow: UnitOfWork, order: Row, task: ItemTask) -> None:
        """Write that the order came to nothing: an added product is aborted, any other is as it was."""
        states = {"add": ProductStatus.ABORTED, "delete": ProductStatus.ACTIVE}
        self._change(uow, order, task, {}, states.get(task.action), order_id=None)

    def cancelled(self, uow: UnitOfWork, order: Row, task: ItemTask) -> None:
        """Write that the order is undone: an added product is not there any more, any other is as it was before."""
        row = self.store.get(uow, task.product_id)
        if task.action == "add" and row.state == ProductStatus.ACTIVE:
            self._change(uow, order, task, {}, ProductStatus.PENDING_TERMINATE, order_id=order.id)
            ended = {"terminationDate": stamp(uow.now)}
            self._change(uow, order, task, ended, ProductStatus.TERMINATED, order_id=None)
        elif task.action == "add":
            self._change(uow, order, task, {}, ProductStatus.CANCELLED, order_id=None)
        else:
            returns = row.state == ProductStatus.PENDING_TERMINATE
            before = row.task.get(BEFORE, {}) if task.action == "modify" else {}
            self._change(uow, order, task, before, ProductStatus.ACTIVE if returns else None, order_id=None)

    def changed_since(self, uow: UnitOfWork, order: Row, task: ItemTask) -> str:
        """Return which other order has changed the product that ``task`` completed, or is about to; empty: none."""
        row = self.store.get(uow, task.product_id)
        if row.task.get("order"):
            return f"product {row.id} has product order {row.task['order']!r} in flight"
        if row.correlation_id != order.correlation_id or row.state == ProductStatus.TERMINATED:
            return f"product {row.id} was changed by another order since"
        return ""

    def _change(
        self,
        uow: UnitOfWork,
        order: Row,
        task: ItemTask,
        changes: Mapping[str, Any],
        status: ProductStatus | None,
        *,
        order_id: str | None,
    ) -> None:
        row = self.store.get(uow, task.product_id)
        state = row.state if status is None else PRODUCT.advance(ProductStatus(row.state), status)
        after = replace(
            row,
            state=state,
            correlation_id=order.correlation_id,
            document=merged(row.document, {**changes, "status": state}),
            task={**row.task, "order": order_id},
        )
        self.store.save(uow, row, after)

    def _document(self, uow: UnitOfWork, order: Row, task: ItemTask) -> Document:
        parties = {"relatedParty": order.document["relatedParty"]} if "relatedParty" in order.document else {}
        origin = {
            "productOrderId": order.id,
            "productOrderHref": href("productOrder", order.id),
            "orderItemId": task.item_id,
            "orderItemAction": task.action,
            "@type": "RelatedProductOrderItem",
        }
        return {
            "id": task.product_id,
            "href": href("product", task.product_id),
            "isBundle": False,
            "isCustomerVisible": True,
            **self._terms(uow, task),
            "place": [task.place],
            **parties,
            "productOrderItem": [origin],
            "@type": "Product",
        }

    def _terms(self, uow: UnitOfWork, task: ItemTask) -> dict[str, Any]:
        """Return what an order decides about a product: its offering and characteristics."""
        catalog = self.catalog.current(uow)
        offering = catalog.offering(Ref(id=task.offering_id, version=task.offering_version))
        specification = product_of(catalog, task)
        return {
            "name": offering.name,
            "productOffering": reference("productOffering", offering),
            "productSpecification": reference("productSpecification", specification),
            "productCharacteristic": characteristic_list(task.values),
        }


def _as_item(row: Row) -> ItemTask:
    realizing = row.document.get("realizingService")
    offering, specification = row.document["productOffering"], row.document.get("productSpecification")
    return ItemTask(
        item_id="",
        action="noChange",
        product_id=row.id,
        offering_id=offering["id"],
        offering_version=offering.get("version", ""),
        specification=Ref(id=specification["id"], version=specification.get("version", "")) if specification else None,
        values=characteristics(row.document, "productCharacteristic"),
        place=row.document["place"][0],
        service_id=realizing[0]["id"] if realizing else None,
    )


def _service_reference(service: Document) -> dict[str, Any]:
    return {
        "id": service["id"],
        "href": href("service", service["id"]),
        "name": service.get("name", service["id"]),
        "@type": "ServiceRef",
        "@referredType": "Service",
    }
