"""Sessions come and go by the hundred, and nothing of them is left: no thread, no file, no session on the device."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from activation.drivers.registry import DriverRegistry
from activation.platforms import load_platforms
from activation.sessions import Leases, SessionPool
from labs.embedded.lab import EmbeddedLab
from tests.activation.rig import TEMPLATES, DeviceList, lab_devices

pytestmark = [pytest.mark.lab, pytest.mark.slow]

CYCLES = 500
SLACK_S = 10.0
MANY = 100_000


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def eventually(holds: Callable[[], bool]) -> bool:
    ends_at = time.monotonic() + SLACK_S
    while not holds():
        if time.monotonic() > ends_at:
            return False
        threading.Event().wait(0.02)
    return True


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files where Linux lists them")
def test_five_hundred_sessions_leave_nothing_behind(lab: EmbeddedLab) -> None:
    olt = replace(lab_devices(lab)["olt1"], logins_per_minute=MANY)
    drivers = DriverRegistry.installed()
    threads, files = threading.active_count(), open_files()
    pool = SessionPool(DeviceList([olt]), load_platforms(TEMPLATES), drivers)
    most = 0
    for cycle in range(CYCLES):
        leases = Leases(pool)
        leases.driver("olt1").ping()
        if cycle % 2:
            leases.drop("olt1")
        leases.release()
        pool.forget("olt1")
        most = max(most, threading.active_count())
    assert most - threads < 20, "sessions have no threads of their own"
    pool.close()
    drivers.close()
    assert eventually(lambda: threading.active_count() <= threads), threading.enumerate()
    assert eventually(lambda: open_files() <= files)
    assert pool.sessions("olt1") == 0
    assert not lab.leftovers("olt1")
