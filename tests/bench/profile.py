"""Where the time of an order goes: ``make profile`` (``python -m tests.bench.profile ORDERS``).

Every thread is profiled in processor time, so that waiting for each other, for the disk or for the interpreter's lock
does not count. The profiler makes small functions look dearer than they are: compare shares, not milliseconds.
"""

import cProfile
import pstats
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest import mock

from tests.bench.rig import running

SHOWN: Final = 45
WARM_UP: Final = 20
OURS: Final = r"/(api|orders|activation|inventory)/"


def main() -> None:
    """Profile the orders asked for and print the dearest functions: all by their own time, ours with what they call."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with _profiled() as profiles, running() as rig:
        rig.complete(WARM_UP)
        rate = rig.rate(count)
    stats = pstats.Stats(*profiles)
    stats.sort_stats("tottime").print_stats(SHOWN)
    stats.sort_stats("cumtime").print_stats(OURS, SHOWN)
    sys.stdout.write(f"{rate:.0f} orders/s under the profiler\n")


@contextmanager
def _profiled() -> Iterator[list[cProfile.Profile]]:
    """Profile every thread that starts inside the block."""
    profiles: list[cProfile.Profile] = []
    plain = threading.Thread.run

    def run(self: threading.Thread) -> None:
        profile = cProfile.Profile(time.thread_time)
        profiles.append(profile)
        profile.runcall(plain, self)

    with mock.patch.object(threading.Thread, "run", run):
        yield profiles


if __name__ == "__main__":
    main()
