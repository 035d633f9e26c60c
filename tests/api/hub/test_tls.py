"""Deliveries over TLS: the connection goes to a checked address, the certificate must be good for the name."""

import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from api.hub.address import AddressGuard
from api.hub.post import Answer, HttpPost
from tests.api.hub.subscriber import subscribed_system
from tests.certificates import certificate

LOOPBACK = AddressGuard(allow=(ipaddress.ip_network("127.0.0.0/8"),))


def _posted(monkeypatch: pytest.MonkeyPatch, certificate: Path, *, trusted: bool) -> tuple[Answer, int]:
    real = socket.getaddrinfo

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host == "shop.example" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with subscribed_system(tls=context) as subscriber:
        post = HttpPost(guard=LOOPBACK, timeout_s=5.0)
        port = subscriber.url.rsplit(":", 1)[1]
        answer = post(f"https://shop.example:{port}/listener/x", b"{}")
        post.close()
        return answer, len(subscriber.accepted)


def test_a_trusted_certificate_for_the_name_is_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer, received = _posted(monkeypatch, certificate(tmp_path, "shop.example"), trusted=True)
    assert (answer.accepted, received) == (True, 1)


@pytest.mark.parametrize(("name", "trusted"), [("shop.example", False), ("other.example", True)])
def test_any_other_certificate_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, *, trusted: bool
) -> None:
    answer, received = _posted(monkeypatch, certificate(tmp_path, name), trusted=trusted)
    assert (answer.accepted, answer.reached, received) == (False, False, 0)
    assert "certificate verify failed" in answer.reason
