"""Plans: the exact change of one device from the fragments of the services on it, and its proof afterwards."""

import difflib
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import orjson

from activation.dialects import notation_for
from activation.errors import PlanError
from activation.fragments import Ownership, Reading, intended, readable, relevant, settle
from activation.model import DeviceEdit, Fragment, FragmentChange, Path, Plan, PlanId
from activation.notation import Nodes, Notation, Scope, Section, Sections, by_slot
from activation.platforms import Platform
from activation.unified import Marked, heading, unified
from activation.wholes import NOTHING, Wholes


@dataclass(frozen=True, kw_only=True)
class DevicePlan:
    """The change of one device.

    Not slotted: what will stand is put together once and kept.

    Attributes:
        settled: the changes of fragments as they are to be stored.
        before: the touched nodes that stand now, by slot, but for the wholes.
        after: those that will, by slot, but for the wholes.
        wholes: the sections that come and go as a whole.
    """

    edit: DeviceEdit
    settled: tuple[FragmentChange, ...]
    before: Mapping[Path, Path]
    after: Mapping[Path, Path]
    wholes: Wholes = NOTHING

    def all_before(self) -> Mapping[Path, Path]:
        """Return all touched nodes that stand now, by slot."""
        return _with_sections(self.before, self.wholes.going.values())

    @cached_property
    def all_after(self) -> Mapping[Path, Path]:
        """All touched nodes that will stand, by slot."""
        return _with_sections(self.after, self.wholes.coming.values())


@dataclass(slots=True, kw_only=True)
class DeviceDraft:
    """One device's part of a plan in the making.

    Attributes:
        others: fragments of services that do not change and share places with those that do.
        kin: fragments that stay as they are, of services that change.
    """

    name: str
    platform: Platform
    changes: Sequence[FragmentChange]
    reading: Reading
    others: Sequence[Fragment] = ()
    kin: Sequence[Fragment] = ()
    _owned: tuple[Wholes, Ownership] | None = None

    @classmethod
    def of(cls, name: str, platform: Platform, changes: Sequence[FragmentChange]) -> Self:
        """Begin with ``changes``."""
        return cls(name=name, platform=platform, changes=changes, reading=Reading(notation_for(platform)))

    def outer_places(self) -> frozenset[Path]:
        """Return places of which nothing is shared with others unless one of these is.

        Raises:
            PlanError: a fragment cannot be understood.
        """
        return frozenset(place for text in self._texts() for place in (*text.whole, *text.apart))

    def places(self, shared: Collection[Path]) -> frozenset[Path]:
        """Return the places that may be shared with others where, of :meth:`outer_places`, these are."""
        inside = (text.whole[top].nodes for text in self._texts() for top in text.whole if top in shared)
        return frozenset(shared).union(*inside)

    def touched(self) -> tuple[Path, ...]:
        """Return what has to be read of the device.

        Raises:
            PlanError: two services want different values in one place.
        """
        wholes, ownership = self._begun()
        return tuple(sorted({*wholes.covers(), *ownership.covers}))

    def plan(self, running: str) -> DevicePlan:
        """Return the plan against the ``running`` configuration.

        Raises:
            PlanError: see :func:`plan_device`.
        """
        refuse_strangers(self.name, self.changes, self._staying)
        notation = self.reading.notation
        stands = notation.read(running, Scope.of(self.touched()))
        begun, ownership = self._begun()
        wholes, beside = begun.apart(stands)
        if wholes != begun:
            ownership = self._without(wholes)
        return device_plan(self.name, self.platform, frozenset(beside.values()), self.changes, ownership, wholes)

    def _begun(self) -> tuple[Wholes, Ownership]:
        if self._owned is None:
            wholes = self.reading.wholes(self.changes, self._staying)
            self._owned = wholes, self._without(wholes)
        return self._owned

    def _without(self, wholes: Wholes) -> Ownership:
        ownership = Ownership.of(self.reading.notation, self.changes, self._staying, self.reading, wholes)
        return replace(ownership, kin=frozenset(each.service_id for each in self.kin))

    @property
    def _staying(self) -> Sequence[Fragment]:
        return (*self.others, *self.kin)

    def _texts(self) -> Iterator[Sections]:
        return (self.reading.sections(each) for change in self.changes for each in (change.old, change.new) if each)


