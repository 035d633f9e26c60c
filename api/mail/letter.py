"""The words of an e-mail: Jinja2 templates, an operator's before the shipped ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    select_autoescape,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from api.errors import MailRefused
from inventory.documents import Document

SHIPPED: Final = Path(__file__).parent / "texts"
LONGEST_SUBJECT: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """From whom, to whom, and under which number."""

    sender: str
    recipient: str
    message_id: str
    sent_at: Any


@dataclass(slots=True, kw_only=True)
class Letters:
    """Writes letters from ``<folder>/<state>.subject.j2``, ``.txt.j2`` and, where there is one, ``.html.j2``.

    Attributes:
        folder: an operator's own templates; what is not there is taken from those shipped.
    """

    folder: Path | None = None
    _environment: ImmutableSandboxedEnvironment = field(init=False)

    def __post_init__(self) -> None:
        folders = [SHIPPED] if self.folder is None else [self.folder, SHIPPED]
        self._environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([FileSystemLoader(each) for each in folders]),
            autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def write(self, order: Document, envelope: Envelope) -> EmailMessage:
        """Return the letter about ``order`` as it stands.

        Raises:
            MailRefused: no template for this state, or one that fails; says which and why.
        """
        state = str(order["state"])
        values = {"order": order, "items": order.get("productOrderItem", ()), "state": state}
        message = EmailMessage(policy=SMTP)
        try:
            # Whatever an order says, a subject is one line: a line break would begin a header of somebody else's.
            subject = " ".join(self._text(f"{state}.subject.j2", values).split())
            message["Subject"] = "".join(each for each in subject if each.isprintable())[:LONGEST_SUBJECT]
            message["From"], message["To"] = envelope.sender, envelope.recipient
            message["Date"] = format_datetime(envelope.sent_at)
            message["Message-ID"] = envelope.message_id
            # Whoever is away need not tell a machine so.
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(self._text(f"{state}.txt.j2", values))
            if (html := self._text(f"{state}.html.j2", values, default="")) != "":
                message.add_alternative(html, subtype="html")
        except (MessageError, ValueError) as error:
            raise MailRefused(f"the letter about order {order['id']} cannot be written: {error}") from error
        return message

    def _text(self, name: str, values: Mapping[str, Any], *, default: str | None = None) -> str:
        try:
            return self._environment.get_template(name).render(values)
        except TemplateNotFound as error:
            if default is not None and error.name == name:
                return default
            raise MailRefused(f"{name}: no such template") from error
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise MailRefused(f"{name}: {error}") from error
