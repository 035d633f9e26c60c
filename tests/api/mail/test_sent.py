"""E-mails from an order to a real mail server on loopback, with every mood that a mail server has."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from api.demo import bodies
from api.http.app import create_app
from api.mail.post import Fate, Server, post
from api.mail.routes import MAILS
from api.mail.work import SEND, sending
from api.runtime.worker import Worker
from api.settings import Settings
from orders.product.layer import product_order_store
from tests.api.conftest import Start
from tests.api.http.in_process import InProcess
from tests.api.order_life.stepping import Stepping, stepping

pytestmark = [pytest.mark.db, pytest.mark.lab]

PATIENCE_S = 15.0
ADA = "ada@example.net"
MAIL = {"mail_host": "127.0.0.1", "mail_tls": "none", "mail_sender": "noc@example.net"}


@dataclass(slots=True)
class MailServer:
    """Keeps what it takes; ``moods`` are what it answers next, "" for taking it."""

    moods: list[str] = field(default_factory=list)
    taken: list[Any] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    tries: int = 0
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - as aiosmtpd calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if address in self.refused:
            return "550 5.1.1 no such user\there"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the same
        del session
        self.tries += 1
        mood = self.moods.pop(0) if self.moods else ""
        if mood and mood != "lost":
            return mood
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append((envelope.mail_from, tuple(envelope.rcpt_tos), message_from_bytes(content, policy=default)))
        if mood == "lost":
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return "250 taken"


@pytest.fixture
def server() -> Iterator[MailServer]:
    found = MailServer()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found.port = int(probe.getsockname()[1])
    controller = Controller(found, hostname="127.0.0.1", port=found.port)
    controller.start()
    try:
        yield found
    finally:
        controller.stop()


def until(read: Callable[[], Any]) -> Any:
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := read()):
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.01)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailed:
    """A platform step by step, and the worker that sends its e-mails when it is told to."""

    platform: Stepping
    client: InProcess
    worker: Worker

    def ordered(self, body: dict[str, Any]) -> str:
        order_id = str(self.platform.create("productOrder", body)["id"])
        self.platform.drain()
        return order_id

    def mails(self, state: str = "") -> list[dict[str, Any]]:
        self.worker.run_ready()
        found: list[dict[str, Any]] = self.client.get(f"{MAILS}?state={state}" if state else MAILS).json()
        return found


@contextmanager
def mailed(folder: Path, server: MailServer, **more: object) -> Iterator[Mailed]:
    given: dict[str, object] = {**MAIL, "mail_port": server.port, **more}
    with stepping(folder, **given) as platform:
        work = {SEND: sending(platform.system.settings, product_order_store())}
        worker = Worker(database=platform.system.database, handlers={}, device_handlers=work)
        yield Mailed(platform=platform, client=InProcess(app=create_app(platform.system)), worker=worker)


def order(**more: Any) -> dict[str, Any]:
    return {**bodies.add(), "notificationContact": ADA, **more}


def test_a_completed_order_is_told_once(start: Start, tmp_path: Path, server: MailServer) -> None:
    with start(tmp_path, mail_port=server.port, **MAIL) as platform:
        order_id = platform.client.place(order())
        platform.client.follow(order_id, timeout_s=PATIENCE_S)
        (mail,) = until(lambda: platform.client.get(f"{MAILS}?state=sent"))
        assert (mail["productOrder"], mail["orderState"], mail["recipient"]) == (order_id, "completed", ADA)
    ((sender, recipients, message),) = server.taken
    assert (sender, recipients) == ("noc@example.net", (ADA,))
    assert message["Subject"] == f"Your order {order_id} is completed"
    assert "new: fibre-100" in message.get_content()


def test_nobody_is_told_of_what_is_not_to_be_told(tmp_path: Path, server: MailServer) -> None:
    with mailed(tmp_path, server) as running:
        running.ordered(order(notificationContact="call me"))
        running.ordered({**bodies.add(place_id="ADDR-0000"), "notificationContact": ADA})
        assert running.mails() == []


def test_a_failure_is_told_where_that_is_wanted(tmp_path: Path, server: MailServer) -> None:
    with mailed(tmp_path, server, mail_states="failed") as running:
        running.ordered({**bodies.add(place_id="ADDR-0000"), "notificationContact": ADA})
        until(lambda: running.mails("sent"))
        assert "could not be carried out" in server.taken[0][2]["Subject"]


def test_a_busy_server_is_tried_again(tmp_path: Path, server: MailServer) -> None:
    server.moods[:] = ["451 later"]
    with mailed(tmp_path, server) as running:
        running.ordered(order())
        until(lambda: running.mails("sent"))
        assert (server.tries, len(server.taken)) == (2, 1)


def test_a_lost_answer_may_be_told_twice_under_one_number(tmp_path: Path, server: MailServer) -> None:
    server.moods[:] = ["lost"]
    with mailed(tmp_path, server) as running:
        running.ordered(order())
        until(lambda: running.mails("sent"))
        numbers = {message["Message-ID"] for _, _, message in server.taken}
        assert (len(server.taken), len(numbers)) == (2, 1)


def test_a_refused_address_is_listed_and_sent_again_on_demand(tmp_path: Path, server: MailServer) -> None:
    server.refused.add(ADA)
    with mailed(tmp_path, server) as running:
        running.ordered(order())
        (dead,) = until(lambda: running.mails("dead"))
        assert (dead["recipient"], dead["attempts"]) == (ADA, 1)
        assert dead["reason"].startswith("550 5.1.1 no such user here")
        server.refused.clear()
        again = running.client.post(f"{MAILS}/{dead['id']}/replay", json={})
        assert (again.status_code, again.json()["state"]) == (202, "waiting")
        until(lambda: running.mails("sent"))
        assert running.client.post(f"{MAILS}/{dead['id']}/replay", json={}).status_code == 409
        assert running.client.post(f"{MAILS}/nobody/replay", json={}).status_code == 404
        assert running.client.get(f"{MAILS}?state=lost").status_code == 400
        assert running.client.get(f"{MAILS}?colour=red").status_code == 400


def test_a_server_that_never_answers_is_given_up_in_the_end(tmp_path: Path, server: MailServer) -> None:
    server.moods[:] = ["451 later"] * 5
    with mailed(tmp_path, server, mail_attempts=2) as running:
        running.ordered(order())
        (dead,) = until(lambda: running.mails("dead"))
        assert (dead["attempts"], dead["reason"]) == (2, "451 later")


def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(host="127.0.0.1", port=probe.getsockname()[1], tls="none", timeout_s=1.0)
    fate, reason = post(server, _letter(), sender="noc@example.net", recipient=ADA)
    assert fate is Fate.AGAIN
    assert "Connection refused" in reason


def test_a_server_without_tls_gets_no_letter_where_tls_is_wanted(server: MailServer) -> None:
    wanted = Server(host="127.0.0.1", port=server.port, tls="starttls", timeout_s=5.0)
    fate, reason = post(wanted, _letter(), sender="noc@example.net", recipient=ADA)
    assert (fate, server.taken) == (Fate.AGAIN, [])
    assert "STARTTLS" in reason


def test_the_password_is_not_shown() -> None:
    settings = Settings.read({}, mail_host="h", mail_sender="noc@example.net", mail_password="hunter2")
    assert "hunter2" not in repr(settings) + repr(Server(host="h", port=1, password="hunter2"))


@pytest.mark.parametrize("sender", ["", "noc", "noc@example.net\nBcc: x@example.net", "NOC <noc@example.net>"])
def test_a_sender_that_is_none_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match="is no e-mail address"):
        Settings.read({}, mail_host="h", mail_sender=sender)


def _letter() -> Any:
    return message_from_bytes(b"Subject: x\r\n\r\nbody\r\n", policy=default)


def test_it_is_off_by_default(tmp_path: Path) -> None:
    with stepping(tmp_path) as platform:
        platform.create("productOrder", order())
        platform.drain()
        assert "mail.notice" not in platform.steps
        assert InProcess(app=create_app(platform.system)).get(MAILS).json() == []
