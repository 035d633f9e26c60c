"""A worker process with instant devices: ``python -m tests.bench.peer URL``. Says "ready", ends with its input."""

import logging
import sys

from api.collector import settle_heap
from api.settings import Settings
from api.wiring import Part, running_system
from tests.bench.rig import instant_drivers, platforms


def main() -> None:
    """Work until standard input ends."""
    logging.basicConfig(level=logging.ERROR)
    settings = Settings.read({}, database=sys.argv[1], lab="none")
    with platforms() as folder, running_system(settings, Part.WORKER, drivers=instant_drivers(), platforms=folder):
        settle_heap()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
