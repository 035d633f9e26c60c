"""A service that no worker survives: it stands alone in the end and is parked; everybody else gets through."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

from activation.service_activation import RUN
from activation.states import MonitorState
from activation.store import MONITORS
from activation.tables import metadata as activation_tables
from api.runtime.batch import MAX_FAILURES
from api.runtime.contracts import ParkedJob
from api.runtime.database import Database
from tests.activation.rig import fake_core, fake_network, fake_service
from tests.api.runtime.mortal import DIED, POISON, WAYS

pytestmark = [pytest.mark.db, pytest.mark.e2e]

NUMBERS = range(1, 31)
PATIENCE_S = 60.0


def asked(database: Database) -> dict[int, str]:
    """Ask for a service of each number; return their monitors."""
    here = fake_core(fake_network())
    database.create_tables(activation_tables)
    with database.begin() as uow:
        return {
            number: here.create(
                uow,
                # Some on other devices: what goes on at the same time is nobody's fault either.
                fake_service(number=number, names=("a", "b") if number % 3 else ("c",)),
                external_id=f"svc-{number}",
                correlation_id="orders",
            )
            for number in NUMBERS
        }


def lived(url: str, way: str) -> list[int]:
    """Run workers, one after the other, until nothing is left to do; return their exit codes."""
    command = [sys.executable, "-m", "tests.api.runtime.mortal", url, way]
    return [int(code) for code in subprocess.check_output(command, timeout=PATIENCE_S).split()]


def ended(database: Database, monitors: dict[int, str]) -> dict[int, str]:
    with database.read() as connection:
        return {number: MONITORS.get(connection, monitor).state for number, monitor in monitors.items()}


def parked(database: Database) -> Sequence[ParkedJob]:
    with database.read() as connection:
        return database.queue.parked(connection)


@pytest.mark.parametrize("way", WAYS)
def test_who_kills_its_workers_is_parked_and_nobody_else(way: str, database_url: str, either: Database) -> None:
    monitors = asked(either)
    assert lived(database_url, way) == [DIED] * MAX_FAILURES + [0]
    (culprit,) = parked(either)
    assert (culprit.kind, culprit.lane) == (RUN, f"activation:svc-{POISON}")
    assert "died" in culprit.reason
    wanted = {number: MonitorState.IN_PROGRESS if number == POISON else MonitorState.COMPLETED for number in NUMBERS}
    assert ended(either, monitors) == wanted
