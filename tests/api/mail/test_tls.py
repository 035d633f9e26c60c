"""E-mails over TLS to a real mail server: STARTTLS, and from the first byte.

No letter, and no password, goes where the certificate is not the server's.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from api.mail.post import Fate, Server, post
from tests.certificates import certificate

pytestmark = pytest.mark.lab

ADA: Final = "ada@example.net"
NOC: Final = "noc@example.net"
PASSWORD: Final = "hunter2"
Tls = Literal["starttls", "tls"]


@dataclass(slots=True)
class MailServer:
    """Keeps what it takes from who logs in over TLS."""

    port: int = 0
    taken: list[Any] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as aiosmtpd calls it
        del server
        assert session.authenticated
        assert isinstance(envelope.content, bytes)
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"


def _login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    del server, session, envelope, mechanism
    return AuthResult(success=given == LoginPassword(b"orders", PASSWORD.encode()), handled=False)


@contextmanager
def served(tls: Tls, folder: Path, name: str) -> Iterator[MailServer]:
    """Serve e-mail over TLS with a certificate for ``name``, on a free port of loopback."""
    found = MailServer()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found.port = int(probe.getsockname()[1])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder, name))
    more = {"ssl_context": context} if tls == "tls" else {"tls_context": context, "require_starttls": True}
    # Over TLS from the first byte aiosmtpd does not know that it speaks TLS.
    given: dict[str, Any] = {"authenticator": _login, "auth_required": tls == "starttls"}
    given["auth_require_tls"] = tls == "starttls"
    controller = Controller(found, hostname="127.0.0.1", port=found.port, **more, **given)
    controller.start()
    try:
        yield found
    finally:
        controller.stop()


def posted(server: MailServer, tls: Tls, password: str = PASSWORD) -> tuple[Fate, str]:
    letter = EmailMessage()
    letter["Subject"] = "x"
    letter.set_content("body")
    to = Server(host="localhost", port=server.port, tls=tls, username="orders", password=password, timeout_s=20.0)
    return post(to, letter, sender=NOC, recipient=ADA)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_letter_goes_over_tls_to_who_has_the_right_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tls: Tls
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path, "localhost")))
    with served(tls, tmp_path, "localhost") as server:
        assert posted(server, tls) == (Fate.TAKEN, "")
        assert [each["Subject"] for each in server.taken] == ["x"]
        fate, reason = posted(server, tls, "guessed")
        assert (fate, reason[:3], len(server.taken)) == (Fate.AGAIN, "535", 1), reason


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize(("name", "trusted"), [("localhost", False), ("other.example", True)])
def test_any_other_certificate_gets_no_letter_and_no_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tls: Tls, name: str, *, trusted: bool
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path, name)))
    with served(tls, tmp_path, name) as server:
        fate, reason = posted(server, tls)
        assert (fate, server.taken) == (Fate.AGAIN, [])
        assert "certificate verify failed" in reason
