"""One plan for the changes of one or more activations, from reading to settling."""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from activation.dialects import notation_for
from activation.fragments import Reading
from activation.model import DeviceEdit, Fragment, FragmentChange, Path, Plan, PlanId
from activation.places import Places, places_of
from activation.plan import DeviceDraft, DevicePlan, make_plan, own_diffs
from activation.platforms import Platform
from activation.work import Member, change_key, changes_of, fragments_in

PlatformOf = Callable[[str], Platform]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and what it is for each activation.

    Attributes:
        settled: the changes as they are to be stored, by :func:`activation.work.change_key`.
        own: makes what people read of each activation's share: diffs by device, by monitor; nothing where there is
            but one activation, whose share is the whole.
        devices: the part of each device that changes, by name.
        readings: the fragments that were read for it, by device.
    """

    plan: Plan
    settled: Mapping[str, FragmentChange]
    own: Callable[[], Mapping[str, Mapping[str, str]]]
    devices: Mapping[str, DevicePlan]
    readings: Mapping[str, Reading] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Draft:
    """A plan in the making.

    Attributes:
        devices: the part of each device that changes, by name.
    """

    members: Sequence[Member]
    platform_of: PlatformOf
    devices: Mapping[str, DeviceDraft]

    @classmethod
    def of(cls, members: Sequence[Member], platform_of: PlatformOf) -> Self:
        """Begin a plan for ``members``."""
        changing = changes_of(members)
        devices = {name: DeviceDraft.of(name, platform_of(name), made) for name, made in changing.items()}
        return cls(members=members, platform_of=platform_of, devices=devices)

    @property
    def roots(self) -> tuple[str, ...]:
        """The services that change."""
        return tuple({root for member in self.members for root in member.work.roots()})

    def outer_places(self) -> Mapping[str, frozenset[Path]]:
        """Return places, by device, of which nothing is shared with others unless one of these is.

        Raises:
            PlanError: a fragment cannot be understood.
        """
        return {name: device.outer_places() for name, device in self.devices.items()}

    def places(self, shared: Mapping[str, Collection[Path]]) -> Mapping[str, frozenset[Path]]:
        """Return the places that may be shared with others where, of :meth:`outer_places`, these are; by device."""
        return {name: device.places(shared[name]) for name, device in self.devices.items()}

    def share_with(self, others: Mapping[str, Sequence[Fragment]]) -> None:
        """Note fragments of services that do not change and share places with those that do, by device."""
        for name, fragments in others.items():
            self.devices[name].others = fragments

    def beside(self, parts: Mapping[str, Sequence[Fragment]]) -> None:
        """Note what the services that change have besides, by device."""
        for name, device in self.devices.items():
            device.kin = parts.get(name, ())

    @property
    def parts(self) -> frozenset[str]:
        """The parts of services whose fragments change."""
        return frozenset(each.service_id for device in self.devices.values() for each in fragments_in(device.changes))

    def touched(self) -> Mapping[str, tuple[Path, ...]]:
        """Return what has to be read of each device.

        Raises:
            PlanError: two services want different values in one place.
        """
        return {name: device.touched() for name, device in self.devices.items()}

    def plan(self, running: Mapping[str, str]) -> Planned:
        """Return the plan against the ``running`` configurations, by device.

        Raises:
            PlanError: see :func:`activation.plan.plan_device`.
        """
        planned = {name: device.plan(running[name]) for name, device in self.devices.items()}
        names = {name for member in self.members for name in member.work.by_device}
        rest = [untouched(name, self.platform_of(name)) for name in names - planned.keys()]
        settled = [change for each in planned.values() for change in each.settled]
        return Planned(
            plan=make_plan([*(each.edit for each in planned.values()), *rest], settled, PlanId(str(uuid.uuid4()))),
            settled={change_key(change): change for change in settled},
            own=lambda: self._own(planned) if len(self.members) > 1 else {},
            devices=planned,
            readings={name: device.reading for name, device in self.devices.items()},
        )

    def _own(self, planned: Mapping[str, DevicePlan]) -> Mapping[str, Mapping[str, str]]:
        own: dict[str, dict[str, str]] = {
            member.monitor.id: dict.fromkeys(member.work.by_device, "") for member in self.members
        }
        for name, device in self.devices.items():
            shares = {
                member.monitor.id: list(map(device.reading.sections, fragments_in(made)))
                for member in self.members
                if (made := member.work.changing().get(name))
            }
            diffs = own_diffs(planned[name], device.reading.notation, shares.values())
            for monitor_id, diff in zip(shares, diffs, strict=True):
                own[monitor_id][name] = diff
        return own


def with_places(
    fragments: Iterable[Fragment], platform_of: PlatformOf, readings: Mapping[str, Reading] | None = None
) -> dict[Fragment, Places]:
    """Return each fragment with the places it holds; ``readings`` knows what was read before, by device."""
    known = dict(readings or {})
    found: dict[Fragment, Places] = {}
    for fragment in fragments:
        if fragment.device not in known:
            known[fragment.device] = Reading(notation_for(platform_of(fragment.device)))
        found[fragment] = places_of(known[fragment.device].wants(fragment))
    return found


def untouched(name: str, platform: Platform) -> DeviceEdit:
    """Return the edit of a device that the plan is about and does not change."""
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
