"""What puts a device and its intended configuration together again, in either direction. Pure.

*Re-apply* states the owners' fragments once more: what is missing or changed comes back; foreign nodes go only where
that is asked for. *Adopt* makes what the device shows the intended: a changed value moves into its owners' fragments, a
missing node is given up by them, a foreign node goes into the device's *baseline*, a fragment of nobody's service that
only keeps: what is in it is never removed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from activation.dialects import notation_for
from activation.drift import Deviation
from activation.drift_policy import compiled
from activation.errors import NothingToRepair
from activation.model import Fragment, FragmentChange, Path, ServiceId
from activation.notation import Nodes, Notation, by_slot, parents
from activation.platforms import Platform

BASELINE: Final = "baseline"
"""The intent of a baseline's fragment."""
_BASELINE_PREFIX: Final = "baseline:"
_REMOVED: Final = ServiceId("removed-by-hand")
"""The owner that foreign nodes get for the moment in which they are removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a repair does to the fragments on one device, and the deviations that it mends."""

    changes: tuple[FragmentChange, ...]
    mended: tuple[Deviation, ...]


def baseline_id(device: str) -> ServiceId:
    """Return the id that owns the baseline of ``device``."""
    return ServiceId(f"{_BASELINE_PREFIX}{device}")


def is_baseline(service_id: str) -> bool:
    """Say whether ``service_id`` is a device's baseline and no service."""
    return service_id.startswith(_BASELINE_PREFIX)


def chosen(deviations: Iterable[Deviation], patterns: Sequence[str]) -> tuple[Deviation, ...]:
    """Return the deviations that one of ``patterns`` means; all of them where there is no pattern.

    Raises:
        NothingToRepair: a pattern that means none of them; lists the places.
    """
    found = tuple(deviations)
    places = {each.place for each in found}
    for pattern in patterns:
        if not any(compiled(pattern).fullmatch(place) for place in places):
            legal = "; ".join(sorted(places)) or "none, the device is in sync"
            raise NothingToRepair(f"{pattern!r} means no deviation; there are: {legal}")
    return tuple(each for each in found if not patterns or any(compiled(p).fullmatch(each.place) for p in patterns))


def reapply(device: str, platform: Platform, deviations: Iterable[Deviation], fragments: Sequence[Fragment]) -> Repair:
    """Return what brings missing and changed nodes back, and takes the foreign ones among ``deviations`` away."""
    mended = tuple(deviations)
    owners = {owner for each in mended if each.kind != "foreign" for owner in each.owners}
    again = [FragmentChange(old=held, new=held) for held in fragments if held.service_id in owners]
    foreign = frozenset(node for each in mended if each.kind == "foreign" for node in each.nodes)
    if foreign:
        text = notation_for(platform).show(foreign)
        again.append(FragmentChange(old=Fragment(service_id=_REMOVED, device=device, intent="", text=text), new=None))
    return Repair(changes=tuple(again), mended=mended)


def adopt(device: str, platform: Platform, deviations: Iterable[Deviation], fragments: Sequence[Fragment]) -> Repair:
    """Return what makes the device's side of ``deviations`` the intended one."""
    notation, mended = notation_for(platform), tuple(deviations)
    given_up: dict[ServiceId, set[Path]] = defaultdict(set)
    taken: dict[ServiceId, dict[Path, Path]] = defaultdict(dict)
    for each in mended:
        for owner in each.owners:
            if each.kind == "missing":
                given_up[owner].update(map(notation.slot, each.nodes))
            elif each.kind == "changed" and each.standing is not None:
                taken[owner][each.slot] = each.standing
    changes = [
        FragmentChange(old=held, new=_rewritten(notation, held, given_up[held.service_id], taken[held.service_id]))
        for held in fragments
        if held.service_id in given_up.keys() | taken.keys()
    ]
    foreign = frozenset(node for each in mended if each.kind == "foreign" for node in each.nodes)
    if foreign:
        changes.append(_kept(notation, device, fragments, foreign))
    return Repair(changes=tuple(change for change in changes if change.old != change.new), mended=mended)


def _rewritten(notation: Notation, held: Fragment, given_up: set[Path], taken: Mapping[Path, Path]) -> Fragment:
    nodes = by_slot(notation, notation.parse(held.text))
    left = {
        slot: taken.get(slot, node)
        for slot, node in nodes.items()
        if slot not in given_up and given_up.isdisjoint(parents(slot))
    }
    if left == nodes:
        return held
    foreign = frozenset(node for node in held.foreign if notation.slot(node) in left)
    return replace(held, text=notation.show(frozenset(left.values())), foreign=foreign)


def _kept(notation: Notation, device: str, fragments: Iterable[Fragment], foreign: Nodes) -> FragmentChange:
    owner = baseline_id(device)
    old = next((held for held in fragments if held.service_id == owner), None)
    before = notation.parse(old.text) if old is not None else frozenset()
    new = Fragment(
        service_id=owner,
        device=device,
        intent=BASELINE,
        text=notation.show(before | foreign),
        foreign=(old.foreign if old is not None else frozenset()) | foreign,
    )
    return FragmentChange(old=old, new=new)
