"""Workers over fake devices that die of one service (``python -m tests.api.runtime.mortal URL WAY``).

They die of rendering the service's template, or of staging it on a device: a process each, one after the other, until
nothing is left to run. It prints the exit code of each.
"""

import os
import sys
import threading
from collections.abc import Sequence
from typing import Final

from activation.drivers.fake import FakeDriver, FakeNetwork
from activation.engine import ActivationCore
from activation.model import DeviceEdit, Intent
from activation.render import Renderer
from activation.service_activation import RUN
from api.runtime.batch import MAX_FAILURES
from api.runtime.database import open_database
from api.runtime.presence import take_over
from api.runtime.worker import Worker
from tests.activation.rig import STOOD, fake_core
from tests.api.runtime.work import pending

POISON: Final = 13
"""The number of the service that nobody survives."""
DIED: Final = 9
WAYS: Final = ("rendering", "staging")
_LOOKS_EVERY_S: Final = 0.02


class DeadlyRenderer(Renderer):
    """Dies of one service's variables, as a filter that runs into broken C code does."""

    def render(self, intent: Intent, platform: str) -> str:
        if intent.variables.get("number") == POISON:
            os._exit(DIED)
        return super().render(intent, platform)


class DeadlyDriver(FakeDriver):
    """Dies of an edit for that service."""

    def stage(self, edit: DeviceEdit, *, token: str) -> None:
        if f"port {POISON}\n" in edit.edit:
            os._exit(DIED)
        super().stage(edit, token=token)


def core(way: str) -> ActivationCore:
    """Return a core over fresh devices."""
    network = FakeNetwork(dict.fromkeys("abc", STOOD))
    if way == "rendering":
        return fake_core(network, renderer=DeadlyRenderer)
    network.driver = DeadlyDriver
    return fake_core(network)


def main(arguments: Sequence[str]) -> None:
    """Run workers until one of them lives, or too many have died."""
    codes = [_code_of(*arguments)]
    while codes[-1] != 0 and len(codes) <= MAX_FAILURES:
        codes.append(_code_of(*arguments))
    print(*codes)  # noqa: T201 - tells the test what became of them


def _code_of(url: str, way: str) -> int:
    """Return how a process of its own ends; this one has no threads yet, and imported everything once for all."""
    if not (child := os.fork()):
        code = 1
        try:
            code = live(url, way)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def live(url: str, way: str) -> int:
    """Work until nothing is left, or until death."""
    database = open_database(url, routes={})
    take_over(database)
    here = core(way)
    here.recover(database)
    worker = Worker(database=database, handlers={}, device_handlers={}, desks={RUN: here})
    worker.start()
    while pending(database):
        threading.Event().wait(_LOOKS_EVERY_S)
    return 0 if worker.stop() else 1


if __name__ == "__main__":
    main(sys.argv[1:])
