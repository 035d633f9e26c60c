"""One change at a time per device, wherever the workers are."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import text

from activation.sessions import DeviceLocks
from api.errors import DatabaseAway, WorkerGivenUp
from api.runtime.database import Database
from api.runtime.presence import Presence
from api.runtime.queue_procrastinate import CHANNEL

_log = logging.getLogger(__name__)

FREED: Final = "device.freed"
"""Notified like a job of this kind, which no job has."""
_LOOK_AGAIN_S: Final = 1.0
_RELEASE_PATIENCE_S: Final = 300.0

# A row of our own is left where the answer to a release was lost: within the process, another lock guards the device.
_TAKE: Final = text("""
    INSERT INTO device_lock (device, worker_id)
    SELECT device, :worker FROM unnest(CAST(:devices AS text[])) AS device ORDER BY device
    ON CONFLICT (device) DO UPDATE SET worker_id = excluded.worker_id
        WHERE device_lock.worker_id = excluded.worker_id
    RETURNING device
""")
_FREE: Final = text(f"""
    WITH freed AS (DELETE FROM device_lock WHERE device = ANY(:devices) AND worker_id = :worker RETURNING device)
    SELECT pg_notify('{CHANNEL}{FREED}', '') FROM freed LIMIT 1
""")
# What the lock guards is journalled durably before a device is touched, and with it, earlier in the log, the lock.
_SOON_DURABLE: Final = text("SET LOCAL synchronous_commit = off")


class _Taken(Exception):
    """Another worker has one of the devices; nothing was taken."""


class SharedDeviceLocks:
    """Device locks as rows on PostgreSQL; they outlive a restart of the server, and end with their worker's lease.

    All devices of a change are taken at once or none, so that no two changes wait for each other.
    """

    def __init__(self, database: Database, presence: Presence) -> None:
        """Share the devices with every process on ``database``; ``presence`` shows that this one lives."""
        self._database = database
        self._presence = presence
        self._within = DeviceLocks()
        self._freed = threading.Condition()
        database.signals.subscribe((FREED,), self._tell)

    @contextmanager
    def held(self, names: Iterable[str]) -> Iterator[None]:
        """Hold these devices for the length of the block."""
        devices = sorted(set(names))
        with self._within.held(devices), self._presence.holding():
            worker_id = self._take(devices)
            try:
                yield
            finally:
                self._release(devices, worker_id)

    def _take(self, devices: list[str]) -> int:
        while True:
            try:
                return self._try(devices)
            except (_Taken, WorkerGivenUp):
                with self._freed:
                    self._freed.wait(_LOOK_AGAIN_S)

    def _try(self, devices: list[str]) -> int:
        self._presence.register()
        with self._database.begin() as unit:
            unit.reader.execute(_SOON_DURABLE)
            worker_id = self._presence.registered(unit.reader)
            taken = unit.reader.execute(_TAKE, {"worker": worker_id, "devices": devices}).all()
            if len(taken) < len(devices):
                raise _Taken
        return worker_id

    def _release(self, devices: list[str], worker_id: int) -> None:
        deadline_s = time.monotonic() + _RELEASE_PATIENCE_S
        while True:
            try:
                with self._database.begin() as unit:
                    unit.reader.execute(_FREE, {"worker": worker_id, "devices": devices})
            except DatabaseAway as error:
                if time.monotonic() > deadline_s:
                    _log.error("devices %s stay locked until this worker ends: %s", ", ".join(devices), error)
                    return
                with self._freed:
                    self._freed.wait(_LOOK_AGAIN_S)
            else:
                return

    def _tell(self) -> None:
        with self._freed:
            self._freed.notify_all()
