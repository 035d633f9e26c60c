"""What a plan risks beside what it is for: other services, lines taken away, nodes nobody owns. Pure."""

from collections.abc import Callable, Iterable, Mapping

from activation.dialects import notation_for
from activation.model import DeviceEdit, Fragment, FragmentChange, Path, Plan
from activation.notation import by_slot
from activation.plan import owned_paths
from activation.platforms import Platform

PlatformOf = Callable[[str], Platform]


def shared_places(plan: Plan, platform_of: PlatformOf) -> Mapping[str, frozenset[Path]]:
    """Return, by device, the places that the plan's services hold or held and that a service may share with them.

    A node that stood there before any service came belongs to nobody, however many services name it.
    """
    found: dict[str, frozenset[Path]] = {}
    for device, fragments in _by_device(plan.fragments).items():
        platform = platform_of(device)
        held = frozenset().union(*(owned_paths(platform, fragment) for fragment in fragments))
        found[device] = held - _foreign(platform, fragments)
    return found


def removed_lines(plan: Plan) -> int:
    """Return how many lines the plan's diffs take away."""
    lines = (line for edit in plan.edits for line in edit.diff.splitlines())
    return sum(line.startswith("-") and not line.startswith("---") for line in lines)


def unowned_nodes(plan: Plan, platform_of: PlatformOf) -> int:
    """Return how many nodes the plan changes that no service put there."""
    fragments = _by_device(plan.fragments)
    return sum(_unowned(edit, platform_of(edit.device), fragments.get(edit.device, ())) for edit in plan.edits)


def _unowned(edit: DeviceEdit, platform: Platform, fragments: Iterable[Fragment]) -> int:
    if not edit.changes:
        return 0
    notation, found = notation_for(platform), tuple(fragments)
    before, after = (by_slot(notation, notation.parse(text)) for text in (edit.before, edit.after))
    held = frozenset().union(*(owned_paths(platform, fragment) for fragment in found))
    owned = held - _foreign(platform, found)
    return sum(slot not in owned and after.get(slot) != node for slot, node in before.items())


def _foreign(platform: Platform, fragments: Iterable[Fragment]) -> frozenset[Path]:
    notation = notation_for(platform)
    return frozenset(notation.slot(node) for fragment in fragments for node in fragment.foreign)


def _by_device(changes: Iterable[FragmentChange]) -> Mapping[str, tuple[Fragment, ...]]:
    found: dict[str, tuple[Fragment, ...]] = {}
    for change in changes:
        for fragment in (change.old, change.new):
            if fragment is not None:
                found[fragment.device] = (*found.get(fragment.device, ()), fragment)
    return found
