"""A device as it will stand once everything that comes first is through. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from activation.dialects import notation_for
from activation.fragments import Ownership
from activation.model import DeviceEdit, Fragment, FragmentChange, Path
from activation.notation import Notation, Scope, by_slot, lineage
from activation.plan import plan_nodes
from activation.platforms import Platform


@dataclass(slots=True, kw_only=True)
class ProjectedDevice:
    """What stands on one device now, and with each change that is applied, what will.

    Attributes:
        nodes: what stands, by slot.
    """

    name: str
    platform: Platform
    nodes: dict[Path, Path]

    @classmethod
    def of(cls, name: str, platform: Platform, running: str, touched: Sequence[Path]) -> Self:
        """Return the device with the part of its ``running`` configuration that ``touched`` covers.

        Raises:
            PlanError: the configuration cannot be understood.
        """
        notation = notation_for(platform)
        return cls(
            name=name, platform=platform, nodes=dict(by_slot(notation, notation.parse(running, Scope.of(touched))))
        )

    def plan(
        self, changes: Sequence[FragmentChange], others: Sequence[Fragment], kin: Sequence[Fragment] = ()
    ) -> tuple[DeviceEdit, tuple[FragmentChange, ...]]:
        """Return the edit for ``changes`` and the changes as they are to be stored; nothing is applied.

        ``kin`` are fragments that stay as they are, of the services that change.

        The cost grows with the changes, not with what stands on the device, unless something vanishes.

        Raises:
            PlanError: see :func:`activation.plan.plan_device`.
        """
        notation = notation_for(self.platform)
        ownership = Ownership.of(notation, changes, (*others, *kin))
        ownership = replace(ownership, kin=frozenset(each.service_id for each in kin))
        standing = frozenset(self._concerned(ownership))
        return plan_nodes(self.name, self.platform, standing, changes, ownership)

    def apply(self, edit: DeviceEdit) -> None:
        """Let ``edit``, planned against this device as it is, be through."""
        notation: Notation = notation_for(self.platform)
        for slot in by_slot(notation, notation.parse(edit.before)):
            self.nodes.pop(slot, None)
        self.nodes |= by_slot(notation, notation.parse(edit.after))

    def _concerned(self, ownership: Ownership) -> Iterator[Path]:
        yield from (self.nodes[slot] for slot in ownership.slots if slot in self.nodes)
        vanishing = ownership.vanishing
        if vanishing:
            yield from (node for slot, node in self.nodes.items() if not vanishing.isdisjoint(lineage(slot)))
