"""Devices in memory, with the faults that real ones have: the driver of the core's own tests."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from activation.contracts import PlatformRules
from activation.errors import DeviceError, DeviceUnreachable, EditRefused, OutcomeUnknown
from activation.model import DeviceEdit, Path
from inventory.model import Device

Phase = Literal["connect", "read", "stage", "commit", "confirm", "rollback", "ping"]
Fault = Literal["refuse", "unreachable", "lost_before", "lost_after", "ignore", "hang"]
"""What a phase can do wrong: say no; break the session; lose the answer before or after the effect; answer ok and do
nothing; not answer until the network is closed."""
Tree: TypeAlias = dict[str, "Tree"]
INDENT: Final = "  "


@dataclass(slots=True)
class FakeDevice:
    """A device of indented lines, a candidate, and commits that wait for their confirm.

    Attributes:
        running: the configuration in force.
        faults: what goes wrong in which phase, call by call; a phase whose list is used up goes well.
        phases: every phase that was called, in order.
        refuses: words that no edit may hold.
        quotes: whether a refusal quotes the line that holds them.
    """

    name: str
    running: str = ""
    startup: str = ""
    confirmed_commit: bool = True
    faults: dict[Phase, list[Fault]] = field(default_factory=dict)
    phases: list[Phase] = field(default_factory=list)
    pending: dict[str, str] = field(default_factory=dict)
    lock_holder: object | None = None
    released: threading.Event = field(default_factory=threading.Event)
    refuses: str | None = None
    quotes: bool = False

    def refusal(self, lines: str) -> str:
        """Return how it refuses ``lines``."""
        refused = next(line.strip() for line in lines.splitlines() if self.refuses is None or self.refuses in line)
        return f"% Invalid input at: {refused}" if self.quotes else "% Invalid input"


class FakeNetwork:
    """Fake devices by name; its :meth:`open` is a :class:`activation.contracts.DriverFactory`."""

    def __init__(self, configurations: Mapping[str, str]) -> None:
        self.devices = {name: FakeDevice(name, running=text, startup=text) for name, text in configurations.items()}
        self.drivers: list[FakeDriver] = []
        self.driver: type[FakeDriver] = FakeDriver

    def open(self, device: Device, rules: PlatformRules) -> "FakeDriver":
        """Return a new session with the fake called ``device.name``.

        Raises:
            DeviceUnreachable: the fake's "connect" is at fault, or no fake is called so.
        """
        fake = self.devices.get(device.name)
        if fake is None:
            raise DeviceUnreachable(device.name, "connect", f"no fake device is called {device.name!r}")
        driver = self.driver(fake, confirmed_commit=bool(rules.options.get("confirmed_commit", True)))
        driver.strike("connect")
        self.drivers.append(driver)
        return driver

    def release(self) -> None:
        """Let every call that hangs go on, to its error."""
        for fake in self.devices.values():
            fake.released.set()

    def cut_sessions(self) -> None:
        """End every session as a crash of this side would: locks and candidates go, commits stay pending."""
        for driver in self.drivers:
            driver.close()


class FakeDriver:
    """One session with a fake device; see :class:`activation.contracts.Driver`."""

    def __init__(self, fake: FakeDevice, *, confirmed_commit: bool = True) -> None:
        self.host_key = ""
        self._fake, self.confirmed_commit = fake, confirmed_commit
        self._candidate: str | None = None
        self._open = True

    def read(self, touched: Sequence[Path]) -> str:  # noqa: ARG002  # the whole is never less
        """Return the running configuration."""
        self.strike("read")
        return self._fake.running

    def stage(self, edit: DeviceEdit, *, token: str) -> None:  # noqa: ARG002  # one nameless candidate
        """Lock the candidate and load ``edit.edit`` into it."""
        self.strike("stage")
        if self._fake.lock_holder not in {None, self}:
            raise EditRefused(self._fake.name, "stage", "the candidate is locked by another session")
        if self._fake.refuses is not None and self._fake.refuses in edit.edit:
            raise EditRefused(self._fake.name, "stage", self._fake.refusal(edit.edit))
        self._fake.lock_holder = self
        self._candidate = applied(self._fake.running, edit.edit)

    def commit(self, edit: DeviceEdit, *, token: str, confirm_timeout_s: int) -> None:  # noqa: ARG002  # no clock here
        """Make the candidate live."""
        fault = self.strike("commit")
        if self._candidate is None:
            raise EditRefused(self._fake.name, "commit", "nothing is staged")
        if fault != "ignore":
            if self.confirmed_commit:
                self._fake.pending[token] = self._fake.running
            self._fake.running = self._candidate
        self._candidate = None
        if fault == "lost_after":
            self._break("commit", OutcomeUnknown)

    def confirm(self, edit: DeviceEdit, *, token: str) -> None:  # noqa: ARG002  # the token says which commit
        """Make the commit permanent and unlock."""
        fault = self.strike("confirm")
        self._fake.pending.pop(token, None)
        self._fake.startup = self._fake.running
        self._unlock()
        if fault == "lost_after":
            self._break("confirm", OutcomeUnknown)

    def rollback(self, edit: DeviceEdit, *, token: str, undone: Callable[[str], bool]) -> None:
        """Cancel the commit named ``token``, else apply ``edit.inverse`` unless it is ``undone``."""
        self.discard()
        if self.strike("rollback") == "ignore":
            return
        if token in self._fake.pending:
            self._fake.running = self._fake.pending.pop(token)
        elif not undone(self._fake.running):
            self._fake.running = self._fake.startup = applied(self._fake.running, edit.inverse)

    def discard(self) -> None:
        """Drop the candidate and unlock."""
        self._candidate = None
        self._unlock()

    def alive(self) -> bool:
        """Say whether the session is open."""
        return self._open

    def ping(self) -> None:
        """Do nothing, on an open session."""
        self.strike("ping")

    def close(self) -> None:
        """End the session; the device drops its lock."""
        self._open = False
        self.discard()

    def strike(self, phase: Phase) -> Fault | None:
        """Note ``phase`` and let its fault strike; return the fault where the caller must do its part."""
        self._fake.phases.append(phase)
        waiting = self._fake.faults.get(phase)
        fault = waiting.pop(0) if waiting else None
        if not self._open:
            raise DeviceUnreachable(self._fake.name, phase, "the session is closed")
        if fault == "refuse":
            raise EditRefused(self._fake.name, phase, "% Invalid input")
        if fault == "unreachable":
            self._break(phase, DeviceUnreachable)
        if fault == "lost_before":
            self._break(phase, OutcomeUnknown)
        if fault == "hang":
            self._fake.released.wait()
            self._break(phase, OutcomeUnknown)
        return fault

    def _unlock(self) -> None:
        if self._fake.lock_holder is self:
            self._fake.lock_holder = None

    def _break(self, phase: Phase, error: type[DeviceError]) -> None:
        self.close()
        raise error(self._fake.name, phase, "connection lost")


def applied(running: str, lines: str) -> str:
    """Return ``running`` after the indented ``lines``.

    ``no X`` takes X and all below it away; ``set X v`` replaces any other ``set X``.
    """
    tree = _parse(running)
    _merge(tree, _parse(lines))
    return _text(tree)


def _parse(text: str) -> Tree:
    root: Tree = {}
    above: list[tuple[int, Tree]] = [(-1, root)]
    for line in filter(str.strip, text.splitlines()):
        depth = len(line) - len(line.lstrip())
        while above[-1][0] >= depth:
            above.pop()
        above.append((depth, above[-1][1].setdefault(line.strip(), {})))
    return root


def _merge(tree: Tree, change: Tree) -> None:
    for line, below in change.items():
        if line.startswith("no "):
            tree.pop(line.removeprefix("no "), None)
        elif line not in {"exit", "!"}:
            _make_room(tree, line)
            _merge(tree.setdefault(line, {}), below)


def _make_room(tree: Tree, line: str) -> None:
    """Drop the value that ``set <name> <value>`` replaces."""
    setting = line.rpartition(" ")[0] + " "
    if line.startswith("set "):
        for old in [other for other in tree if other.startswith(setting) and other != line]:
            del tree[old]


def _text(tree: Tree, indent: str = "") -> str:
    return "".join(f"{indent}{line}\n{_text(below, indent + INDENT)}" for line, below in tree.items())
