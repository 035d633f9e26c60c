"""Wiring of the service checks: what is checked, and who can look."""

from pathlib import Path
from typing import Final

from activation.check_run import ServiceChecks
from activation.checks import NoProbes, Probes, load_checks
from activation.reach import Reach
from activation.service_test import ServiceTest
from api.runtime.database import Database
from api.service_desk import ServiceDesk
from inventory.store import DocumentStore

CHECKS: Final = "checks.yaml"


def service_checks(folder: Path, probes: Probes | None) -> ServiceChecks:
    """Return the checks in ``folder``; without ``probes`` each is reported as not run. No file means no checks.

    Raises:
        BadChecks: the file cannot be used.
    """
    file = folder / CHECKS
    known = load_checks(file) if file.exists() else {}
    return ServiceChecks(by_specification=known, probes=probes or NoProbes())


def service_desk(reach: Reach, checks: ServiceChecks, database: Database, products: DocumentStore) -> ServiceDesk:
    """Return what tests services on demand."""
    tests = ServiceTest(reach=reach, checks=checks, transactions=database)
    return ServiceDesk(tests=tests, transactions=database, products=products)
