"""NETCONF over ncclient: one operation at a time, two threads per session."""

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import paramiko
from lxml import etree
from ncclient import NCClientError
from ncclient.manager import Manager, make_device_handler
from ncclient.operations import RaiseMode, TimeoutExpiredError
from ncclient.transport.errors import TransportError

from activation.contracts import Driver, PlatformRules, WorkLoop
from activation.drivers import netconf_messages as say
from activation.drivers.netconf_changes import is_end
from activation.drivers.netconf_driver import NetconfDriver, OwnSessions, SessionBroke, options_of
from activation.drivers.netconf_filter import BASE_NAMESPACE
from activation.drivers.netconf_messages import Hello, NotNetconf, Reply
from activation.drivers.netconf_session import WakingSession
from activation.drivers.sockets import connected_socket
from activation.drivers.ssh_profile import profile_of
from activation.errors import DeviceUnreachable
from inventory.model import Device

LOST: Final = (TransportError, TimeoutExpiredError, paramiko.SSHException, OSError, EOFError)
"""What ncclient raises when the session, not the device's configuration, is the trouble."""
LOOK_S: Final = 0.2
"""Between two looks at whether a session that tells nothing still stands."""


class NcclientNetconf:
    """The driver factory ``netconf``."""

    def __init__(self) -> None:
        self._own = OwnSessions()

    def __call__(self, device: Device, rules: PlatformRules) -> Driver:
        """Connect to ``device`` and return its session.

        Raises:
            DeviceUnreachable: with the address, the port and the reason.
        """
        options, where = options_of(device, rules), f"{device.address}:{device.port}"
        try:
            wire = _connect(device, rules)
        except (*LOST, NCClientError) as error:
            raise DeviceUnreachable(device.name, "connect", f"{where}: {_text(error)}") from error
        return NetconfDriver(device, wire, options, self._own)


def _connect(device: Device, rules: PlatformRules) -> "NcclientWire":
    profile = profile_of(device, rules)
    handler = make_device_handler({"name": str(rules.options.get("ncclient_device", "default"))})
    sock = connected_socket(device)
    session = WakingSession(handler)
    try:
        session.log_in(device, sock, profile)
    except BaseException:
        session.close()
        sock.close()
        raise
    return NcclientWire(session, Manager(session, handler, timeout=device.timeout_s, raise_mode=RaiseMode.NONE))


class NcclientWire:
    """An ncclient session as :class:`activation.drivers.netconf_driver.Wire`."""

    loop: WorkLoop | None = None

    def __init__(self, session: WakingSession, manager: Manager) -> None:
        self._session, self._manager = session, manager
        self.host_key = session.host_key
        self.hello = Hello(
            session_id=str(manager.session_id), capabilities=frozenset(map(str, manager.server_capabilities))
        )

    def ask(self, operations: Sequence[str], deadline_s: float) -> Sequence[Reply]:
        """Return the reply to each of ``operations``, up to and including the first that failed.

        Raises:
            SessionBroke: no answer in time, or no answer at all.
        """
        replies: list[Reply] = []
        ends_at = time.monotonic() + deadline_s
        for operation in operations:
            replies.append(self._ask(operation, max(0.01, ends_at - time.monotonic())))
            if replies[-1].errors:
                break
        return replies

    def replay(self, subscription: str, deadline_s: float) -> tuple[Reply, Sequence[etree._Element]]:
        """Return the reply to a subscription and the notifications of the past.

        Raises:
            SessionBroke: the past was not told in time.
        """
        ends_at = time.monotonic() + deadline_s
        reply = self._ask(subscription, deadline_s)
        events: list[etree._Element] = []
        while not reply.errors:
            event = self._manager.take_notification(timeout=LOOK_S)
            if event is not None:
                events.append(event.notification_ele)
                if is_end(events[-1]):
                    break
            elif not self.is_open():
                raise SessionBroke("the device ended the session in the middle of its story")
            if time.monotonic() > ends_at:
                raise SessionBroke(f"{len(events)} notifications within {deadline_s:g} s, and no end")
        return reply, events

    def pause(self, seconds: float) -> None:
        """Return after ``seconds``."""
        time.sleep(seconds)

    def is_open(self) -> bool:
        """Say whether the SSH transport below the session still stands."""
        return bool(self._session.connected and self._session.transport.is_active())

    def close(self) -> None:
        """End the transport."""
        with suppress(*LOST, NCClientError):
            # Not ncclient's close_session, which waits for the answer of a device that may hang.
            self._session.close()

    def _ask(self, operation: str, deadline_s: float) -> Reply:
        self._manager.timeout = deadline_s
        try:
            answer = self._manager.dispatch(etree.fromstring(_in_base(operation)))
            return say.parse_reply(str(answer.xml).encode())
        except (*LOST, NCClientError, NotNetconf) as error:
            raise SessionBroke(_text(error)) from error


def _in_base(operation: str) -> str:
    if re.match(r"<[^>]* xmlns=", operation):
        return operation
    end = min(at for at in (operation.find(mark) for mark in (">", "/>")) if at > 0)
    return f'{operation[:end]} xmlns="{BASE_NAMESPACE}"{operation[end:]}'


def _text(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
