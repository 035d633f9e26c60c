"""Arista EOS with NAPALM over eAPI: the same configuration sessions, each command a request over HTTPS."""

import json
import ssl
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPResponse, HTTPSConnection
from typing import Any, Final

from napalm.base.exceptions import NapalmException
from pyeapi.client import Node
from pyeapi.eapilib import CommandError, EapiConnection
from pyeapi.eapilib import ConnectionError as EapiConnectionError

from activation.contracts import Driver, PlatformRules
from activation.drivers.eos_napalm import LOST, Eos, EosDriver
from activation.drivers.foreign_work import discards_foreign
from activation.drivers.ssh_profile import fingerprint
from activation.errors import DeviceUnreachable, HostKeyRefused
from activation.terminal import TerminalRules
from inventory.model import Device

CHEAPEST: Final = "show hostname"
LONGEST_WORDS: Final = 200


class PinnedHttps(HTTPSConnection):
    """A connection to a switch that must show the certificate it showed first, before it gets to know the password.

    A switch signs its certificate itself: there is no authority to ask, as with SSH host keys.
    """

    def __init__(self, device: Device) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        super().__init__(device.address, device.port, timeout=device.timeout_s, context=context)
        self._record = device
        self.shown = ""

    def connect(self) -> None:
        """Connect.

        Raises:
            HostKeyRefused: another certificate is known.
        """
        super().connect()
        certificate = self.sock.getpeercert(binary_form=True) if isinstance(self.sock, ssl.SSLSocket) else None
        self.shown = fingerprint(certificate or b"")
        if self._record.host_key not in {"", self.shown}:
            self.close()
            raise HostKeyRefused(self._record.name, known=self._record.host_key, shown=self.shown)

    def getresponse(self) -> HTTPResponse:
        """Return the switch's answer.

        Raises:
            OSError: it is another than an answer or a refused login, with the switch's own words, which pyeapi drops.
        """
        answer = super().getresponse()
        if answer.status not in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED}:
            words = answer.read(LONGEST_WORDS).decode(errors="replace")
            raise OSError(f"HTTP {answer.status} {answer.reason}: {words}")
        return answer


class PinnedEapi(EapiConnection):  # type: ignore[misc]  # pyeapi ships no types
    """pyeapi over a :class:`PinnedHttps`."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self.transport: PinnedHttps = PinnedHttps(device)
        self.authentication(device.username, device.password)

    def send(self, data: str) -> Any:  # noqa: ANN401  # JSON
        """Return the switch's answer to a request.

        Raises:
            EapiConnectionError: there is none, or it is no JSON: then with what came instead.
            CommandError: the switch says no.
        """
        try:
            return super().send(data)
        except EapiConnectionError as lost:
            if isinstance(self.error, json.JSONDecodeError):
                came = self.error.doc[:LONGEST_WORDS]
                raise EapiConnectionError(str(self), f"the answer is no JSON but {came!r}") from lost
            raise


class HttpsEos(Eos):
    """NAPALM's driver over eAPI."""

    def __init__(self, device: Device, terminal: TerminalRules, *, discards_foreign: bool = False) -> None:
        super().__init__(device, terminal, "https", discards_foreign=discards_foreign)
        self._connection = PinnedEapi(device)
        self.device = Node(self._connection)
        self._is_open = True

    @property
    def host_key(self) -> str:
        """The fingerprint of the certificate that the switch showed."""
        return self._connection.transport.shown

    def run_text(self, command: str) -> str:
        """Return what the switch prints for ``command``."""
        return str(self._run_commands([command], encoding="text")[0]["output"])

    def printed(self, command: str) -> str:
        """Return what the switch prints for ``command``, a refusal too."""
        try:
            return self.run_text(command)
        except CommandError as error:
            return str(error)

    def is_open(self) -> bool:
        """Say whether nobody hung up: each request may be a connection of its own."""
        return self._is_open

    def ping(self) -> None:
        """Ask for next to nothing."""
        self.run_text(CHEAPEST)

    def hang_up(self) -> None:
        """End the connection; from now on every request fails."""
        self._is_open = False
        self._connection.transport.close()

    def _run_commands(self, commands: list[str], **kwargs: object) -> list[dict[str, object]]:
        if not self._is_open:
            raise OSError("the session is closed")
        answers: list[dict[str, object]] = super()._run_commands(commands, **kwargs)
        return answers


def open_eapi(device: Device, rules: PlatformRules) -> Driver:
    """Connect to ``device`` and return its session.

    Raises:
        DeviceUnreachable: with the address, the port and the reason.
    """
    session = HttpsEos(device, rules.terminal, discards_foreign=discards_foreign(device, rules))
    try:
        session.open()
    except (*LOST, NapalmException) as error:
        with suppress(*LOST):
            session.hang_up()
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DeviceUnreachable(device.name, "connect", f"{device.address}:{device.port}: {reason}") from error
    return EosDriver(device.name, session, rules)
