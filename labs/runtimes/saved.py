"""Configurations that ``save`` wrote: the next deploy starts from them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from labs.topology import Topology

SAVED: Final = "saved"
MEMORY: Final = "memory"
"""Folder of what the devices wrote to their own memory; unlike what ``save`` wrote, it goes with the lab."""
PREAMBLE: Final = frozenset({"Building configuration...", "Current configuration:"})
"""Lines that command lines print around a configuration and do not take back."""


def saved_file(folder: Path, node: str) -> Path:
    """Return where the configuration of ``node`` is saved."""
    return folder / SAVED / f"{node}.cfg"


def write_saved(folder: Path, configs: Mapping[str, str]) -> tuple[Path, ...]:
    """Write configurations by node and return the files; none is ever seen half written."""
    written = []
    for node, text in configs.items():
        file = saved_file(folder, node)
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        lines = text.splitlines(keepends=True)
        fresh.write_text("".join(line for line in lines if line.strip() not in PREAMBLE), encoding="utf-8")
        written.append(fresh.replace(file))
    return tuple(written)


def with_saved(topology: Topology, folder: Path) -> Topology:
    """Return the topology with every node starting from what was saved of it, where something was."""
    nodes = {
        name: replace(node, startup_config=saved_file(folder, name)) if saved_file(folder, name).exists() else node
        for name, node in topology.nodes.items()
    }
    return replace(topology, nodes=nodes)
