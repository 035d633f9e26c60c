"""The database goes away in the middle of a push, and the process lives on: the job runs again and all is well."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from activation.drivers.fake import FakeNetwork
from activation.states import MonitorState
from activation.store import unfinished
from api.errors import DatabaseAway
from api.runtime.database import Database
from inventory.ledger import UnitOfWork
from tests.activation.rig import Rig, fake_service
from tests.activation.test_recovery import CONFIGURED, LAST_WRITE, states


class DatabaseThatGoesAway:
    """A database that refuses its n-th write, and goes on."""

    def __init__(self, database: Database, refuses: int) -> None:
        self._database, self._left = database, refuses

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        self._left -= 1
        if self._left == 0:
            raise DatabaseAway("test.db", "database or disk is full")
        with self._database.begin() as uow:
            yield uow

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._database.read() as connection:
            yield connection


@pytest.mark.parametrize("write", range(1, LAST_WRITE + 1))
def test_no_device_is_left_busy_and_the_next_run_completes(write: int, rig: Rig, network: FakeNetwork) -> None:
    with rig.database.begin() as uow:
        monitor_id = rig.core.create(uow, fake_service(), external_id="one", correlation_id="order-1")
    with pytest.raises(DatabaseAway):
        rig.run(monitor_id, DatabaseThatGoesAway(rig.database, write))
    assert all(not fake.pending and fake.lock_holder is None for fake in network.devices.values())
    assert rig.run(monitor_id).state == MonitorState.COMPLETED
    assert states(network) == CONFIGURED
    with rig.database.read() as connection:
        assert unfinished(connection) == ()
