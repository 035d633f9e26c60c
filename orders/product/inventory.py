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
from orders.product.states import PRODUCT, RETURNED, ProductStatus

_ENDED: Final = frozenset({ProductStatus.TERMINATED, ProductStatus.ABORTED, ProductStatus.CANCELLED})

BEFORE: Final = "before"
"""Where a product's private data keeps what the order in flight is about to change."""
_TERMS: Final = ("name", "productOffering", "productSpecification", "productCharacteristic", "productRelationship")
_IN_USE: Final = frozenset({ProductStatus.ACTIVE, ProductStatus.SUSPENDED, ProductStatus.PENDING_TERMINATE})
CLAIMS: Final = "claims"
"""Where an order's private data names the products that it has to do with and does not change."""
BUNDLE: Final = "bundle"
"""Where a product's private data names the bundle that it is a part of."""
RELYING: Final = "relying"
"""Where a product's private data names those in use that rely on it."""
PARTS: Final = "bundled"
PART_OF: Final = "bundledIn"
RELIES_ON: Final = "reliesOn"


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

    def family(self, uow: UnitOfWork, product_ids: Iterable[str]) -> dict[str, ItemTask]:
        """Return those products that exist, with the bundles that they are parts of and all parts of those."""
        found: dict[str, ItemTask] = {}
        wanted = [*product_ids]
        while wanted:
            new = self.current(uow, dict.fromkeys(key for key in wanted if key and key not in found))
            found |= new
            wanted = [key for each in new.values() for key in (each.bundle, *each.parts) if key not in found]
        return found

    def claim(self, uow: UnitOfWork, product_ids: Iterable[str], order_id: str | None) -> None:
        """Note that ``order_id`` is in flight for products that it does not change; None: no order is any more."""
        for product_id in product_ids:
            row = self.store.get(uow, product_id)
            self.store.save(uow, row, replace(row, task={**row.task, "order": order_id}))

    def let_go(self, uow: UnitOfWork, order: Row) -> None:
        """Let other orders in for the products that ``order`` had to do with and did not change."""
        self.claim(uow, order.task.get(CLAIMS, ()), None)

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
            task={"order": order.id, **({BUNDLE: task.bundle} if task.bundle else {})},
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
            self._leave(uow, task)
        elif task.action == "modify":
            self._change(uow, order, task, self._terms(uow, task), None, order_id=None)
        else:
            realized = {"startDate": stamp(uow.now), "realizingService": [_service_reference(service)]}
            self._change(uow, order, task, realized, ProductStatus.ACTIVE, order_id=None)
            self._rely(uow, task, is_on=True)

    def bundled(self, uow: UnitOfWork, order: Row, task: ItemTask, items: Iterable[ItemTask]) -> None:
        """Write a bundle whose item is completed, or as much of it as is: its parts are those in use by now."""
        if task.action == "delete":
            ended = {"terminationDate": stamp(uow.now)}
            left = [key for key in self._parts(uow, task) if self.store.get(uow, key).state not in _ENDED]
            status = ProductStatus.ACTIVE if left else ProductStatus.TERMINATED
            self._change(uow, order, task, {} if left else ended, status, order_id=None)
            return
        for key in task.adopts:
            self._join(uow, key, task.product_id)
        new = (each.product_id for each in items if each.bundle == task.product_id and each.action == "add")
        keys = dict.fromkeys((*self._parts(uow, task), *task.adopts, *new))
        rows = [row for key in keys if (row := self.store.get(uow, key)).state in _IN_USE]
        parts = [related(PARTS, row) for row in rows]
        changes = {"productRelationship": parts or None}
        if task.action == "add":
            started = {"startDate": stamp(uow.now), **changes}
            self._change(uow, order, task, started, ProductStatus.ACTIVE, order_id=None)
        else:
            self._change(uow, order, task, {**self._terms(uow, task), **changes}, None, order_id=None)

    def unbundled(self, uow: UnitOfWork, order: Row, task: ItemTask) -> None:
        """Write that what an order did to a bundle is undone."""
        if task.action != "delete":
            for key in task.adopts:
                self._join(uow, key, "")
        self.cancelled(uow, order, task)

    def returned(self, uow: UnitOfWork, service_id: str, correlation_id: str) -> None:
        """Write the product of a service that is back as active, as far as the chain that ended it has one."""
        for row in self.store.by_correlation_id(uow.connection, correlation_id):
            realizing = row.document.get("realizingService") or ()
            if row.state == ProductStatus.TERMINATED and any(each["id"] == service_id for each in realizing):
                self._return(uow, row)
                self._rely(uow, replace(_as_item(row), relied_products=_relied(row)), is_on=True)
                self._rejoin(uow, row)

    def _return(self, uow: UnitOfWork, row: Row) -> None:
        state = RETURNED.advance(ProductStatus(row.state), ProductStatus.ACTIVE)
        document = merged(row.document, {"terminationDate": None, "status": state})
        self.store.save(uow, row, replace(row, state=state, document=document))

    def _rejoin(self, uow: UnitOfWork, row: Row) -> None:
        """Write a product that is back into its bundle again, which is back with it where it had ended."""
        bundle = self.store.find(uow, row.task.get(BUNDLE, ""))
        if bundle is None:
            return
        if bundle.state == ProductStatus.TERMINATED:
            self._return(uow, bundle)
            bundle = self.store.get(uow, bundle.id)
        parts = [*(bundle.document.get("productRelationship") or ()), related(PARTS, row)]
        self.store.save(uow, bundle, replace(bundle, document={**bundle.document, "productRelationship": parts}))

    def _parts(self, uow: UnitOfWork, task: ItemTask) -> list[str]:
        return parts_of(self.store.get(uow, task.product_id))

    def _join(self, uow: UnitOfWork, product_id: str, bundle: str) -> None:
        row = self.store.get(uow, product_id)
        if row.task.get(BUNDLE, "") == bundle:
            return
        others = [each for each in row.document.get("productRelationship", ()) if each["relationshipType"] != PART_OF]
        holder = [related(PART_OF, self.store.get(uow, bundle))] if bundle else []
        document = merged(row.document, {"productRelationship": [*others, *holder] or None})
        kept = {key: value for key, value in row.task.items() if key != BUNDLE}
        task = {**kept, BUNDLE: bundle} if bundle else kept
        self.store.save(uow, row, replace(row, document=document, task=task))

    def _leave(self, uow: UnitOfWork, task: ItemTask) -> None:
        """Take a product that has ended out of its bundle, and from what it relied on."""
        row = self.store.get(uow, task.product_id)
        bundle = self.store.find(uow, row.task.get(BUNDLE, ""))
        if bundle is not None:
            relations = bundle.document.get("productRelationship", ())
            left = [each for each in relations if each["product"]["id"] != task.product_id]
            document = merged(bundle.document, {"productRelationship": left or None})
            self.store.save(uow, bundle, replace(bundle, document=document))
        self._rely(uow, replace(task, relied_products=_relied(row)), is_on=False)

    def _rely(self, uow: UnitOfWork, task: ItemTask, *, is_on: bool) -> None:
        for key in task.relied_products:
            row = self.store.get(uow, key)
            others = [each for each in row.task.get(RELYING, ()) if each != task.product_id]
            relying = [*others, task.product_id] if is_on else others
            kept = {name: value for name, value in row.task.items() if name != RELYING}
            changed = {**kept, RELYING: relying} if relying else kept
            if changed != row.task:
                self.store.save(uow, row, replace(row, task=changed))

    def repaired(self, uow: UnitOfWork, order: Row, task: ItemTask) -> None:
        """Write other characteristics of a product that is being added; any other has them when it is completed."""
        if task.action == "add":
            self._change(uow, order, task, self._terms(uow, task), None, order_id=order.id)

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
            self._leave(uow, task)
        elif task.action == "add":
            self._change(uow, order, task, {}, ProductStatus.CANCELLED, order_id=None)
        else:
            returns = row.state == ProductStatus.PENDING_TERMINATE
            before = row.task.get(BEFORE, {}) if task.action == "modify" else {}
            self._change(uow, order, task, before, ProductStatus.ACTIVE if returns else None, order_id=None)

    def changed_since(self, uow: UnitOfWork, order: Row, task: ItemTask) -> str:
        """Return which other order has changed the product that ``task`` completed, or is about to; empty: none."""
        row = self.store.get(uow, task.product_id)
        if row.task.get("order") not in (None, order.id):
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
            "isBundle": task.is_bundle,
            "isCustomerVisible": True,
            **self._terms(uow, task),
            **_relations(task),
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
        is_bundle=bool(row.document.get("isBundle")),
        parts=tuple(parts_of(row)),
        bundle=row.task.get(BUNDLE, ""),
        relying=tuple(row.task.get(RELYING, ())),
    )


