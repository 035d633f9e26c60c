"""The activation core on a database, with a worker that hands it jobs, and devices in another process."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select

from activation.drivers.registry import DriverRegistry
from activation.engine import ActivationCore
from activation.service_activation import RUN
from activation.states import MonitorState
from activation.tables import monitors
from api.collector import settle_heap
from api.runtime.database import Database
from api.runtime.worker import Worker
from inventory.model import Device
from tests.activation.rig import TEMPLATES, core, database, fresh, part

PATIENCE_S: Final = 180.0
LOOK_SHARE: Final = 0.01
"""How long the bench looks away, as a share of what has passed: the clock is right to one in a hundred."""
LOOK_AWAY_S: Final = 0.005
"""The shortest that the bench looks away."""
VLANS: Final = 4094


@dataclass(slots=True, kw_only=True)
class Activating:
    """A core at work.

    Attributes:
        asked: how many services it was asked for so far.
        number: of the next service.
    """

    core: ActivationCore
    database: Database
    asked: int = 0
    number: int = 0

    def skip(self) -> None:
        """Leave the next number to somebody else."""
        self.number += 1

    def took_s(self, olts: Sequence[str]) -> float:
        """Ask for one new ONT on each of ``olts``, all in one transaction, and return when all stand: after how long.

        Raises:
            RuntimeError: one was refused.
            TimeoutError: they did not end within three minutes.
        """
        with self.database.begin() as uow:
            for olt in olts:
                self.core.create(uow, ont(olt, self.number), external_id=fresh(), correlation_id="bench")
                self.asked += 1
                self.number += 1
        started_s = time.perf_counter()
        while self._count(MonitorState.COMPLETED) < self.asked:
            if refused := self._count(MonitorState.IN_ERROR):
                raise RuntimeError(f"{refused} activations were refused")
            if time.perf_counter() - started_s > PATIENCE_S:
                raise TimeoutError(f"not all of {len(olts)} activations ended within {PATIENCE_S:g} s")
            time.sleep(max(LOOK_AWAY_S, LOOK_SHARE * (time.perf_counter() - started_s)))
        return time.perf_counter() - started_s

    def _count(self, state: MonitorState) -> int:
        wanted = select(func.count()).select_from(monitors).where(monitors.c.state == state.value)
        with self.database.read() as connection:
            return connection.execute(wanted).scalar_one()


@contextmanager
def activating(devices: Sequence[Device]) -> Iterator[Activating]:
    """Start a core with warm sessions with ``devices``, yield it, stop it."""
    with tempfile.TemporaryDirectory(prefix="lastmile-bench-") as folder:
        store, drivers = database(Path(folder)), DriverRegistry.installed()
        built = core(list(devices), TEMPLATES, drivers)
        worker = Worker(database=store, handlers={}, device_handlers={}, desks={RUN: built})
        built.warm().join()
        settle_heap()
        worker.start()
        try:
            yield Activating(core=built, database=store)
        finally:
            worker.stop()
            built.close()
            drivers.close()
            store.close()


def ont(olt: str, number: int) -> dict[str, Any]:
    """Return the request for an ONT: a service of one part."""
    return part(
        f"svc-{number}",
        "gpon-access",
        olt=olt,
        channelPartition="cpart1",
        channelPair="cpair1",
        onuId=number % 254,
        ontSerialNumber=f"ABCD{number:08X}",
        vlanId=1 + number % VLANS,
        uplinkInterface="uplink1",
        upstreamBps=50_000_000,
        assuredBps=25_000_000,
        subscriber=str(number),
    )