def touched_paths(
    platform: Platform, changes: Sequence[FragmentChange], others: Sequence[Fragment] = ()
) -> tuple[Path, ...]:
    """Return what has to be read of the device before ``changes`` can be planned; each path with all below it.

    ``others`` as for :func:`plan_device`; without them a section that might lose its last owner is read whole.

    Raises:
        PlanError: a fragment cannot be understood, or two services want different values in one place.
    """
    draft = DeviceDraft.of("", platform, changes)
    draft.others = others
    return draft.touched()


def owned_paths(platform: Platform, fragment: Fragment) -> frozenset[Path]:
    """Return the places (paths without values) that ``fragment`` holds; fragments that share one share a node.

    A store that indexes these finds the ``others`` of :func:`plan_device` without reading every fragment.

    Raises:
        PlanError: the fragment cannot be understood.
    """
    return frozenset(notation_for(platform).read(fragment.text))


def plan_device(
    device: str, platform: Platform, running: str, changes: Sequence[FragmentChange], others: Sequence[Fragment] = ()
) -> tuple[DeviceEdit, tuple[FragmentChange, ...]]:
    """Return the smallest edit that makes ``changes`` true on ``device``, and the changes as they are to be stored.

    Args:
        device: the device's name.
        platform: its platform.
        running: its running configuration, at least what :func:`touched_paths` names.
        changes: what happens to the services' fragments, all of them on this device.
        others: fragments of services that do not change and share nodes with those that do; more do no harm.

    Raises:
        PlanError: a text cannot be understood, a fragment belongs to another device, or two services want different
            values in one place.
    """
    refuse_strangers(device, changes, others)
    draft = DeviceDraft.of(device, platform, changes)
    draft.others = others
    planned = draft.plan(running)
    return planned.edit, planned.settled


def plan_nodes(
    device: str, platform: Platform, standing: Nodes, changes: Sequence[FragmentChange], ownership: Ownership
) -> tuple[DeviceEdit, tuple[FragmentChange, ...]]:
    """Return what :func:`plan_device` returns, for a configuration that is read already.

    Raises:
        PlanError: the change cannot be written in the platform's notation.
    """
    planned = device_plan(device, platform, standing, changes, ownership)
    return planned.edit, planned.settled


def device_plan(
    device: str,
    platform: Platform,
    standing: Nodes,
    changes: Sequence[FragmentChange],
    ownership: Ownership,
    wholes: Wholes = NOTHING,
) -> DevicePlan:
    """Return the plan for a configuration that is read already.

    ``ownership`` is about all but the ``wholes``, and ``standing`` holds nothing of them.

    Raises:
        PlanError: the change cannot be written in the platform's notation.
    """
    notation = ownership.notation
    before = relevant(ownership, notation, standing)
    after = intended(ownership, notation, before)
    texts = notation.texts(before | wholes.going.keys(), after | wholes.coming.keys(), wholes.bodies())
    edit = DeviceEdit(
        device=device,
        platform=platform.name,
        dialect=platform.dialect,
        edit=texts.edit,
        inverse=texts.inverse,
        diff=_diff(device, texts.compared),
        touched=tuple(sorted({*ownership.covers, *wholes.covers()})),
        before=texts.before,
        after=texts.after,
        base_fingerprint=hashlib.sha256(texts.before.encode()).hexdigest(),
        shared_with=ownership.neighbours(),
    )
    return DevicePlan(
        edit=edit,
        settled=settle(ownership, notation, before, changes),
        before=by_slot(notation, before),
        after=by_slot(notation, after),
        wholes=wholes,
    )


def own_diffs(planned: DevicePlan, notation: Notation, shares: Iterable[Sequence[Sections]]) -> list[str]:
    """Return the part of the device's diff that each of ``shares`` (the texts of one service) is about."""
    bodies, device = planned.wholes.bodies(), planned.edit.device
    going, coming = planned.wholes.going, planned.wholes.coming
    found = []
    for share in shares:
        slots, tops = _asunder(share, planned.wholes)
        before = frozenset(planned.before[slot] for slot in slots if slot in planned.before)
        after = frozenset(planned.after[slot] for slot in slots if slot in planned.after)
        lines = notation.compare(before | (tops & going.keys()), after | (tops & coming.keys()), bodies)
        found.append(_diff(device, lines))
    return found


def _asunder(share: Iterable[Sections], wholes: Wholes) -> tuple[Iterable[Path], set[Path]]:
    """Return the slots of a share that are in no whole section, and the tops of those that are."""
    slots: dict[Path, Path] = {}
    tops: set[Path] = set()
    for text in share:
        slots |= text.apart
        for top, section in text.whole.items():
            if wholes.holds(top):
                tops.add(top)
            else:
                slots |= section.nodes
    return slots, tops


