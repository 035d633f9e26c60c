"""Who owns which node of a device: the intended configuration is the union of the services' fragments.

A node that several fragments hold goes with its last owner. A node that stood on the device before its first owner
came is *foreign*: it is never removed, and a leaf that a service changed gets its old value back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Self

from activation.errors import PlanError
from activation.model import Fragment, FragmentChange, Path, ServiceId
from activation.notation import Nodes, Notation, Sections, by_slot, covered, lineage, parents
from activation.wholes import NOTHING, Shares, Wholes


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One fragment, read: the nodes it wants by slot, and the foreign nodes in those slots."""

    fragment: Fragment
    wants: Mapping[Path, Path]
    foreign: Mapping[Path, Path]


class Reading:
    """The fragments of one device; a text is read once, however often it is asked for."""

    def __init__(self, notation: Notation) -> None:
        self.notation = notation
        self._read: dict[str, Sections] = {}

    def wants(self, fragment: Fragment) -> Mapping[Path, Path]:
        """Return the nodes that ``fragment`` wants, by slot.

        Raises:
            PlanError: the fragment cannot be understood.
        """
        return self.sections(fragment).nodes

    def sections(self, fragment: Fragment) -> Sections:
        """Return the same with its topmost entries.

        Raises:
            PlanError: the fragment cannot be understood.
        """
        found = self._read.get(fragment.text)
        if found is None:
            found = self._read[fragment.text] = self.notation.sections(fragment.text)
        return found

    def share(self, fragment: Fragment, wholes: Wholes = NOTHING) -> Share:
        """Return the share that ``fragment`` stands for, but for its part in ``wholes``.

        Raises:
            PlanError: the fragment cannot be understood.
        """
        foreign = by_slot(self.notation, fragment.foreign)
        read = self.sections(fragment)
        wants = read.nodes
        if any(map(wholes.holds, read.whole)):
            wants = dict(read.apart)
            for top, section in read.whole.items():
                if not wholes.holds(top):
                    wants |= section.nodes
        return Share(fragment=fragment, wants=wants, foreign=foreign)

    def wholes(self, changes: Sequence[FragmentChange], others: Sequence[Fragment]) -> Wholes:
        """Return the sections that ``changes`` make come or go as a whole; ``others`` as for :class:`Ownership`.

        Raises:
            PlanError: a fragment cannot be understood.
        """
        old = [change.old for change in changes if change.old]
        staying = _staying(changes, others)
        shares = Shares(
            arriving=[self.sections(change.new) for change in changes if change.new],
            leaving=list(map(self.sections, old)),
            staying=list(map(self.sections, staying)),
            foreign=frozenset(self.notation.slot(node) for each in (*old, *staying) for node in each.foreign),
        )
        return Wholes.of(shares)


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """The shares before and after a change of one device; ``staying`` are those it does not change.

    What comes or goes as a whole is no part of the shares: nobody else has a part in it.

    Not slotted: the derived views are computed once and kept.

    Attributes:
        kin: parts that stay, of services that change: they keep their nodes, and are nobody's neighbours.
    """

    notation: Notation
    leaving: tuple[Share, ...]
    arriving: tuple[Share, ...]
    staying: tuple[Share, ...]
    kin: frozenset[ServiceId] = frozenset()

    @classmethod
    def of(
        cls,
        notation: Notation,
        changes: Sequence[FragmentChange],
        others: Sequence[Fragment],
        reading: Reading | None = None,
        wholes: Wholes = NOTHING,
    ) -> Self:
        """Return the ownership around ``changes``; ``reading`` knows texts that were read before.

        Raises:
            PlanError: a fragment cannot be understood, or two services want different values in one slot.
        """
        share = partial((reading or Reading(notation)).share, wholes=wholes)
        self = cls(
            notation=notation,
            leaving=tuple(share(change.old) for change in changes if change.old),
            arriving=tuple(share(change.new) for change in changes if change.new),
            staying=tuple(map(share, _staying(changes, others))),
        )
        self._refuse_conflicts()
        return self

    def _refuse_conflicts(self) -> None:
        owners = {slot: (node, s.fragment.service_id) for s in self.staying for slot, node in s.wants.items()}
        for share in self.arriving:
            for slot, node in share.wants.items():
                other, owner = owners.setdefault(slot, (node, share.fragment.service_id))
                if other != node:
                    raise PlanError(
                        f"{share.fragment.device}: service {share.fragment.service_id} wants {readable(node)} where "
                        f"service {owner} has {readable(other)}; legal: the same value, or a node of its own"
                    )

    @cached_property
    def wanted(self) -> Mapping[Path, Path]:
        """The nodes that the changed services want from now on, by slot."""
        return {slot: node for share in self.arriving for slot, node in share.wants.items()}

    @cached_property
    def left(self) -> Mapping[Path, Path]:
        """The nodes that nobody wants any more, by slot; foreign ones among them."""
        kept = {slot for share in (*self.arriving, *self.staying) for slot in share.wants}
        return {slot: node for share in self.leaving for slot, node in share.wants.items() if slot not in kept}

    @cached_property
    def foreign(self) -> Mapping[Path, Path]:
        """The nodes known to be foreign, as they stood before the first owner, by slot."""
        return {slot: node for share in (*self.leaving, *self.staying) for slot, node in share.foreign.items()}

    @cached_property
    def vanishing(self) -> frozenset[Path]:
        """The slots that become empty, with everything below them: left by the last owner and not foreign."""
        foreign = self.foreign
        anchored = {path for slot in self.left if slot in foreign for path in lineage(slot)}
        return frozenset(slot for slot in self.left if slot not in anchored)

    @cached_property
    def slots(self) -> frozenset[Path]:
        """Every slot that the changed services hold or held."""
        return frozenset(slot for share in (*self.leaving, *self.arriving) for slot in share.wants)

    @cached_property
    def covers(self) -> tuple[Path, ...]:
        """What has to be read: each section or list entry concerned, none inside another; sorted."""
        return covered(self.slots, self.notation.unit, self.vanishing)

    def neighbours(self) -> tuple[ServiceId, ...]:
        """Return the other services that own a node in these slots, foreign nodes aside; sorted."""
        slots = self.slots - self.foreign.keys()
        sharing = {share.fragment.service_id for share in self.staying if not slots.isdisjoint(share.wants)}
        return tuple(sorted(sharing - self.kin))


