"""Where labs live: their folders, and a list of the deployed ones, so that a lab is found from any folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labs.errors import LabError
from labs.runtimes.state import LabState

FOLDER_BASE: Final = "CLAB_LABDIR_BASE"
SHIPPED: Final = Path(__file__).parents[1]
_SUFFIXES: Final = (".clab.yml", ".clab.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The folders of labs.

    Attributes:
        base: where new labs get their folder, as in containerlab: ``$CLAB_LABDIR_BASE``, else the current folder.
        register: a link per deployed lab; labs have one name each on a machine, as in containerlab.
    """

    base: Path
    register: Path

    @classmethod
    def of(cls, environ: Mapping[str, str], current: Path) -> "Places":
        """Return the places that the environment names."""
        home = Path(environ.get("HOME", "/"))
        state = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state")
        return cls(base=Path(environ.get(FOLDER_BASE) or current).absolute(), register=state / "lastmile" / "labs")

    def folder(self, lab: str) -> Path:
        """Return the folder of a lab: where it is deployed, else where it would be."""
        known = self._link(lab)
        if known.is_symlink():
            target = known.readlink()
            if target.is_dir():
                return target
            known.unlink(missing_ok=True)
        return self.base / f"clab-{lab}"

    def remember(self, lab: str, folder: Path) -> None:
        """Note that the lab is deployed in ``folder``."""
        link = self._link(lab)
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.{os.getpid()}")
        fresh.symlink_to(folder.absolute())
        fresh.replace(link)

    def forget(self, lab: str) -> None:
        """Note that the lab is gone."""
        self._link(lab).unlink(missing_ok=True)

    def deployed(self) -> dict[str, Path]:
        """Return the folders of the labs that were deployed and not destroyed, by lab."""
        links = sorted(self.register.iterdir()) if self.register.is_dir() else []
        return {link.name: link.readlink() for link in links if link.is_symlink() and link.exists()}

    def topology_of(self, lab: str) -> Path | None:
        """Return the topology file that a deployed lab came from."""
        state = LabState.read(self.folder(lab))
        return state.topology if state is not None else None

    def _link(self, lab: str) -> Path:
        return self.register / lab


def topology_file(named: Path | None, current: Path) -> Path:
    """Return the topology file that ``named`` means: a file, a folder that holds one, or a shipped lab's name.

    Nothing named means the current folder.

    Raises:
        LabError: there is no such file; lists what would do.
    """
    folder = named if named is not None else current
    if folder.is_file():
        return folder
    found = topology_files(folder) if folder.is_dir() else []
    if len(found) == 1:
        return found[0]
    shipped = shipped_labs()
    if str(named) in shipped and not found:
        return shipped[str(named)]
    there = f"{folder} holds {', '.join(file.name for file in found)}" if found else f"no topology file at {folder}"
    raise LabError(f"{there}; name one with -t FILE; labs that come with lastmile: {', '.join(shipped)}")


def shipped_labs() -> dict[str, Path]:
    """Return the topology files that come with lastmile, by lab."""
    files = sorted(file for suffix in _SUFFIXES for file in SHIPPED.glob(f"*/*{suffix}"))
    return {file.name.partition(".clab.")[0]: file for file in files}


def topology_files(folder: Path) -> list[Path]:
    """Return the topology files in ``folder``."""
    return sorted(file for file in folder.iterdir() if file.name.endswith(_SUFFIXES))
