"""The network as it will stand: unfinished activations applied one after another, before the next is planned. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from activation.draft import untouched
from activation.errors import Outdated
from activation.model import DeviceEdit, Fragment, FragmentChange, Path, Plan, PlanId
from activation.plan import make_plan, owned_paths
from activation.platforms import Platform
from activation.project import ProjectedDevice
from activation.repair import is_passing
from activation.repair_work import RepairWork, fragment_key
from activation.work import Work, change_key, fragments_in

PlatformOf = Callable[[str], Platform]
OnDevice = tuple[DeviceEdit, tuple[FragmentChange, ...]]


@dataclass(slots=True, kw_only=True)
class Holdings:
    """What the services that change have, as it will be; found by the places they share.

    Attributes:
        held: their fragments, by service.
    """

    platform_of: PlatformOf
    held: dict[str, tuple[Fragment, ...]]
    _places: dict[Fragment, frozenset[Path]] = field(default_factory=dict)
    _sharers: dict[tuple[str, Path], set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for root_id, fragments in self.held.items():
            self._index(root_id, fragments)

    def replace(self, root_id: str, fragments: Iterable[Fragment]) -> None:
        """Let the service have ``fragments`` from now on."""
        for fragment in self.held.get(root_id, ()):
            for place in self.places(fragment):
                self._sharers[fragment.device, place].discard(root_id)
        self.held[root_id] = tuple(fragments)
        self._index(root_id, self.held[root_id])

    def others(self, root_id: str, device: str, places: Iterable[Path]) -> tuple[Fragment, ...]:
        """Return the fragments of other services that hold one of ``places``."""
        roots = self.sharers(device, places) - {root_id}
        return tuple(each for root in sorted(roots) for each in self.held[root] if each.device == device)

    def beside(self, roots: Iterable[str], device: str, changes: Iterable[FragmentChange]) -> tuple[Fragment, ...]:
        """Return what these services have on the device besides what changes."""
        changed = {fragment.service_id for fragment in fragments_in(changes)}
        held = (each for root in sorted(roots) for each in self.held.get(root, ()) if each.device == device)
        return tuple(each for each in held if each.service_id not in changed)

    def sharers(self, device: str, places: Iterable[Path]) -> frozenset[str]:
        """Return the services that hold one of ``places``."""
        return frozenset(root for place in places for root in self._sharers.get((device, place), ()))

    def places(self, fragment: Fragment) -> frozenset[Path]:
        """Return the places that ``fragment`` holds."""
        if fragment not in self._places:
            self._places[fragment] = owned_paths(self.platform_of(fragment.device), fragment)
        return self._places[fragment]

    def places_of(self, changes: Iterable[FragmentChange]) -> frozenset[Path]:
        """Return the places that ``changes`` are about."""
        return frozenset().union(*(self.places(fragment) for fragment in fragments_in(changes)))

    def _index(self, root_id: str, fragments: Iterable[Fragment]) -> None:
        for fragment in fragments:
            for place in self.places(fragment):
                self._sharers.setdefault((fragment.device, place), set()).add(root_id)


Neighbours = Callable[[str, Iterable[Path]], Sequence[Fragment]]
"""Fragments, on a device, of services that do not change and hold one of these places."""


@dataclass(slots=True, kw_only=True)
class Forecast:
    """Plans works one after another, on the devices that matter, as if all before were through."""

    devices: Mapping[str, ProjectedDevice]
    holdings: Holdings
    neighbours: Neighbours

    def plan(self, work: Work, plan_id: PlanId) -> Plan:
        """Return the plan of ``work``; nothing is applied.

        Raises:
            PlanError: see :func:`activation.plan.plan_device`.
        """
        made = {
            name: self._on(name, work, changes) for name, changes in work.changing().items() if name in self.devices
        }
        platform_of = self.holdings.platform_of
        rest = [untouched(name, platform_of(name)) for name in work.by_device if name not in made]
        settled = [change for _, changes in made.values() for change in changes]
        return make_plan([*(edit for edit, _ in made.values()), *rest], settled, plan_id)

    def apply(self, work: Work, plan: Plan) -> None:
        """Let ``plan``, made of ``work`` as everything is now, be through."""
        for edit in plan.edits:
            if edit.device in self.devices and edit.touched:
                self.devices[edit.device].apply(edit)
        self.holdings.replace(work.root_id, fragments_after(work, plan.fragments))

    def mend(self, work: RepairWork, plan: Plan) -> None:
        """Let ``plan``, made of the repair ``work`` as everything is now, be through."""
        for edit in plan.edits:
            if edit.device in self.devices and edit.touched:
                self.devices[edit.device].apply(edit)
        for root_id, fragments in mended(work, self.holdings.held, plan.fragments).items():
            self.holdings.replace(root_id, fragments)

    def _on(self, name: str, work: Work, changes: tuple[FragmentChange, ...]) -> OnDevice:
        places = self.holdings.places_of(changes)
        others = (*self.neighbours(name, places), *self.holdings.others(work.root_id, name, places))
        return self.devices[name].plan(changes, others, self.holdings.beside(work.roots(), name, changes))


def mended(
    work: RepairWork, held: Mapping[str, tuple[Fragment, ...]], settled: Iterable[FragmentChange] = ()
) -> Mapping[str, tuple[Fragment, ...]]:
    """Return what each service has once the repair ``work`` is through, of what it has by then (``held``).

    Raises:
        Outdated: what is before the repair changes a fragment that it was made of: it will be made anew.
    """
    planned = {change_key(change): change for change in settled}
    found: dict[str, dict[str, Fragment]] = {}
    for change in (each for made in work.changing().values() for each in made):
        part = next(fragments_in([change])).service_id
        if is_passing(part):
            continue
        root = work.root_of(part)
        there = found.setdefault(root, {fragment_key(each): each for each in held.get(root, ())})
        key = change_key(change)
        if there.pop(key, None) != change.old:
            raise Outdated(f"what comes first changes {part} too: it is planned anew after that")
        after = planned.get(key, change).new
        if after is not None:
            there[key] = after
    return {root: tuple(there.values()) for root, there in found.items()}


def fragments_after(work: Work, settled: Iterable[FragmentChange] = ()) -> tuple[Fragment, ...]:
    """Return what the service has once ``work`` is through; what is not ``settled`` keeps no foreign nodes."""
    planned = {change_key(change): change for changes in work.changing().values() for change in changes}
    return work.fragments_after({**planned, **{change_key(change): change for change in settled}})
