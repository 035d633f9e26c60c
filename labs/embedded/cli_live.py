"""Editing a configuration that takes effect line by line.

For the fault board, the lines between entering and leaving configuration mode are one commit, and leaving is its end.
"""

import asyncio
import time
from typing import Protocol

from labs.embedded.cli_server import LinkDropped, hang
from labs.embedded.cli_tree import Tree, without_last_change
from labs.embedded.faults import FaultBoard


class LiveDevice(Protocol):
    """What all users of one device share.

    Attributes:
        broke_at_s: when a line broke whose user was in configuration mode, on the monotonic clock.
    """

    running: Tree
    faults: FaultBoard
    broke_at_s: float


class LiveSet:
    """The lines that one user types between entering and leaving configuration mode."""

    def __init__(self, device: LiveDevice) -> None:
        self._device = device
        self._before_set: Tree = ()
        self._before_line: Tree = ()
        self._inside = False

    def is_held(self) -> bool:
        """Say whether somebody else, or the ghost of a session that broke, is in configuration mode alone."""
        faults = self._device.faults
        unnoticed_s = faults.amount("stale_lock")
        is_stale = unnoticed_s is not None and time.monotonic() < self._device.broke_at_s + unnoticed_s
        return is_stale or faults.amount("lock_held") is not None

    def begin(self) -> None:
        """Enter configuration mode."""
        self._before_set = self._before_line = self._device.running
        self._inside = True

    def broke(self) -> None:
        """Note that the line broke, if that is what the user was doing."""
        if self._inside:
            self._device.broke_at_s = time.monotonic()

    def refusals(self) -> int:
        """Return how many errors the device answers a line with.

        Raises:
            LinkDropped: instead of an answer.
        """
        faults = self._device.faults
        if faults.strikes("drop_before_commit"):
            raise LinkDropped
        if faults.strikes("refuse_edit"):
            return 1
        errors = faults.amount("many_errors")
        return int(errors) if errors is not None and faults.strikes("many_errors") else 0

    def put(self, tree: Tree) -> None:
        """Make ``tree``, which one line made of it, the running configuration.

        Raises:
            LinkDropped: right after it.
        """
        device = self._device
        if tree != device.running:
            self._before_line = device.running
        device.running = tree
        if device.faults.strikes("drop_in_edit"):
            raise LinkDropped

    async def end(self) -> bool:
        """Leave configuration mode; return whether the device took all it was told.

        Raises:
            LinkDropped: instead of an answer.
        """
        device, faults = self._device, self._device.faults
        self._inside = False
        if device.running == self._before_set:
            return True
        if faults.strikes("hang_in_commit"):
            await hang()
        await asyncio.sleep(faults.commit_s(len(device.running)))
        if faults.strikes("refuse_commit"):
            device.running = self._before_line
            return False
        if faults.strikes("commit_changes_nothing"):
            device.running = self._before_set
        if faults.strikes("commit_in_part"):
            device.running = without_last_change(self._before_set, device.running)
        if faults.strikes("drop_after_commit"):
            raise LinkDropped
        return True
