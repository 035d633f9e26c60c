"""Server-side request forgery: what a callback may look like, and where it may lead."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest

from api.errors import CallbackRefused
from api.hub.address import AddressGuard

CLOSED = AddressGuard()
LOOPBACK_OPEN = AddressGuard(allow=(ipaddress.ip_network("127.0.0.0/8"),))

REFUSED_EVERYWHERE = {
    "loopback": "http://127.0.0.1/",
    "loopback, another": "http://127.8.9.10:8080/x",
    "loopback name": "http://localhost/",
    "loopback name, upper case": "http://LOCALHOST/",
    "loopback name with a dot": "http://localhost./",
    "decimal": "http://2130706433/",
    "hexadecimal": "http://0x7f000001/",
    "hexadecimal parts": "http://0x7f.0x0.0x0.0x1/",
    "octal": "http://0177.0.0.1/",
    "octal in one": "http://017700000001/",
    "two parts": "http://127.1/",
    "unspecified": "http://0.0.0.0/",
    "unspecified in one": "http://0/",
    "private 10": "http://10.1.2.3/",
    "private 172": "http://172.31.255.1/",
    "private 192": "http://192.168.1.1/",
    "carrier-grade NAT": "http://100.64.0.1/",
    "cloud metadata": "http://169.254.169.254/latest/meta-data",
    "multicast": "http://224.0.0.1/",
    "broadcast": "http://255.255.255.255/",
    "documentation": "http://192.0.2.1/",
    "benchmark": "http://198.18.0.1/",
    "IPv6 loopback": "http://[::1]/",
    "IPv6 unspecified": "http://[::]/",
    "IPv6 mapped": "http://[::ffff:127.0.0.1]/",
    "IPv6 mapped, hexadecimal": "http://[::ffff:7f00:1]/",
    "IPv6 compatible": "http://[::127.0.0.1]/",
    "IPv6 over NAT64": "http://[64:ff9b::7f00:1]/",
    "IPv6 over 6to4": "http://[2002:7f00:1::1]/",
    "IPv6 Teredo": "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "IPv6 link-local": "http://[fe80::1]/",
    "IPv6 unique local": "http://[fd00::1]/",
    "IPv6 multicast": "http://[ff02::1]/",
    "no such name": "http://nobody.invalid/",
}

NO_PLAIN_URL = {
    "no scheme": "example.org/callback",
    "no host": "http:///callback",
    "file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1:25/",
    "user": "http://admin@93.184.216.34/",
    "user and password": "http://admin:secret@93.184.216.34/",
    "host hidden behind a user": "http://93.184.216.34@127.0.0.1/",
    "empty user": "http://@93.184.216.34/",
    "query": "http://93.184.216.34/?next=",
    "fragment": "http://93.184.216.34/#top",
    "blank": "http://93.184.216.34/a b",
    "line break": "http://93.184.216.34/\r\nHost: other",
    "tab in the host": "http://127.\t0.0.1/",
    "backslash": "http://93.184.216.34\\@127.0.0.1/",
    "full-width digits": "http://①②⑦.⓪.⓪.①/",
    "port out of range": "http://93.184.216.34:70000/",
    "port 0": "http://93.184.216.34:0/",
    "port no number": "http://93.184.216.34:http/",
    "broken IPv6": "http://[::1/",
    "empty": "",
    "endless": "http://93.184.216.34/" + "a" * 3000,
}


@pytest.mark.parametrize("callback", REFUSED_EVERYWHERE.values(), ids=REFUSED_EVERYWHERE)
def test_an_address_inside_is_refused_however_it_is_written(callback: str) -> None:
    with pytest.raises(CallbackRefused, match=r"^host "):
        CLOSED.check_callback(callback)


@pytest.mark.parametrize("callback", NO_PLAIN_URL.values(), ids=NO_PLAIN_URL)
def test_a_callback_that_is_no_plain_url_is_refused(callback: str) -> None:
    with pytest.raises(CallbackRefused, match="legal: http"):
        LOOPBACK_OPEN.check_callback(callback)


def test_a_password_is_not_repeated_in_the_refusal() -> None:
    with pytest.raises(CallbackRefused) as refused:
        CLOSED.check_callback("https://admin:hunter2@example.org/")
    assert "hunter2" not in str(refused.value)


PUBLIC = ("http://93.184.216.34/", "https://1.1.1.1:8443/tmf", "http://[2606:4700:4700::1111]/", "HTTP://8.8.8.8")


@pytest.mark.parametrize("callback", PUBLIC)
def test_a_public_address_is_taken(callback: str) -> None:
    CLOSED.check_callback(callback)


@pytest.mark.parametrize(
    "callback", ["http://127.0.0.1:9000/x", "http://localhost:9000", "http://2130706433", "http://[::ffff:127.0.0.1]"]
)
def test_an_allowed_network_is_open_and_no_other(callback: str) -> None:
    LOOPBACK_OPEN.check_callback(callback)
    with pytest.raises(CallbackRefused, match="LASTMILE_HUB_ALLOW"):
        LOOPBACK_OPEN.check_callback("http://10.0.0.1/")


def _answering(*addresses: str) -> Callable[..., list[Any]]:
    return lambda *_, **__: [(0, 0, 0, "", (each, 80)) for each in addresses]


def test_one_bad_address_among_good_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answering("93.184.216.34", "10.0.0.7"))
    with pytest.raises(CallbackRefused, match=r"10\.0\.0\.7"):
        CLOSED.check_callback("http://mixed.example/")
