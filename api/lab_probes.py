"""The probes of a lab, for the activation core's service checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from activation.checks import Answer
from labs.netns.probes import NetnsProbes


@dataclass(frozen=True, slots=True)
class LabProbes:
    """Implements :class:`activation.checks.Probes` on a lab in network namespaces."""

    lab: NetnsProbes

    def lacks(self, probe: str) -> str:
        """Return why ``probe`` cannot be run here; empty where it can."""
        return self.lab.lacks(probe)

    def run(self, probe: str, arguments: Mapping[str, Any]) -> Answer:
        """Return what ``probe`` finds."""
        is_good, detail, measured = self.lab.run(probe, arguments)
        return Answer(is_good=is_good, detail=detail, measured=measured)
