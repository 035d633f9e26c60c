"""What comes or goes on a device section by section, without a look at every node.

That are entries which nobody else has a part in, of which it is known how they are written, and of which nothing
stands on the device, or exactly what is to go.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from activation.model import Path
from activation.notation import Section, Sections, lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What a change is about, as texts that were read.

    Attributes:
        arriving: of fragments as they will be.
        leaving: of fragments as they were.
        staying: of fragments that do not change.
        foreign: slots of nodes that stood before any fragment.
    """

    arriving: Iterable[Sections]
    leaving: Iterable[Sections]
    staying: Iterable[Sections]
    foreign: frozenset[Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wholes:
    """Sections that come and that go, by their topmost paths. What stands below one stands with it or not at all."""

    coming: Mapping[Path, Section]
    going: Mapping[Path, Section]

    @classmethod
    def of(cls, shares: Shares) -> Self:
        """Return the sections that come or go as a whole as far as the shares tell."""
        arriving, leaving, staying = map(_slots, (shares.arriving, shares.leaving, shares.staying))
        coming, going = _alike(shares.arriving), _alike(shares.leaving)
        return cls(
            coming={top: each for top, each in coming.items() if top not in leaving and top not in staying},
            going={
                top: each
                for top, each in going.items()
                if top not in arriving and top not in staying and shares.foreign.isdisjoint(each.nodes)
            },
        )

    def holds(self, top: Path) -> bool:
        """Say whether the section at ``top`` is one of these."""
        return top in self.coming or top in self.going

    def covers(self) -> Iterable[Path]:
        """Return what has to be read of the device."""
        return {*self.going, *(path for each in self.coming.values() for path in each.covers)}

    def apart(self, standing: Mapping[Path, Path]) -> "tuple[Wholes, Mapping[Path, Path]]":
        """Return those of the sections that ``standing``, by slot, leaves whole, and what stands beside them."""
        beside, found = dict[Path, Path](), {top: dict[Path, Path]() for top in self.going}
        for slot, node in standing.items():
            top = next((path for path in lineage(slot) if path in found), None)
            (beside if top is None else found[top])[slot] = node
        going = {top: each for top, each in self.going.items() if found[top] == each.nodes}
        for top in found.keys() - going.keys():
            beside |= found[top]
        coming = {top: each for top, each in self.coming.items() if top not in standing}
        return Wholes(coming=coming, going=going), beside

    def bodies(self) -> Mapping[Path, str]:
        """Return what stands in the sections."""
        return {top: each.body for top, each in (*self.coming.items(), *self.going.items())}


NOTHING: Final = Wholes(coming={}, going={})


def _slots(shares: Iterable[Sections]) -> frozenset[Path]:
    return frozenset().union(*(share.nodes for share in shares))


def _alike(shares: Iterable[Sections]) -> Mapping[Path, Section]:
    """Return the sections that all shares which have a part in them have as a whole, and alike."""
    found: dict[Path, Section] = {}
    unlike = {slot for share in shares for slot in share.apart}
    for share in shares:
        for top, section in share.whole.items():
            known = found.setdefault(top, section)
            if known is not section and known.nodes != section.nodes:
                unlike.add(top)
    return {top: section for top, section in found.items() if top not in unlike}
