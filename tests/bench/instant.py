"""Devices that answer at once: sections of lines in memory, commits that wait for their confirm."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from activation.contracts import PlatformRules
from activation.errors import EditRefused
from activation.model import DeviceEdit, Path
from inventory.model import Device

REMOVED: Final = "no "


@dataclass(slots=True)
class InstantDevice:
    """A device of sections: the first line of each to all of its lines."""

    sections: dict[str, tuple[str, ...]] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)


class InstantNetwork:
    """Instant devices by name, made as they are asked for; :meth:`open` is a driver factory."""

    def __init__(self) -> None:
        self.devices: dict[str, InstantDevice] = {}

    def open(self, device: Device, rules: PlatformRules) -> "InstantDriver":  # noqa: ARG002 - one kind of device
        """Return a new session."""
        return InstantDriver(device.name, self.devices.setdefault(device.name, InstantDevice()))


class InstantDriver:
    """One session; see :class:`activation.contracts.Driver`."""

    host_key = ""

    def __init__(self, name: str, device: InstantDevice) -> None:
        self.confirmed_commit = True
        self._name, self._device = name, device
        self._staged: str | None = None
        self._before: dict[str, tuple[str, ...] | None] = {}

    def read(self, touched: Sequence[Path]) -> str:
        """Return the touched sections, all of them where none is named."""
        held = self._device.sections
        names = [path[0] for path in touched] or list(held)
        return "".join("\n".join(held[name]) + "\n" for name in names if name in held)

    def stage(self, edit: DeviceEdit, *, token: str) -> None:  # noqa: ARG002 - one nameless candidate per session
        """Keep the edit for the commit."""
        self._staged = edit.edit

    def commit(self, edit: DeviceEdit, *, token: str, confirm_timeout_s: int) -> None:  # noqa: ARG002 - no clock here
        """Make the edit live."""
        if self._staged is None:
            raise EditRefused(self._name, "commit", "nothing is staged")
        self._apply(self._staged)
        self._staged = None

    def confirm(self, edit: DeviceEdit, *, token: str) -> None:
        """Do nothing."""

    def rollback(self, edit: DeviceEdit, *, token: str, undone: Callable[[str], bool]) -> None:  # noqa: ARG002
        """Push the inverse unless nothing is there to undo."""
        if not undone(self.read(edit.touched)):
            self._apply(edit.inverse)

    def discard(self) -> None:
        """Drop what is staged."""
        self._staged = None

    def alive(self) -> bool:
        """Say that the session is open."""
        return True

    def ping(self) -> None:
        """Answer at once."""

    def close(self) -> None:
        """Do nothing."""

    def _apply(self, lines: str) -> None:
        head = ""
        with self._device.guard:
            for line in lines.splitlines():
                if line.startswith(REMOVED):
                    self._device.sections.pop(line.removeprefix(REMOVED), None)
                elif not line.startswith(" "):
                    head = line
                    self._device.sections[head] = (head,)
                else:
                    self._device.sections[head] += (line,)
