"""Warm sessions: logging in costs a hundred times what a command costs, so sessions wait for the next change."""

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from activation.contracts import DeviceRecords, Devices, Driver, InLoop, PlatformRules, WorkLoop
from activation.drivers.registry import DriverRegistry
from activation.errors import DeviceError, DeviceUnreachable, HostKeyRefused, OutcomeUnknown
from activation.keeper import Keeper
from activation.login_rate import LoginRate
from activation.quarantine import after_failure, after_success, is_failure, refusal
from inventory.device_states import KeptStates
from inventory.errors import NoSecret, UnknownResource
from inventory.model import Device
from inventory.secrets import with_password

logger = logging.getLogger(__name__)

IDLE_LIMIT_S: Final = 300.0
ASK_AFTER_S: Final = 30.0
"""A session that waited longer is asked whether it still answers; dead peers are noticed by then otherwise."""
GOODBYE_S: Final = 5.0
KEPT_PER_DEVICE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A session that nobody uses.

    Attributes:
        since_s: when it was used last.
        heard_s: when the device answered last.
    """

    driver: Driver
    since_s: float
    heard_s: float


@dataclass(slots=True)
class SessionPool:
    """Sessions by device. A session that is out belongs to one transaction; one that failed never comes back.

    A device in quarantine is not asked. No device gets more sessions at once, or logins in a minute, than it takes.

    Attributes:
        records: how devices have behaved; their host keys among it.
        idle_limit_s: an unused session older than this is closed instead of used.
        clock: monotonic seconds.
        pause: waits so many seconds.
    """

    devices: Devices
    platforms: Mapping[str, PlatformRules]
    drivers: DriverRegistry
    records: DeviceRecords = field(default_factory=KeptStates)
    idle_limit_s: float = IDLE_LIMIT_S
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    _idle: dict[str, list[Waiting]] = field(default_factory=lambda: defaultdict(list))
    _open: Counter[str] = field(default_factory=Counter)
    _logins: dict[str, LoginRate] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False
    _keeper: Keeper = field(init=False)

    def __post_init__(self) -> None:
        self._keeper = Keeper(self.keep)

    def take(self, name: str, *, urgent: bool = False) -> Driver:
        """Return a session with the device: a warm one that still answers, else a new one.

        ``urgent`` asks a device in quarantine, too: something that was changed there has to be undone.

        Raises:
            DeviceUnreachable: no connection, no session free in time, a device in quarantine, another host key than
                the known one, or the inventory knows no such device or platform.
        """
        refused = None if urgent else refusal(self.records.state(name), _now())
        if refused is not None:
            raise refused
        device = self._device(name)
        while (waiting := self._idle_or_slot(device)) is not None:
            if self._is_good(waiting):
                return waiting.driver
            self.part_with(name, waiting.driver)
        try:
            return self._logged_in(device)
        except BaseException:
            self._close_one(name)
            raise

    def give_back(self, name: str, driver: Driver) -> None:
        """Keep a session that works for the next user."""
        with self._changed:
            idle = self._idle[name]
            keep = not self._closed and len(idle) < KEPT_PER_DEVICE and driver.alive()
            if keep:
                now_s = self.clock()
                idle.append(Waiting(driver=driver, since_s=now_s, heard_s=now_s))
                self._changed.notify_all()
        self._keeper.wake()
        if not keep:
            self.part_with(name, driver)

    def part_with(self, name: str, driver: Driver) -> threading.Thread:
        """Close a session that was out, in the background; return the thread that does it."""
        self._close_one(name)
        return close_behind(driver)

    def forget(self, name: str) -> None:
        """Close the warm sessions with the device: what broke one of them has most likely broken all."""
        with self._changed:
            waiting = self._idle.pop(name, [])
        for each in waiting:
            self.part_with(name, each.driver)

    def answered(self, name: str) -> None:
        """Note that the device answered: its failures in a row are over."""
        if self.records.state(name).failures:
            self.records.change(name, after_success)

    def failed(self, name: str, error: DeviceError) -> None:
        """Note that the device did not answer; after several times in a row it is left alone for a while."""
        if is_failure(error):
            state = self.records.change(name, lambda state: after_failure(state, error, _now()))
            if state.quarantined_until is not None:
                logger.warning("%s: quarantined until %s: %s", name, state.quarantined_until, error)

    def warm(self, names: Iterable[str]) -> threading.Thread:
        """Open one session per device in the background, one after the other; return the thread that does it."""
        thread = threading.Thread(target=self._warm, args=(tuple(names),), name="warm-sessions", daemon=True)
        thread.start()
        return thread

    def idle(self, name: str) -> int:
        """Return how many warm sessions wait for the device."""
        with self._changed:
            return len(self._idle[name])

    def sessions(self, name: str) -> int:
        """Return how many sessions are open with the device, those in use among them."""
        with self._changed:
            return self._open[name]

    def close(self) -> None:
        """Close every waiting session; sessions that are out close when they come back."""
        with self._changed:
            self._closed = True
            waiting = [(name, each.driver) for name, idle in self._idle.items() for each in idle]
            self._idle.clear()
        self._keeper.close()
        for name, driver in waiting:
            self._close_one(name)
            driver.close()

    def keep(self) -> None:
        """Look after the sessions that wait: close those nobody needs, ask those that were silent for long.

        One that does not answer is closed with all others of its device; the next use logs in again.
        """
        for name, waiting in self._to_look_after():
            if self._is_good(waiting):
                kept = self._put_back(name, replace(waiting, heard_s=self.clock()))
            else:
                kept = False
                if not self._is_old(waiting):
                    self.forget(name)
            if not kept:
                self.part_with(name, waiting.driver)

    def _to_look_after(self) -> list[tuple[str, Waiting]]:
        """Take out the sessions that need a look; as long as they are out nobody else uses them."""
        now_s = self.clock()
        found: list[tuple[str, Waiting]] = []
        with self._changed:
            for name, idle in self._idle.items():
                due = [each for each in idle if self._is_due(each, now_s)]
                found += [(name, each) for each in due]
                self._idle[name] = [each for each in idle if each not in due]
        return found

    def _is_due(self, waiting: Waiting, now_s: float) -> bool:
        return now_s - waiting.heard_s > ASK_AFTER_S or self._is_old(waiting) or not waiting.driver.alive()

    def _is_old(self, waiting: Waiting) -> bool:
        return self.clock() - waiting.since_s > self.idle_limit_s

    def _put_back(self, name: str, waiting: Waiting) -> bool:
        with self._changed:
            if self._closed:
                return False
            # First, so that those used last stay the ones that are used next.
            self._idle[name].insert(0, waiting)
            self._changed.notify_all()
            return True

    def _idle_or_slot(self, device: Device) -> Waiting | None:
        """Return a warm session, or None with the right to open one; wait while the device has all it takes."""
        ends_at_s = time.monotonic() + device.timeout_s
        with self._changed:
            while True:
                if idle := self._idle[device.name]:
                    return idle.pop()
                if self._open[device.name] < device.max_sessions:
                    self._open[device.name] += 1
                    return None
                if not self._changed.wait(ends_at_s - time.monotonic()):
                    reason = f"all {device.max_sessions} sessions are in use; waited {device.timeout_s:g} s for one"
                    raise DeviceUnreachable(device.name, "connect", reason)

    def _is_good(self, waiting: Waiting) -> bool:
        driver = waiting.driver
        if self._is_old(waiting) or not driver.alive():
            return False
        if self.clock() - waiting.heard_s <= ASK_AFTER_S:
            return True
        try:
            driver.ping()
        except DeviceError:
            return False
        return True

    def _logged_in(self, device: Device) -> Driver:
        self._wait_for_login(device)
        known = device.host_key or self.records.state(device.name).host_key
        try:
            with_key = replace(with_password(device), host_key=known)
            driver = self.drivers.open(with_key, self._rules(device))
        except NoSecret as error:
            raise DeviceUnreachable(device.name, "connect", str(error)) from error
        except HostKeyRefused as error:
            offered = error.shown
            self.records.change(device.name, lambda state: replace(state, offered_key=offered))
            raise
        if driver.host_key and not known:
            # Trusted on first use: from now on it must be this one.
            self.records.change(device.name, lambda state: replace(state, host_key=driver.host_key, offered_key=""))
        return driver

    def _wait_for_login(self, device: Device) -> None:
        with self._changed:
            rate = self._logins.setdefault(device.name, LoginRate(device.logins_per_minute))
            rate.per_minute = device.logins_per_minute
            wait_s = rate.wait_s(self.clock())
            if wait_s > device.timeout_s:
                reason = f"{device.logins_per_minute} logins per minute are used up; the next one in {wait_s:.0f} s"
                raise DeviceUnreachable(device.name, "connect", reason)
            rate.take(self.clock())
        if wait_s:
            self.pause(wait_s)

    def _close_one(self, name: str) -> None:
        with self._changed:
            self._open[name] -= 1
            self._changed.notify_all()

    def _device(self, name: str) -> Device:
        try:
            return self.devices.device(name)
        except UnknownResource as error:
            raise DeviceUnreachable(name, "connect", str(error)) from error

    def _rules(self, device: Device) -> PlatformRules:
        rules = self.platforms.get(device.platform)
        if rules is None:
            known = ", ".join(sorted(self.platforms))
            raise DeviceUnreachable(device.name, "connect", f"unknown platform {device.platform!r}; known: {known}")
        return rules

    def _warm(self, names: tuple[str, ...]) -> None:
        for name in names:
            if self._closed:
                return
            try:
                self.give_back(name, self.take(name))
            except DeviceError:
                continue  # Whoever needs the device next gets the error, with the order it belongs to.


@dataclass(slots=True)
class Leases:
    """The sessions of one transaction: one per device, kept through all its phases."""

    pool: SessionPool
    _held: dict[str, Driver] = field(default_factory=dict)
    _loops: dict[str, WorkLoop] = field(default_factory=dict)
    _dropped: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _released: bool = False

    def driver(self, name: str, *, urgent: bool = False) -> Driver:
        """Return this transaction's session with the device; take one at first use.

        ``urgent`` asks a device in quarantine, too.

        Raises:
            DeviceUnreachable: no connection, or one that came after its deadline.
        """
        with self._lock:
            held, dropped = self._held.get(name), self._dropped[name]
        if held is not None:
            return held
        driver = self.pool.take(name, urgent=urgent)
        with self._lock:
            late = self._released or self._dropped[name] != dropped
            if not late:
                self._hold(name, driver)
        if late:
            self.pool.part_with(name, driver)
            raise DeviceUnreachable(name, "connect", "the connection came after its deadline")
        return driver

    def loop_of(self, name: str) -> WorkLoop | None:
        """Return the event loop that this transaction's session with the device lives in; None if it needs threads."""
        return self._loops.get(name)

    def _hold(self, name: str, driver: Driver) -> None:
        self._held[name] = driver
        able: object = driver
        if isinstance(able, InLoop) and able.loop is not None:
            self._loops[name] = able.loop

    def heard(self, name: str, error: DeviceError | None) -> None:
        """Note how the device answered a call; part with its session where it did not."""
        if isinstance(error, DeviceUnreachable | OutcomeUnknown):
            self.drop(name)
            self.pool.failed(name, error)
        else:
            self.pool.answered(name)

    def drop(self, name: str) -> None:
        """Part with a session that failed or hangs, and with the warm ones; the next use takes a new one."""
        with self._lock:
            self._dropped[name] += 1
            driver = self._held.pop(name, None)
            self._loops.pop(name, None)
        self.pool.forget(name)
        if driver is not None:
            self.pool.part_with(name, driver)

    def release(self) -> None:
        """Give every session back to the pool."""
        with self._lock:
            self._released = True
            held = dict(self._held)
            self._held.clear()
            self._loops.clear()
        for name, driver in held.items():
            self.pool.give_back(name, driver)

    def abandon(self) -> None:
        """Close every session: it may hold a lock and changes of a transaction that stopped halfway.

        The devices get a moment to say goodbye: whoever cleans up after this must not meet the old sessions there.
        """
        with self._lock:
            self._released = True
            closing = [self.pool.part_with(name, driver) for name, driver in self._held.items()]
            self._held.clear()
        for thread in closing:
            thread.join(GOODBYE_S)


def _now() -> datetime:
    return datetime.now(UTC)


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