def _with_sections(nodes: Mapping[Path, Path], sections: Iterable[Section]) -> Mapping[Path, Path]:
    found = dict(nodes)
    for section in sections:
        found |= section.nodes
    return found


def readback_matches(edit: DeviceEdit, running: str, platform: Platform, known: DevicePlan | None = None) -> list[str]:
    """Return how the running configuration differs from what ``edit`` was to make of it; empty if it does not.

    ``known`` is the plan that the edit comes from, where it is at hand: its texts need not be read again.

    Raises:
        PlanError: ``running`` cannot be understood.
    """
    notation = notation_for(platform)
    if known is not None and known.edit == edit:
        return list(_differences(edit, running, notation, (known.all_after, known.all_before)))
    texts = notation.read(edit.after), lambda: notation.read(edit.before)
    return list(_differences(edit, running, notation, texts))


def matches_before(edit: DeviceEdit, running: str, platform: Platform) -> list[str]:
    """Return how the running configuration differs from what ``edit`` was planned against; empty if it does not.

    Raises:
        PlanError: ``running`` cannot be understood.
    """
    notation = notation_for(platform)
    texts = notation.read(edit.before), lambda: notation.read(edit.after)
    return list(_differences(edit, running, notation, texts))


def make_plan(edits: Sequence[DeviceEdit], fragments: Sequence[FragmentChange], plan_id: PlanId) -> Plan:
    """Return the plan of ``edits``, sorted by device, with its hash."""
    ordered = tuple(sorted(edits, key=lambda edit: edit.device))
    digest = hashlib.sha256(b"".join(map(canonical_bytes, ordered))).hexdigest()
    return Plan(plan_id=plan_id, edits=ordered, fragments=tuple(fragments), plan_hash=digest)


def canonical_bytes(edit: DeviceEdit) -> bytes:
    """Return the bytes an approval signs: all that is sent, and what it was planned against, in one line of JSON.

    Who else is on the touched nodes is no part of them: customers come and go without changing a byte of the edit.
    """
    signed = edit.document()
    del signed["shared_with"]
    return orjson.dumps(signed, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def unified_patch(edits: Iterable[DeviceEdit]) -> str:
    """Return the changes of all devices as one unified patch; the files are named for the devices."""
    return "".join(map(_patch, edits))


def refuse_strangers(device: str, changes: Sequence[FragmentChange], others: Sequence[Fragment]) -> None:
    """Refuse to plan for ``device`` what belongs to another.

    Raises:
        PlanError: a fragment of another device; names it.
    """
    fragments = [*others, *(f for change in changes for f in (change.old, change.new) if f is not None)]
    if strangers := sorted({f"{f.service_id} on {f.device}" for f in fragments if f.device != device}):
        raise PlanError(f"{device}: fragments of other devices in its plan: {', '.join(strangers)}")


def _diff(device: str, lines: Sequence[Marked]) -> str:
    return unified(lines, *_names(device))


def _names(device: str) -> tuple[str, str]:
    return f"{device} running", f"{device} planned"


def _patch(edit: DeviceEdit) -> str:
    names = f"a/{edit.device}", f"b/{edit.device}"
    planned = heading(*_names(edit.device))
    if edit.before == edit.after:
        return ""
    if edit.diff.startswith(planned):
        return heading(*names) + edit.diff.removeprefix(planned)
    # Its diff tells something else, what a service adopts, say: the texts have to be compared.
    before, after = (text.splitlines(keepends=True) for text in (edit.before, edit.after))
    return "".join(difflib.unified_diff(before, after, *names))


def _differences(
    edit: DeviceEdit,
    running: str,
    notation: Notation,
    expected: tuple[Mapping[Path, Path], Callable[[], Mapping[Path, Path]]],
) -> Iterator[str]:
    """Say how ``running`` differs from the first of ``expected`` in the slots of either."""
    wanted, read_other = expected
    stands = notation.read(running, Scope.of(edit.touched))
    if stands == wanted:
        return
    other = read_other()
    differing = [slot for slot in {**wanted, **other} if wanted.get(slot) != stands.get(slot)]
    for slot in sorted(differing):
        want, have = wanted.get(slot), stands.get(slot)
        if have is None:
            yield f"missing: {readable(want or slot)}"
        elif want is None:
            yield f"not expected: {readable(have)}"
        else:
            yield f"differs: {readable(have)} instead of {readable(want)}"