def _staying(changes: Iterable[FragmentChange], others: Iterable[Fragment]) -> Sequence[Fragment]:
    changed = {fragment.service_id for change in changes for fragment in (change.old, change.new) if fragment}
    return [other for other in others if other.service_id not in changed]


def relevant(ownership: Ownership, notation: Notation, standing: Nodes) -> Nodes:
    """Return the nodes of ``standing`` that the change is about: in its slots, or below what vanishes."""
    slots, vanishing = ownership.slots, ownership.vanishing
    return frozenset(
        node
        for node in standing
        if notation.slot(node) in slots or not vanishing.isdisjoint(lineage(notation.slot(node)))
    )


def intended(ownership: Ownership, notation: Notation, before: Nodes) -> Nodes:
    """Return what has to stand where ``before`` stands, once the changed services have what they want."""
    vanishing, foreign = ownership.vanishing, ownership.foreign
    after = {
        slot: node
        for slot, node in by_slot(notation, before).items()
        if slot not in vanishing and vanishing.isdisjoint(parents(slot))
    }
    for slot, node in ownership.left.items():
        # Only what the service itself wrote goes back; a value somebody else put there since then is his.
        if slot in foreign and after.get(slot) == node:
            after[slot] = foreign[slot]
    return frozenset({**after, **ownership.wanted}.values())


def settle(
    ownership: Ownership, notation: Notation, standing: Nodes, changes: Iterable[FragmentChange]
) -> tuple[FragmentChange, ...]:
    """Return ``changes`` with the foreign nodes of every new fragment filled in."""
    shares = iter(ownership.arriving)
    stood, known = by_slot(notation, standing), ownership.foreign
    owned = {slot for share in (*ownership.leaving, *ownership.staying) for slot in share.wants}

    def settled(change: FragmentChange) -> FragmentChange:
        if change.new is None:
            return change
        foreign = frozenset(_foreign(next(shares), known, owned, stood))
        return replace(change, new=replace(change.new, foreign=foreign))

    return tuple(settled(change) for change in changes)


def _foreign(share: Share, known: Mapping[Path, Path], owned: set[Path], stood: Mapping[Path, Path]) -> Iterator[Path]:
    for slot in share.wants:
        if slot in known:
            yield known[slot]
        elif slot not in owned and slot in stood:
            yield stood[slot]


def readable(path: Path) -> str:
    """Return ``path`` for a human: without namespaces, levels separated by slashes."""
    return " / ".join(_without_namespaces(step) for step in path)


def _without_namespaces(step: str) -> str:
    if not step.startswith("{"):
        return step
    return "".join(part.rpartition("}")[2] if "}" in part else part for part in step.split("{"))
