"""What a lab holds on this machine, written down before it is made: ``/run/lastmile/<lab>/``.

Whoever comes next finds there what a killed process left behind. Nothing that is not written there is ever touched.
Processes need no list: all of a lab's processes run in its namespaces, and the kernel knows them.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from labs.runtimes.processes import ProcessMark

RUN: Final = Path("/run/lastmile")
HELD: Final = "held.json"
OPEN: Final = 0o755
"""FRR's daemons run as a user of their own and must find their folder, whatever this process's umask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One lab's entry.

    Attributes:
        holder: process that holds the lab.
        namespaces: those the lab made, or was about to make.
    """

    holder: ProcessMark
    namespaces: tuple[str, ...]

    @classmethod
    def own(cls, namespaces: Sequence[str]) -> Self:
        """Return an entry of the calling process."""
        return cls(holder=ProcessMark.own(), namespaces=tuple(namespaces))

    @classmethod
    def read(cls, lab: str, root: Path = RUN) -> Self | None:
        """Return the entry of a lab, or None where there is none."""
        try:
            raw = json.loads((root / lab / HELD).read_text(encoding="utf-8"))
            holder = ProcessMark(pid=raw["pid"], start_ticks=raw["startTicks"])
            return cls(holder=holder, namespaces=tuple(raw["namespaces"]))
        except FileNotFoundError:
            return None

    def with_namespace(self, name: str) -> Self:
        """Return the entry with one namespace more."""
        return replace(self, namespaces=tuple(dict.fromkeys((*self.namespaces, name))))

    def write(self, lab: str, root: Path = RUN) -> None:
        """Write the entry; the next reader finds all of it or the one before."""
        folder = root / lab
        for place in (root, folder):
            place.mkdir(exist_ok=True)
            place.chmod(OPEN)
        fresh = folder / f"{HELD}.new"
        mark = {"pid": self.holder.pid, "startTicks": self.holder.start_ticks}
        raw = {**mark, "namespaces": list(self.namespaces)}
        fresh.write_text(json.dumps(raw) + "\n", encoding="utf-8")
        fresh.replace(folder / HELD)

    @property
    def elsewhere(self) -> bool:
        """Whether another process, which lives, holds the lab."""
        return self.holder != ProcessMark.own() and self.holder.alive()


def forget(lab: str, root: Path = RUN) -> None:
    """Remove a lab's folder, and the folder of all labs with the last one."""
    shutil.rmtree(root / lab, ignore_errors=True)
    if root.is_dir() and not any(root.iterdir()):
        root.rmdir()