def parts_of(row: Row) -> list[str]:
    """Return the products that are parts of a bundle."""
    relations = row.document.get("productRelationship", ())
    return [each["product"]["id"] for each in relations if each["relationshipType"] == PARTS]


def _relied(row: Row) -> tuple[str, ...]:
    relations = row.document.get("productRelationship", ())
    return tuple(each["product"]["id"] for each in relations if each["relationshipType"] == RELIES_ON)


def related(kind: str, row: Row) -> dict[str, Any]:
    """Return a product's relationship to the one in ``row``."""
    return _related(kind, row.id, row.document["name"])


def _related(kind: str, product_id: str, name: str = "") -> dict[str, Any]:
    named = {"name": name} if name else {}
    product = {"id": product_id, "href": href("product", product_id), **named, "@type": "Product"}
    return {"relationshipType": kind, "product": product, "@type": "ProductRelationship"}


def _relations(task: ItemTask) -> dict[str, Any]:
    holder = [_related(PART_OF, task.bundle)] if task.bundle else []
    relied = [_related(RELIES_ON, key) for key in task.relied_products]
    return {"productRelationship": [*holder, *relied]} if holder or relied else {}


def _service_reference(service: Document) -> dict[str, Any]:
    return {
        "id": service["id"],
        "href": href("service", service["id"]),
        "name": service.get("name", service["id"]),
        "@type": "ServiceRef",
        "@referredType": "Service",
    }
