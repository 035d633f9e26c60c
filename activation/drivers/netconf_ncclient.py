"""NETCONF with ncclient: candidate, validate, confirmed commit with a persist id, as far as the device offers them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import paramiko
from lxml import etree
from ncclient import NCClientError
from ncclient.manager import Manager, make_device_handler
from ncclient.operations import OperationError, RPCError, TimeoutExpiredError
from ncclient.transport.errors import TransportError

from activation.contracts import Driver, PlatformRules
from activation.drivers.netconf_filter import BASE_NAMESPACE, element, subtree_filter
from activation.drivers.netconf_session import WakingSession
from activation.drivers.sockets import connected_socket
from activation.errors import DeviceError, DeviceUnreachable, EditRefused, OutcomeUnknown
from activation.model import DeviceEdit, Path
from inventory.model import Device

LOCK_WAIT_S: Final = 2.0
LOCK_POLL_S: Final = 0.02
LOST: Final = (TransportError, TimeoutExpiredError, paramiko.SSHException, OSError, EOFError)
"""What ncclient raises when the session, not the device's configuration, is the trouble."""


def open_netconf(device: Device, rules: PlatformRules) -> Driver:
    """Connect to ``device`` and return its session.

    Raises:
        DeviceUnreachable: with the address, the port and the reason.
    """
    where = f"{device.address}:{device.port}"
    try:
        return _connect(device, str(rules.options.get("ncclient_device", "default")))
    except (*LOST, NCClientError) as error:
        raise DeviceUnreachable(device.name, "connect", f"{where}: {_text(error)}") from error


def _connect(device: Device, ncclient_device: str) -> "NetconfDriver":
    sock = connected_socket(device)
    handler = make_device_handler({"name": ncclient_device})
    session = WakingSession(handler)
    try:
        session.connect(
            device.address,
            sock=sock,
            timeout=device.timeout_s,
            username=device.username,
            password=device.password,
            hostkey_verify=False,
            allow_agent=False,
            look_for_keys=False,
        )
    except BaseException:
        session.close()
        sock.close()
        raise
    return NetconfDriver(device.name, session, Manager(session, handler, timeout=device.timeout_s))


class NetconfDriver:
    """One NETCONF session; see :class:`activation.contracts.Driver`."""

    def __init__(self, device: str, session: WakingSession, manager: Manager) -> None:
        self._device, self._session, self._manager = device, session, manager
        self._locked = False
        offered = manager.server_capabilities
        self.confirmed_commit = ":confirmed-commit:1.1" in offered
        self._validates = ":validate" in offered
        self._rolls_back_on_error = ":rollback-on-error" in offered

    def read(self, touched: Sequence[Path]) -> str:
        """Return the running configuration that holds ``touched`` (all of it for none) as a ``<config>`` element."""
        with self._translated("read"):
            wanted = subtree_filter(touched) if touched else None
            reply = self._manager.get_config("running", filter=wanted)
        config = element(f"{{{BASE_NAMESPACE}}}config")
        data = reply.data_ele
        config.extend(list(data) if data is not None else [])
        return etree.tostring(config, encoding="unicode")

    def stage(self, edit: DeviceEdit, *, token: str) -> None:  # noqa: ARG002  # NETCONF has one, nameless candidate
        """Lock and clean the candidate, load ``edit.edit`` into it and validate it."""
        self._stage(edit.edit, "stage")

    def commit(self, edit: DeviceEdit, *, token: str, confirm_timeout_s: int) -> None:  # noqa: ARG002  # it is staged
        """Commit the candidate, to be undone unless ``token`` is confirmed in time."""
        confirmed = {"confirmed": True, "timeout": str(confirm_timeout_s), "persist": token}
        with self._translated("commit", lost=OutcomeUnknown):
            self._manager.commit(**(confirmed if self.confirmed_commit else {}))

    def confirm(self, edit: DeviceEdit, *, token: str) -> None:  # noqa: ARG002  # the token says which commit
        """Confirm the commit named ``token`` and unlock."""
        if self.confirmed_commit:
            with self._translated("confirm", lost=OutcomeUnknown):
                self._lock()
                self._manager.commit(persist_id=token)
        self._unlock("confirm")

    def rollback(self, edit: DeviceEdit, *, token: str, undone: Callable[[str], bool]) -> None:
        """Cancel the commit named ``token``; where none is pending, push ``edit.inverse`` unless it is ``undone``."""
        cancelled = self.confirmed_commit and self._cancelled(token)
        if not cancelled and not undone(self.read(edit.touched)):
            self._stage(edit.inverse, "rollback")
            with self._translated("rollback", lost=OutcomeUnknown):
                self._manager.commit()
        self.discard()

    def discard(self) -> None:
        """Empty the candidate and unlock it."""
        if self._locked:
            with self._translated("discard"):
                self._manager.discard_changes()
            self._unlock("discard")

    def alive(self) -> bool:
        """Say whether the SSH transport below the session still stands."""
        return bool(self._session.connected and self._session.transport.is_active())

    def close(self) -> None:
        """End the transport; the device drops the session's locks with it."""
        with suppress(*LOST, NCClientError):
            # Not ncclient's close_session, which waits for the answer of a device that may hang.
            self._session.close()

    def _stage(self, config: str, phase: str) -> None:
        with self._translated(phase):
            self._lock()
            try:
                self._load(config)
            except RPCError:
                self.discard()
                raise

    def _lock(self) -> None:
        # A session that broke keeps its lock until the device notices: wait for that, not for a live owner's end.
        deadline = time.monotonic() + LOCK_WAIT_S
        while not self._locked:
            try:
                self._manager.lock("candidate")
                self._locked = True
            except RPCError as error:
                if getattr(error, "tag", None) != "lock-denied" or time.monotonic() > deadline:
                    raise
                time.sleep(LOCK_POLL_S)

    def _load(self, config: str) -> None:
        self._manager.discard_changes()
        self._manager.edit_config(
            config,
            target="candidate",
            test_option="test-then-set" if self._validates else None,
            error_option="rollback-on-error" if self._rolls_back_on_error else None,
        )
        if self._validates:
            self._manager.validate("candidate")

    def _cancelled(self, token: str) -> bool:
        try:
            with self._translated("rollback"):
                self._manager.cancel_commit(persist_id=token)
        except EditRefused:
            return False  # No commit of this name is pending: it was confirmed, timed out, or never made.
        return True

    def _unlock(self, phase: str) -> None:
        if self._locked:
            with self._translated(phase):
                self._manager.unlock("candidate")
            self._locked = False

    @contextmanager
    def _translated(self, phase: str, *, lost: type[DeviceError] = DeviceUnreachable) -> Iterator[None]:
        try:
            yield
        except LOST as error:
            raise lost(self._device, phase, _text(error)) from error
        except OperationError as error:
            raise EditRefused(self._device, phase, _text(error)) from error
        except NCClientError as error:
            raise lost(self._device, phase, _text(error)) from error


def _text(error: BaseException) -> str:
    """Return the reason in the device's own words: every message of a reply with several ``rpc-error``."""
    if not isinstance(error, RPCError):
        return " ".join(str(error).split()) or type(error).__name__
    # A reply with several rpc-error raises an RPCError that has none of a single error's attributes.
    return "; ".join(_rpc_text(each) for each in getattr(error, "errors", None) or [error])


def _rpc_text(error: Any) -> str:  # noqa: ANN401  # an untyped ncclient object
    parts = (error.message, error.tag if not error.message else None, error.path)
    return " at ".join(" ".join(part.split()) for part in parts if part)
