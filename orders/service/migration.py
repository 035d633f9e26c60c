"""A service that is made in another way than before: what stays, what is added, what is taken away. Pure.

Make before break: first the devices carry the new parts beside the old ones; when that is verified the old ones are
taken away, and what they had reserved is given back.
"""

from collections.abc import Iterable
from dataclasses import replace

from orders.service.decompose import Need
from orders.service.model import Composition, ItemTask, Part, Reserved


def matched(parts: Iterable[Part], wanted: Iterable[Need], new_id: Iterable[str]) -> tuple[Part, ...]:
    """Return a part for each need: the one that is there where specification and reservations are the same."""
    there = list(parts)
    ids = iter(new_id)
    found: list[Part] = []
    for need in wanted:
        same = next((each for each in there if _meets(each, need)), None)
        if same is not None:
            there.remove(same)
        found.append(
            Part(
                service_id=same.service_id if same is not None else next(ids),
                specification_id=need.specification_id,
                requires=need.requires,
                version=need.version,
            )
        )
    return tuple(found)


def redesigned(task: ItemTask, parts: tuple[Part, ...]) -> ItemTask:
    """Return the item with its service made of ``parts``: resources of those that go are no longer the service's."""
    kept = {part.service_id for part in parts}
    before = task.before.parts if task.before is not None else ()
    resources = tuple(each for each in task.composition.resources if each.part in kept)
    return replace(
        task,
        composition=replace(task.composition, parts=parts, resources=resources),
        retiring=tuple(part for part in before if part.service_id not in kept),
    )


def added(task: ItemTask) -> tuple[Part, ...]:
    """Return the parts that the item brings: all of a new service."""
    if task.before is None:
        return task.composition.parts if task.action == "add" else ()
    before = {part.service_id for part in task.before.parts}
    return tuple(part for part in task.composition.parts if part.service_id not in before)


def both(task: ItemTask) -> Composition:
    """Return the service with its new parts beside those that will be taken away."""
    old = task.before
    if old is None:
        return task.composition
    going = {part.service_id for part in task.retiring}
    values = {key: value for key, value in old.part_values.items() if key in going}
    return replace(
        task.composition,
        parts=(*task.composition.parts, *task.retiring),
        part_values={**task.composition.part_values, **values},
        resources=(*task.composition.resources, *_of(old.resources, task.retiring)),
    )


def given_back(task: ItemTask) -> tuple[Reserved, ...]:
    """Return what the item gives back where it stands: all, what it took, or what its old parts had."""
    if task.action != "modify":
        return task.composition.resources
    if task.is_retiring and not task.is_undoing and task.before is not None:
        return _of(task.before.resources, task.retiring)
    return _of(task.composition.resources, added(task))


def is_migration(task: ItemTask) -> bool:
    """Say whether a modify makes the service of other parts than before."""
    return task.action == "modify" and bool(task.retiring or added(task))


def _meets(part: Part, need: Need) -> bool:
    return (part.specification_id, part.requires) == (need.specification_id, need.requires)


def _of(resources: Iterable[Reserved], parts: Iterable[Part]) -> tuple[Reserved, ...]:
    ids = {part.service_id for part in parts}
    return tuple(each for each in resources if each.part in ids)
