"""Warm sessions: logging in costs a hundred times what a command costs, so sessions wait for the next change."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

from activation.contracts import Devices, Driver, InLoop, PlatformRules, WorkLoop
from activation.drivers.registry import DriverRegistry
from activation.errors import DeviceError, DeviceUnreachable
from inventory.errors import UnknownResource

IDLE_LIMIT_S: Final = 300.0
GOODBYE_S: Final = 5.0
KEPT_PER_DEVICE: Final = 2


@dataclass(slots=True)
class SessionPool:
    """Sessions by device. A session that is out belongs to one thread; one that failed never comes back.

    Attributes:
        idle_limit_s: an unused session older than this is closed instead of used.
        clock: monotonic seconds.
    """

    devices: Devices
    platforms: Mapping[str, PlatformRules]
    drivers: DriverRegistry
    idle_limit_s: float = IDLE_LIMIT_S
    clock: Callable[[], float] = time.monotonic
    _idle: dict[str, list[tuple[Driver, float]]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    def take(self, name: str) -> Driver:
        """Return a session with the device: a warm one that still answers, else a new one.

        Raises:
            DeviceUnreachable: no connection, or the inventory knows no such device or platform.
        """
        while (waiting := self._pop(name)) is not None:
            driver, since = waiting
            if self.clock() - since <= self.idle_limit_s and driver.alive():
                return driver
            close_behind(driver)
        return self._open(name)

    def give_back(self, name: str, driver: Driver) -> None:
        """Keep a session that works for the next user."""
        with self._lock:
            idle = self._idle[name]
            keep = not self._closed and len(idle) < KEPT_PER_DEVICE
            if keep:
                idle.append((driver, self.clock()))
        if not keep:
            close_behind(driver)

    def forget(self, name: str) -> None:
        """Close the warm sessions with the device: what broke one of them has most likely broken all."""
        with self._lock:
            waiting = self._idle.pop(name, [])
        for driver, _ in waiting:
            close_behind(driver)

    def warm(self, names: Iterable[str]) -> threading.Thread:
        """Open one session per device in the background, one after the other; return the thread that does it."""
        thread = threading.Thread(target=self._warm, args=(tuple(names),), name="warm-sessions", daemon=True)
        thread.start()
        return thread

    def idle(self, name: str) -> int:
        """Return how many warm sessions wait for the device."""
        with self._lock:
            return len(self._idle[name])

    def close(self) -> None:
        """Close every waiting session; sessions that are out close when they come back."""
        with self._lock:
            self._closed = True
            waiting = [driver for idle in self._idle.values() for driver, _ in idle]
            self._idle.clear()
        for driver in waiting:
            driver.close()

    def _pop(self, name: str) -> tuple[Driver, float] | None:
        with self._lock:
            idle = self._idle[name]
            return idle.pop() if idle else None

    def _open(self, name: str) -> Driver:
        try:
            device = self.devices.device(name)
        except UnknownResource as error:
            raise DeviceUnreachable(name, "connect", str(error)) from error
        rules = self.platforms.get(device.platform)
        if rules is None:
            known = ", ".join(sorted(self.platforms))
            raise DeviceUnreachable(name, "connect", f"unknown platform {device.platform!r}; known: {known}")
        return self.drivers.open(device, rules)

    def _warm(self, names: tuple[str, ...]) -> None:
        for name in names:
            try:
                self.give_back(name, self.take(name))
            except DeviceError:
                continue  # Whoever needs the device next gets the error, with the order it belongs to.


@dataclass(slots=True)
class Leases:
    """The sessions of one transaction: one per device, kept through all its phases."""

    pool: SessionPool
    _held: dict[str, Driver] = field(default_factory=dict)
    _dropped: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _released: bool = False

    def driver(self, name: str) -> Driver:
        """Return this transaction's session with the device; take one at first use.

        Raises:
            DeviceUnreachable: no connection, or one that came after its deadline.
        """
        with self._lock:
            held, dropped = self._held.get(name), self._dropped[name]
        if held is not None:
            return held
        driver = self.pool.take(name)
        with self._lock:
            late = self._released or self._dropped[name] != dropped
            if not late:
                self._held[name] = driver
        if late:
            close_behind(driver)
            raise DeviceUnreachable(name, "connect", "the connection came after its deadline")
        return driver

    def loop_of(self, name: str) -> WorkLoop | None:
        """Return the event loop that this transaction's session with the device lives in; None if it needs threads."""
        driver: object = self._held.get(name)
        return driver.loop if isinstance(driver, InLoop) else None

    def drop(self, name: str) -> None:
        """Part with a session that failed or hangs, and with the warm ones; the next use takes a new one."""
        with self._lock:
            self._dropped[name] += 1
            driver = self._held.pop(name, None)
        self.pool.forget(name)
        if driver is not None:
            close_behind(driver)

    def release(self) -> None:
        """Give every session back to the pool."""
        with self._lock:
            self._released = True
            held = dict(self._held)
            self._held.clear()
        for name, driver in held.items():
            self.pool.give_back(name, driver)

    def abandon(self) -> None:
        """Close every session: it may hold a lock and changes of a transaction that stopped halfway.

        The devices get a moment to say goodbye: whoever cleans up after this must not meet the old sessions there.
        """
        with self._lock:
            self._released = True
            closing = [close_behind(driver) for driver in self._held.values()]
            self._held.clear()
        for thread in closing:
            thread.join(GOODBYE_S)


def close_behind(driver: Driver) -> threading.Thread:
    """Close a session in the background: with a device that hangs even the goodbye can; return the thread."""
    thread = threading.Thread(target=driver.close, name="close-session", daemon=True)
    thread.start()
    return thread


class DeviceLocks:
    """One change at a time per device; taken in sorted order, so that no two transactions wait for each other."""

    def __init__(self) -> None:
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._guard = threading.Lock()

    @contextmanager
    def held(self, names: Iterable[str]) -> Iterator[None]:
        """Hold the locks of these devices for the length of the block."""
        with self._guard:
            locks = [self._locks[name] for name in sorted(set(names))]
        with ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            yield
