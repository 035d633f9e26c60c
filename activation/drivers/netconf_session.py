"""An ncclient SSH session that sends at once.

ncclient's input/output loop sleeps up to 0.1 s in ``select`` before it looks at its send queue, so every RPC costs
that much whatever the device. Here a socket pair wakes the loop.
"""

import selectors
import socket
from contextlib import suppress
from typing import Any, Final

import paramiko
from ncclient.transport.errors import AuthenticationError, SessionCloseError, TransportError
from ncclient.transport.parser import DefaultXMLParser, SAXFilterXMLNotFoundError
from ncclient.transport.session import END_DELIM, MSG_DELIM, NetconfBase
from ncclient.transport.ssh import SSHSession

from activation.drivers.paramiko_ssh import Transports, checked_key, in_its_own_words
from activation.drivers.ssh_profile import SshProfile
from inventory.model import Device

# Only a bound on how long a lost wake-up could go unnoticed; a wake-up is not lost in practice.
LOOP_S: Final = 1.0


class WakingSession(SSHSession):  # type: ignore[misc]  # ncclient ships no types
    """ncclient's session with a loop that ``send`` and ``close`` wake."""

    def __init__(self, device_handler: Any) -> None:  # noqa: ANN401  # an untyped ncclient object
        super().__init__(device_handler)
        self.parser: Any  # ncclient puts another in place once the session stands
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self.host_key = ""

    def log_in(self, device: Device, sock: socket.socket, profile: SshProfile) -> None:
        """Do what ncclient's ``connect`` does, with a profile's algorithms and a check of who the device is.

        Raises:
            HostKeyRefused: before the device got to know the password.
            TransportError, paramiko.SSHException, OSError: as ncclient does.
        """
        transports = Transports(profile)
        with in_its_own_words(transports):
            self._logged_in(device, transports(sock))

    def _logged_in(self, device: Device, transport: paramiko.Transport) -> None:
        self._host = device.address
        self._transport = transport
        self._transport.start_client(timeout=device.timeout_s)
        self.host_key = checked_key(device, self._transport.get_remote_server_key())
        try:
            self._transport.auth_password(device.username, device.password)
        except paramiko.AuthenticationException as error:
            raise AuthenticationError(f"login refused: {error}") from error
        self._connected = True
        self._closing.clear()
        self._channel = self._transport.open_session(timeout=device.timeout_s)
        self._channel.invoke_subsystem("netconf")
        self._post_connect(device.timeout_s)
        self.parser = self._device_handler.get_xml_parser(self)

    def send(self, message: str) -> None:
        """Queue ``message`` and wake the loop."""
        super().send(message)
        self._wake()

    def close(self) -> None:
        """End the session and its thread."""
        self._closing.set()
        self._wake()
        if self._transport is not None:
            super().close()
        self._close_wake()

    def run(self) -> None:
        """Move messages both ways until the session ends; runs in the session's own thread."""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._channel, selectors.EVENT_READ)
                selector.register(self._wake_reader, selectors.EVENT_READ)
                while self._turn(selector):
                    pass
        except Exception as error:  # noqa: BLE001  # the seam: whatever ends the loop must fail the waiting RPCs
            known = isinstance(error, (TransportError, OSError, EOFError))
            self._dispatch_error(error if known else TransportError(f"what the device sent is no NETCONF: {error}"))
            self._closing.set()
            self._transport.close()
            self._connected = False
        finally:
            self._close_wake()

    def _turn(self, selector: selectors.BaseSelector) -> bool:
        self._flush()
        ready = {key.fileobj for key, _ in selector.select(LOOP_S)}
        if self._wake_reader in ready:
            with suppress(BlockingIOError):
                self._wake_reader.recv(4096)
        if self._channel in ready:
            return self._receive()
        return not self._closing.is_set()

    def _flush(self) -> None:
        while not self._q.empty():
            data = self._q.get().encode()
            if self._base == NetconfBase.BASE_11:
                self._channel.sendall(b"\n#%i\n%s%s" % (len(data), data, END_DELIM))
            else:
                self._channel.sendall(data + MSG_DELIM)

    def _receive(self) -> bool:
        data = self._transport_read()
        if not data:
            if self._closing.is_set():
                return False
            raise SessionCloseError(self._buffer.getvalue())
        try:
            self.parser.parse(data)
        except SAXFilterXMLNotFoundError:
            self.parser = DefaultXMLParser(self)
            self.parser.parse(data)
        return True

    def _close_wake(self) -> None:
        self._wake_reader.close()
        self._wake_writer.close()

    def _wake(self) -> None:
        # A full pipe means a wake-up is pending already; a closed one that the loop has ended.
        with suppress(BlockingIOError, OSError):
            self._wake_writer.send(b"\0")
