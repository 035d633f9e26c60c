"""One e-mail over SMTP, and what the mail server said."""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import Enum
from typing import Final, Literal

TIMEOUT_S: Final = 20.0
PERMANENT: Final = 500
_SHOWN_CHARACTERS: Final = 300

Tls = Literal["none", "starttls", "tls"]


class Fate(Enum):
    """What became of one attempt."""

    TAKEN = "taken"
    AGAIN = "again"
    """Not now; or the answer was lost, and it may have been taken."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A mail server.

    Attributes:
        tls: ``tls`` from the first byte, ``starttls`` before anything else is said, or none.
    """

    host: str
    port: int
    tls: Tls = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    timeout_s: float = TIMEOUT_S


def post(server: Server, message: EmailMessage, *, sender: str, recipient: str) -> tuple[Fate, str]:
    """Hand ``message`` to the server; return what became of it and why.

    Never raises for what the network or the server does. With TLS, a certificate that is not the server's ends it.
    """
    try:
        smtp = _connected(server)
        try:
            smtp.send_message(message, from_addr=sender, to_addrs=[recipient])
        except BaseException:
            smtp.close()
            raise
    except smtplib.SMTPRecipientsRefused as error:
        code, said = error.recipients[recipient]
        return _fate(code), _shown(code, said)
    except smtplib.SMTPResponseException as error:
        # A login that is refused is the operator's to mend, and no fault of the letter's.
        fate = Fate.AGAIN if isinstance(error, smtplib.SMTPAuthenticationError) else _fate(error.smtp_code)
        return fate, _shown(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        return Fate.AGAIN, f"{server.host}:{server.port}: {type(error).__name__}: {error}"
    # It is theirs now: that they do not say goodbye changes nothing.
    with suppress(OSError, smtplib.SMTPException):
        smtp.quit()
    return Fate.TAKEN, ""


def _connected(server: Server) -> smtplib.SMTP:
    if server.tls == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=server.timeout_s, context=ssl.create_default_context()
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
    try:
        if server.tls == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        if server.username:
            smtp.login(server.username, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _fate(code: int) -> Fate:
    return Fate.REFUSED if code >= PERMANENT else Fate.AGAIN


def _shown(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    kept = "".join(letter if letter.isprintable() else " " for letter in text)
    return f"{code} {kept}"[:_SHOWN_CHARACTERS].strip()
