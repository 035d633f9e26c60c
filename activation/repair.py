"""What puts a device and its intended configuration together again, in either direction. Pure.

*Re-apply* brings back what is missing or changed; foreign nodes go only where that is asked for. *Adopt* makes what the
device shows the intended: a changed value moves into its owners' fragments, a missing node is given up by them, a
foreign node goes into the device's *baseline*: a fragment of nobody's service, of which nothing is ever removed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
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
REAPPLY: Final = "reapply"
_BASELINE_PREFIX: Final = "baseline:"
_PASSING_PREFIX: Final = "repair:"
"""Begins the names of owners for the moment of a repair; nothing of theirs is stored."""
_BACK: Final = ServiceId(f"{_PASSING_PREFIX}back")
_AWAY: Final = ServiceId(f"{_PASSING_PREFIX}away")


def baseline_id(device: str) -> ServiceId:
    """Return the id that owns the baseline of ``device``."""
    return ServiceId(f"{_BASELINE_PREFIX}{device}")


def is_baseline(service_id: str) -> bool:
    """Say whether ``service_id`` is a device's baseline and no service."""
    return service_id.startswith(_BASELINE_PREFIX)


def is_passing(service_id: str) -> bool:
    """Say whether ``service_id`` owns nodes for the moment of a repair only."""
    return service_id.startswith(_PASSING_PREFIX)


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


def reapply(device: str, platform: Platform, deviations: Iterable[Deviation]) -> tuple[FragmentChange, ...]:
    """Return what brings missing and changed nodes back, and takes the foreign ones among ``deviations`` away.

    Their owners' fragments stay as they are: for the moment of the change the nodes have one owner more, or one less.
    """
    notation, mended = notation_for(platform), tuple(deviations)
    back = frozenset(node for each in mended if each.kind != "foreign" for node in each.nodes)
    away = frozenset(node for each in mended if each.kind == "foreign" for node in each.nodes)
    changes: list[FragmentChange] = []
    if back:
        again = Fragment(service_id=_BACK, device=device, intent=REAPPLY, text=notation.show(back))
        changes.append(FragmentChange(old=again, new=again))
    if away:
        gone = Fragment(service_id=_AWAY, device=device, intent=REAPPLY, text=notation.show(away))
        changes.append(FragmentChange(old=gone, new=None))
    return tuple(changes)


def adopt(
    device: str, platform: Platform, deviations: Iterable[Deviation], fragments: Sequence[Fragment]
) -> tuple[FragmentChange, ...]:
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
    return tuple(change for change in changes if change.old != change.new)


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
