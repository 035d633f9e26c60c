"""Letters: shipped and an operator's own words, one line of subject, whatever an order says."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.errors import MailRefused
from api.mail.letter import SHIPPED, Envelope, Letters

ENVELOPE = Envelope(
    sender="noc@example.net",
    recipient="ada@example.net",
    message_id="<1@example.net>",
    sent_at=datetime(2026, 1, 2, tzinfo=UTC),
)


def order(state: str = "completed", **more: Any) -> dict[str, Any]:
    item = {"id": "1", "action": "add", "productOffering": {"id": "fibre-100"}}
    return {"id": "po-1", "state": state, "description": "New connection", "productOrderItem": [item], **more}


@pytest.mark.parametrize("state", ["completed", "failed", "partial", "cancelled"])
def test_every_end_has_words(state: str) -> None:
    message = Letters().write(order(state), ENVELOPE)
    assert "po-1" in message["Subject"]
    assert "po-1 (New connection)" in message.get_content()
    assert (message["From"], message["To"]) == ("noc@example.net", "ada@example.net")
    assert message["Auto-Submitted"] == "auto-generated"


def test_an_order_of_few_words_is_enough() -> None:
    bare = {"id": "po-1", "state": "completed", "productOrderItem": [{"id": "1", "action": "delete"}]}
    assert "1. ended" in Letters().write(bare, ENVELOPE).get_content()


def test_a_subject_is_one_line_whatever_an_order_says() -> None:
    message = Letters().write(order(externalId="x\r\nBcc: eve@example.net\r\n\r\nbody\x00\x1b[2J"), ENVELOPE)
    assert message["Bcc"] is None
    head = message.as_bytes().split(b"\r\n\r\n", 1)[0]
    assert not [line for line in head.split(b"\r\n") if line.lower().startswith(b"bcc")]
    assert "\x1b" not in message["Subject"]


def test_an_operators_words_come_first(tmp_path: Path) -> None:
    (tmp_path / "completed.subject.j2").write_text("Fertig: {{ order.id }}", encoding="utf-8")
    (tmp_path / "completed.html.j2").write_text("<p>{{ order.description }}</p>", encoding="utf-8")
    message = Letters(folder=tmp_path).write(order(description="<script>x</script>"), ENVELOPE)
    assert message["Subject"] == "Fertig: po-1"
    text, html = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert html.get_content() == "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"


BROKEN = {
    "an unknown word": "{{ order.colour.shade }}",
    "no template": "{% if %}",
    "a way out": "{{ order.__class__.__mro__ }}",
    "the wrong type": "{{ 1 / 0 }}",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_template_that_fails_names_itself(tmp_path: Path, text: str) -> None:
    (tmp_path / "completed.txt.j2").write_text(text, encoding="utf-8")
    with pytest.raises(MailRefused, match=r"completed\.txt\.j2"):
        Letters(folder=tmp_path).write(order(), ENVELOPE)


def test_a_state_without_words_is_refused() -> None:
    with pytest.raises(MailRefused, match=r"held\.subject\.j2: no such template"):
        Letters().write(order("held"), ENVELOPE)
    assert SHIPPED.is_dir()
