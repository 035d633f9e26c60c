"""Another port for an item that failed: what it reserved elsewhere is taken anew there, and given back here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from activation.contracts import ROLLBACK_FAILED
from inventory.documents import Document
from orders.catalog.model import Catalog, ref_of_text
from orders.errors import InvalidOrder, OrderConflict, Problem
from orders.interventions import Port
from orders.service.documents import releasing_items, reserving_items
from orders.service.migration import added
from orders.service.model import Composition, ItemTask, Part, Reserved
from orders.service.steps import has_code

OLT, PON_PORT = "olt", "ponPort"
"""Characteristics of a PON port's resource, and of one that is asked for at a port."""


def put_on(catalog: Catalog, task: ItemTask, port: Port) -> ItemTask:
    """Return the item as it is to be on ``port``; what it has reserved elsewhere is noted as moving.

    Raises:
        OrderConflict: it cannot be put elsewhere as it stands.
        InvalidOrder: it has no port, or is on this one.
    """
    _refuse_where_it_stands(task)
    here = _where(catalog, task)
    wanted = {OLT: port.device or here.get(OLT) or task.composition.port.get(OLT, ""), PON_PORT: port.name}
    wanted = {name: value for name, value in wanted.items() if value}
    if here and {**here, **wanted} == here:
        raise InvalidOrder([Problem(path="port", wrong=f"it is on {_said(here)}", legal="another port")])
    if not here and not any(_is_pon(catalog, name) for part in added(task) for name in part.requires):
        raise InvalidOrder([Problem(path="port", wrong=f"{task.composition.specification_id!r} has no PON port")])
    elsewhere = wanted.get(OLT, "") != here.get(OLT, "")
    moving = tuple(each.id for each in _taken(task) if elsewhere or _is_pon(catalog, each.specification_id))
    return replace(task, composition=replace(task.composition, port=wanted), moving=moving)


def moving_parts(task: ItemTask) -> Iterator[tuple[Part, tuple[Reserved, ...]]]:
    """Yield each part of which something moves, with what that is."""
    for part in added(task):
        moved = tuple(each for each in task.composition.resources if each.part == part.service_id)
        if found := tuple(each for each in moved if each.id in task.moving):
            yield part, found


def moving_order(
    catalog: Catalog, part: Part, moved: Iterable[Reserved], composition: Composition, external_id: str
) -> Document:
    """Return the TMF652 order that takes what moves anew and gives it back where it was: all of it, or nothing."""
    old = tuple(moved)
    names = {each.specification_id for each in old}
    again = [required for required in part.requires if ref_of_text(required).id in names]
    items = [*reserving_items(catalog, again, composition), *releasing_items(old, first=len(again) + 1)]
    return {"externalId": external_id, "orderItem": items, "@type": "ResourceOrder"}


def without_moved(task: ItemTask, part: str) -> ItemTask:
    """Return the item without what ``part`` had before it moved: the order that took it anew gave that back."""
    gone = {each.id for each in task.composition.resources if each.part == part and each.id in task.moving}
    kept = tuple(each for each in task.composition.resources if each.id not in gone)
    moving = tuple(key for key in task.moving if key not in gone)
    return replace(task, composition=replace(task.composition, resources=kept), moving=moving)


def _refuse_where_it_stands(task: ItemTask) -> None:
    if has_code(task.errors, ROLLBACK_FAILED):
        reason = "may still be configured where it is: a device could not be put back; legal: retry, compensate"
        raise OrderConflict("port", task.item_id, reason)
    if not added(task) or task.is_retiring or task.fallback is not None:
        reason = "is in service where it is; legal: retry, repair with characteristics, compensate"
        raise OrderConflict("port", task.item_id, reason)


def _taken(task: ItemTask) -> Iterator[Reserved]:
    parts = {part.service_id for part in added(task)}
    return (each for each in task.composition.resources if each.part in parts)


def _where(catalog: Catalog, task: ItemTask) -> Mapping[str, str]:
    found = (each.characteristics for each in _taken(task) if _is_pon(catalog, each.specification_id))
    return next(({name: str(each[name]) for name in (OLT, PON_PORT)} for each in found), {})


def _is_pon(catalog: Catalog, name: str) -> bool:
    return catalog.resource(ref_of_text(name)).allocation == "pon"


def _said(where: Mapping[str, str]) -> str:
    return f"{where[OLT]} {where[PON_PORT]} already"
