"""Wiring of the service checks: what is checked, and who can look."""

from pathlib import Path
from typing import Final

from activation.checks import NoProbes, Probes, ServiceChecks, load_checks

CHECKS: Final = "checks.yaml"


def service_checks(folder: Path, probes: Probes | None) -> ServiceChecks:
    """Return the checks in ``folder``; without ``probes`` each is reported as not run. No file means no checks.

    Raises:
        BadChecks: the file cannot be used.
    """
    file = folder / CHECKS
    known = load_checks(file) if file.exists() else {}
    return ServiceChecks(by_specification=known, probes=probes or NoProbes())
