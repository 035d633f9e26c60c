"""One plan for the changes of one or more activations, from reading to settling."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from activation.model import DeviceEdit, Fragment, FragmentChange, Path, Plan, PlanId
from activation.plan import make_plan, own_diffs, owned_paths, plan_device, touched_paths
from activation.platforms import Platform
from activation.work import Member, change_key, changes_of, fragments_in

PlatformOf = Callable[[str], Platform]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and what it is for each activation.

    Attributes:
        settled: the changes as they are to be stored, by :func:`activation.work.change_key`.
        own: what a reviewer reads of each activation's share: diffs by device, by monitor; empty where there is but
            one activation, whose share is the whole.
    """

    plan: Plan
    settled: Mapping[str, FragmentChange]
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Draft:
    """A plan in the making.

    Attributes:
        changing: what changes, by device.
        places: the places that it is about, by device.
        others: fragments of services that do not change and share places with those that do, by device.
    """

    members: Sequence[Member]
    platform_of: PlatformOf
    changing: Mapping[str, tuple[FragmentChange, ...]]
    places: Mapping[str, frozenset[Path]]
    others: Mapping[str, tuple[Fragment, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, members: Sequence[Member], platform_of: PlatformOf) -> Self:
        """Begin a plan for ``members``."""
        changing = changes_of(members)
        places = {device: _places(made, platform_of) for device, made in changing.items()}
        return cls(members=members, platform_of=platform_of, changing=changing, places=places)

    @property
    def roots(self) -> tuple[str, ...]:
        """The services that change."""
        return tuple(member.work.root_id for member in self.members)

    def touched(self) -> Mapping[str, tuple[Path, ...]]:
        """Return what has to be read of each device.

        Raises:
            PlanError: two services want different values in one place.
        """
        return {
            name: touched_paths(self.platform_of(name), made, self.others[name]) for name, made in self.changing.items()
        }

    def plan(self, running: Mapping[str, str]) -> Planned:
        """Return the plan against the ``running`` configurations, by device.

        Raises:
            PlanError: see :func:`activation.plan.plan_device`.
        """
        planned = {
            name: plan_device(name, self.platform_of(name), running[name], made, self.others[name])
            for name, made in self.changing.items()
        }
        names = {name for member in self.members for name in member.work.by_device}
        untouched = [_untouched(name, self.platform_of(name)) for name in names - planned.keys()]
        edits = {name: edit for name, (edit, _) in planned.items()}
        settled = [change for _, changes in planned.values() for change in changes]
        return Planned(
            plan=make_plan([*edits.values(), *untouched], settled, PlanId(str(uuid.uuid4()))),
            settled={change_key(change): change for change in settled},
            own=self._own(edits) if len(self.members) > 1 else {},
        )

    def _own(self, edits: Mapping[str, DeviceEdit]) -> Mapping[str, Mapping[str, str]]:
        own: dict[str, dict[str, str]] = {
            member.monitor.id: dict.fromkeys(member.work.by_device, "") for member in self.members
        }
        for name, edit in edits.items():
            concerned = [member for member in self.members if name in member.work.changing()]
            shares = [_places(member.work.changing()[name], self.platform_of) for member in concerned]
            for member, diff in zip(concerned, own_diffs(edit, self.platform_of(name), shares), strict=True):
                own[member.monitor.id][name] = diff
        return own


def with_places(fragments: Iterable[Fragment], platform_of: PlatformOf) -> dict[Fragment, frozenset[Path]]:
    """Return each fragment with the places it holds."""
    return {fragment: owned_paths(platform_of(fragment.device), fragment) for fragment in fragments}


def _places(made: Iterable[FragmentChange], platform_of: PlatformOf) -> frozenset[Path]:
    return frozenset().union(*with_places(fragments_in(made), platform_of).values())


def _untouched(name: str, platform: Platform) -> DeviceEdit:
    return DeviceEdit(
        device=name,
        platform=platform.name,
        dialect=platform.dialect,
        edit="",
        inverse="",
        diff="",
        touched=(),
        before="",
        after="",
        base_fingerprint="",
    )
