"""Bundles: the parts that an order leaves out and gets all the same, and whether what comes of it is right. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inventory.documents import Document
from orders.catalog.model import Catalog, Offering
from orders.errors import Problem
from orders.items import Placed, flat, walked
from orders.product.bodies import ITEMS, ProductOrderBody, ProductOrderItemBody
from orders.product.model import ItemTask

Products = Mapping[str, ItemTask]
Item = Placed[ProductOrderItemBody]


def with_parts(document: Document, catalog: Catalog, products: Products) -> Document:
    """Return the order with an item for each part that it leaves out; place and characteristics come from the bundle.

    An added bundle gets its parts up to their lower limits, up to their defaults where it names none at all. With a
    deleted one go all of its parts.
    """
    completer = _Completer(catalog, products, tuple(flat(document, ITEMS)))
    items = [completer.complete(item) for item in document[ITEMS]]
    return {**document, ITEMS: items} if items != document[ITEMS] else document


class _Completer:
    def __init__(self, catalog: Catalog, products: Products, items: Sequence[Document]) -> None:
        self.catalog, self.products = catalog, products
        self.named = {str(_product(item).get("id", "")) for item in items}
        self.ids = {item["id"] for item in items}

    def complete(self, item: Document) -> Document:
        """Return the item with all that it leaves out, and what is inside it likewise."""
        inner = list(item.get(ITEMS, ()))
        bundle = self._offering(item)
        if bundle is not None and bundle.bundles:
            inner = [*inner, *self._left_out(item, bundle, inner)]
            item = self._placed(item, inner)
            inner = [self._inheriting(item, each) for each in inner]
        inner = [self.complete(each) for each in inner]
        return {**item, ITEMS: inner} if inner else item

    def _current(self, item: Document) -> ItemTask | None:
        return self.products.get(_product(item).get("id", "")) if item["action"] != "add" else None

    def _offering(self, item: Document) -> Offering | None:
        named, current = item.get("productOffering"), self._current(item)
        if named is not None and item["action"] != "delete":
            return self.catalog.offerings.named(named["id"], named.get("version") or "")
        return self.catalog.offerings.named(current.offering_id, current.offering_version) if current else None

    def _left_out(self, item: Document, bundle: Offering, inner: Sequence[Document]) -> Iterator[Document]:
        current = self._current(item)
        if item["action"] == "delete" and current is not None:
            for key in current.parts:
                if key not in self.named:
                    yield {"id": self._new_id(item), "action": "delete", "product": {"id": key}}
        elif item["action"] == "add":
            there = Counter(found.id for each in inner if (found := self._offering(each)) is not None)
            for part in bundle.bundles:
                wanted = part.lower if inner else part.default
                for _ in range(wanted - there[part.offering]):
                    yield {"id": self._new_id(item), "action": "add", "productOffering": {"id": part.offering}}

    def _new_id(self, item: Document) -> str:
        number = 1
        while (key := f"{item['id']}.{number}") in self.ids:
            number += 1
        self.ids.add(key)
        return key

    def _placed(self, item: Document, inner: Sequence[Document]) -> Document:
        """Return an added bundle with a place: its own, or that of one of its parts."""
        if item["action"] != "add" or _product(item).get("place"):
            return item
        places = [_product(each)["place"] for each in inner if _product(each).get("place")]
        places += [[current.place] for each in inner if (current := self._current(each)) is not None]
        return {**item, "product": {**_product(item), "place": places[0]}} if places else item

    def _inheriting(self, item: Document, part: Document) -> Document:
        if part["action"] != "add":
            return part
        own, given, current = _product(item), _product(part), self._current(item)
        place = given.get("place") or own.get("place") or ([current.place] if current is not None else None)
        offering = self._offering(part)
        known = {each["name"] for each in given.get("productCharacteristic", ())}
        wanted = part_names(self.catalog, offering) - known if offering is not None else set()
        handed = [each for each in own.get("productCharacteristic", ()) if each["name"] in wanted]
        characteristics = [*given.get("productCharacteristic", ()), *handed]
        more = {"productCharacteristic": characteristics} if characteristics else {}
        return {**part, "product": {**given, **({"place": place} if place else {}), **more}}


def part_names(catalog: Catalog, offering: Offering) -> set[str]:
    """Return the characteristics that an order says of an offering, and of all that it bundles."""
    names = {each.name for each in catalog.specification_of(offering).characteristics} - offering.fixed.keys()
    for part in offering.bundles:
        found = catalog.offerings.named(part.offering)
        names |= part_names(catalog, found) if found is not None else set()
    return names


def bundle_problems(order: ProductOrderBody, catalog: Catalog, products: Products) -> Iterator[Problem]:
    """Yield each bundle that would not be within its limits, and each part in the wrong place."""
    yield from _Checker(order, catalog, products).problems()


class _Checker:
    def __init__(self, order: ProductOrderBody, catalog: Catalog, products: Products) -> None:
        self.catalog, self.products = catalog, products
        self.placed = {each.item.id: each for each in walked(order.product_order_item, ITEMS)}
        self.by_product = {key: each for each in self.placed.values() if (key := _key(each)) in products}

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the bundles that items are about, and with those whose parts alone are."""
        for each in self.placed.values():
            offering = self._offering(each)
            if offering is not None and offering.bundles:
                yield from self._of_item(each, offering)
        for key, each in self.by_product.items():
            parent = self.products[key].bundle
            is_moved = each.item.action == "modify" and each.item.product_offering is not None
            if parent in self.products and parent not in self.by_product and (each.item.action == "delete" or is_moved):
                current = self.products[parent]
                bundle = self.catalog.offerings.named(current.offering_id, current.offering_version)
                yield from _limits(parent, bundle, self._standing(parent), each.path)

    def _of_item(self, bundle: Item, offering: Offering) -> Iterator[Problem]:
        inner = [each for each in self.placed.values() if each.above[-1:] == (bundle.item.id,)]
        for each in inner:
            yield from self._inside(bundle, each)
        if bundle.item.action == "delete":
            yield from self._left_behind(bundle)
            return
        there = self._standing(_key(bundle))
        for each in inner:
            found = self._offering(each)
            if found is not None and self._joins(each):
                there[found.id] += 1
        yield from _limits(bundle.item.id, offering, there, f"{bundle.path}.{ITEMS}")

    def _left_behind(self, bundle: Item) -> Iterator[Problem]:
        current = self.products.get(_key(bundle))
        for part in current.parts if current is not None else ():
            other = self.by_product.get(part)
            if other is not None and other.item.action != "delete":
                yield Problem(path=f"{other.path}.action", wrong="the product goes with its bundle", legal="delete")

    def _joins(self, each: Item) -> bool:
        if each.item.action in {"add", "delete"}:
            return each.item.action == "add"
        return _key(each) in self.products and not self.products[_key(each)].bundle

    def _inside(self, bundle: Item, each: Item) -> Iterator[Problem]:
        key = _key(each)
        parent = self.products[key].bundle if key in self.products else ""
        if each.item.action == "noChange" and key not in self.products:
            wrong = f"{key!r} does not exist" if key else "is missing"
            yield Problem(path=f"{each.path}.product.id", wrong=wrong, legal="the id of a product in the inventory")
        elif bundle.item.action == "noChange" and (each.item.action == "delete" or self._joins(each)):
            wrong = f"what does not change cannot have the part {each.item.id!r} come or go"
            yield Problem(path=f"{bundle.path}.action", wrong=wrong, legal="modify")
        elif bundle.item.action == "delete" and each.item.action != "delete":
            yield Problem(path=f"{each.path}.action", wrong="the product goes with its bundle", legal="delete")
        elif parent not in {"", _key(bundle)}:
            wrong = f"{key!r} is a part of another bundle, product {parent!r}"
            yield Problem(path=f"{each.path}.product.id", wrong=wrong, legal="a part of this one, or of none")

    def _standing(self, key: str) -> Counter[str]:
        """Return how many of each offering an existing bundle has after the order, of the parts that it has now."""
        there: Counter[str] = Counter()
        for part in self.products[key].parts if key in self.products else ():
            ordered = self.by_product.get(part)
            if ordered is None and part in self.products:
                there[self.products[part].offering_id] += 1
            elif ordered is not None and ordered.item.action != "delete":
                found = self._offering(ordered)
                there[found.id if found is not None else self.products[part].offering_id] += 1
        return there

    def _offering(self, each: Item) -> Offering | None:
        wanted, current = each.item.product_offering, self.products.get(_key(each))
        if wanted is not None and each.item.action in {"add", "modify"}:
            return self.catalog.offerings.named(wanted.id, wanted.version or "")
        return self.catalog.offerings.named(current.offering_id, current.offering_version) if current else None


def _limits(name: str, offering: Offering | None, there: Mapping[str, int], path: str) -> Iterator[Problem]:
    parts = {part.offering: part for part in offering.bundles} if offering is not None else {}
    for key in sorted(there.keys() - parts.keys()):
        if there[key] and offering is not None:
            yield Problem(path=path, wrong=f"{key!r} is no part of {offering.id!r}", legal=", ".join(sorted(parts)))
    for key, part in parts.items():
        found = there.get(key, 0)
        if not part.lower <= found <= part.upper:
            wrong = f"bundle {name!r} would have {found} of {key!r}"
            yield Problem(path=path, wrong=wrong, legal=f"{part.lower} to {part.upper}")


def _key(placed: Item) -> str:
    product = placed.item.product
    return product.id or "" if product is not None and placed.item.action != "add" else ""


def _product(item: Document) -> dict[str, Any]:
    return item.get("product") or {}
