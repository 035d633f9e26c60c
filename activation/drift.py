"""Drift: what stands on a device against what its services want there. Pure.

The intended configuration is the union of the fragments. A deviation is *missing* (wanted, not there), *changed* (there
with another value), or *foreign* (there, wanted by nobody, inside a section or list entry that services made).
"""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from activation.dialects import notation_for
from activation.drift_policy import DeviationKind, Policy, policy_for
from activation.fragments import readable
from activation.model import Fragment, Path, ServiceId
from activation.notation import EVERYTHING, Notation, Scope, by_slot, parents
from activation.platforms import Platform

FINE_LIMIT: Final = 64
"""From so many places on whole branches are read: a filter as long as the configuration helps nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One place where the device is not as intended, with all that deviates below it in the same way.

    Attributes:
        slot: the place, without a value.
        wanted: the node its services want there; None where it is foreign.
        standing: the node on the device; None where it is missing.
        below: further nodes, below this one, with which it is the same.
        owners: the services whose node it is; of a foreign one, those that own the section around it.
    """

    kind: DeviationKind
    slot: Path
    wanted: Path | None = None
    standing: Path | None = None
    below: tuple[Path, ...] = ()
    owners: tuple[ServiceId, ...]
    policy: Policy

    @property
    def place(self) -> str:
        """The place in people's words, as path patterns are matched with."""
        return readable(self.slot)

    @property
    def nodes(self) -> tuple[Path, ...]:
        """The nodes that are missing or foreign, or the one that is wanted."""
        head = self.wanted or self.standing
        return (head, *self.below) if head is not None else self.below


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDrift:
    """What one device's check found.

    Attributes:
        services: how many services have configuration there.
        nodes: how many nodes they want.
        ignored: how many deviations the platform's rules say nothing about.
        diff: the deviations in the device's notation, from what is running to what is intended.
    """

    device: str
    services: int
    nodes: int
    deviations: tuple[Deviation, ...]
    ignored: int
    diff: str

    @property
    def in_sync(self) -> bool:
        """Whether nothing deviates, ignored places aside."""
        return not self.deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """What the services want of one device: nodes by slot, owners by slot, and the sections they made."""

    wanted: Mapping[Path, Path]
    owners: Mapping[Path, tuple[ServiceId, ...]]
    made: frozenset[Path]

    @classmethod
    def of(cls, notation: Notation, fragments: Iterable[Fragment]) -> "Intended":
        """Return the union of ``fragments``.

        Raises:
            PlanError: a fragment cannot be understood.
        """
        wanted: dict[Path, Path] = {}
        owners: dict[Path, list[ServiceId]] = defaultdict(list)
        foreign: set[Path] = set()
        for fragment in fragments:
            for slot, node in by_slot(notation, notation.parse(fragment.text)).items():
                wanted[slot] = node
                owners[slot].append(fragment.service_id)
            foreign.update(map(notation.slot, fragment.foreign))
        return cls(
            wanted=wanted,
            owners={slot: tuple(sorted(set(found))) for slot, found in owners.items()},
            made=frozenset(wanted.keys() - foreign),
        )

    def around(self, slot: Path) -> Path | None:
        """Return the innermost section or entry that services made and ``slot`` stands in."""
        return next((path for path in reversed(tuple(parents(slot))) if path in self.made), None)


def places_to_read(platform: Platform, fragments: Iterable[Fragment]) -> tuple[Path, ...]:
    """Return what has to be read of the device before :func:`check`; each path with all below it.

    Raises:
        PlanError: a fragment cannot be understood.
    """
    notation = notation_for(platform)
    chosen = _covers(notation, Intended.of(notation, fragments))
    return chosen if len(chosen) <= FINE_LIMIT else tuple(sorted({path[:1] for path in chosen}))


def check(
    device: str, platform: Platform, running: str, fragments: Sequence[Fragment], *, whole: bool = False
) -> DeviceDrift:
    """Return how ``running`` deviates from the union of ``fragments``.

    Args:
        device: the device's name.
        platform: its platform, with its drift rules.
        running: its running configuration, at least what :func:`places_to_read` names; all of it for ``whole``.
        fragments: all fragments on the device.
        whole: report every node that nobody owns, wherever it stands.

    Raises:
        PlanError: ``running`` or a fragment cannot be understood.
    """
    notation = notation_for(platform)
    intended = Intended.of(notation, fragments)
    scope = EVERYTHING if whole else Scope.of(_covers(notation, intended))
    standing = by_slot(notation, notation.parse(running, scope))
    found = [*_lacking(intended, standing), *_strange(intended, standing, whole=whole)]
    judged = [(each, policy_for(platform.drift, each.kind, each.place)) for each in found]
    kept = [replace(each, policy=policy) for each, policy in judged if policy != "ignore"]
    return DeviceDrift(
        device=device,
        services=len({fragment.service_id for fragment in fragments}),
        nodes=len(intended.wanted),
        deviations=tuple(_gathered(kept)),
        ignored=len(judged) - len(kept),
        diff=_diff(device, notation, kept),
    )


def _covers(notation: Notation, intended: Intended) -> tuple[Path, ...]:
    inner = {path for slot in intended.wanted for path in parents(slot)}
    chosen = {notation.unit(slot) for slot in intended.wanted if slot not in inner} | (intended.made & inner)
    return tuple(sorted(path for path in chosen if chosen.isdisjoint(parents(path))))


def _lacking(intended: Intended, standing: Mapping[Path, Path]) -> Iterator[Deviation]:
    for slot, node in intended.wanted.items():
        stands = standing.get(slot)
        if stands == node:
            continue
        kind: DeviationKind = "missing" if stands is None else "changed"
        owners = intended.owners[slot]
        yield Deviation(kind=kind, slot=slot, wanted=node, standing=stands, owners=owners, policy="report")


def _strange(intended: Intended, standing: Mapping[Path, Path], *, whole: bool) -> Iterator[Deviation]:
    for slot, node in standing.items():
        if slot in intended.wanted:
            continue
        section = intended.around(slot)
        if section is not None or whole:
            owners = intended.owners[section] if section is not None else ()
            yield Deviation(kind="foreign", slot=slot, standing=node, owners=owners, policy="report")


def _gathered(deviations: Iterable[Deviation]) -> Iterator[Deviation]:
    """Yield the topmost deviations, each with what deviates below it in the same way."""
    heads: dict[Path, Deviation] = {}
    below: dict[Path, list[Path]] = defaultdict(list)
    for each in sorted(deviations, key=lambda each: each.slot):
        head = next((heads[path] for path in parents(each.slot) if path in heads), None)
        if head is None or each.kind == "changed" or (head.kind, head.policy) != (each.kind, each.policy):
            heads[each.slot] = each
        else:
            below[head.slot].extend(each.nodes)
    yield from (replace(head, below=tuple(below[slot])) for slot, head in heads.items())


def _diff(device: str, notation: Notation, deviations: Sequence[Deviation]) -> str:
    running = frozenset(each.standing for each in deviations if each.standing is not None)
    intended = frozenset(each.wanted for each in deviations if each.wanted is not None)
    lines = difflib.unified_diff(
        notation.show(running).splitlines(keepends=True),
        notation.show(intended).splitlines(keepends=True),
        fromfile=f"{device} running",
        tofile=f"{device} intended",
    )
    return "".join(lines)
