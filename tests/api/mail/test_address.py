"""Whom an order says to write to; nothing that is no plain address ever reaches a mail server."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.mail.address import is_address, recipient

GOOD = ["ada@example.net", "a.b+c@sub.example.net", "x@a-b.example", f"{'a' * 64}@example.net"]
BAD: list[object] = [
    *("", "ada", "ada@", "@example.net", "ada@example", "a b@example.net", "ada@exa mple.net", "ada@example.net "),
    *("ada@example.net\n", "ada@example.net\r\nBcc: eve@example.net", "ada@example.net,eve@example.net"),
    *("Ada <ada@example.net>", '"ada x"@example.net', "ada@[127.0.0.1]", "ada..b@example.net", ".ada@example.net"),
    *("ada@-x.example", "ädä@example.net", "ada@exämple.net", "ada\x00@example.net", f"{'a' * 65}@example.net"),
    *(f"ada@{'x' * 64}.net", f"a@{'b.' * 130}net", None, 7, ["ada@example.net"]),
]


@pytest.mark.parametrize("text", GOOD)
def test_an_address(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize("text", BAD, ids=repr)
def test_no_address(text: object) -> None:
    assert not is_address(text)


@given(st.text(), st.sampled_from('\r\n\t ,;:<>"\\\x00\x7f\u2028'), st.text())
def test_nothing_that_could_end_a_header_is_an_address(before: str, evil: str, after: str) -> None:
    assert not is_address(f"{before}{evil}{after}")


def medium(address: Any, **more: Any) -> dict[str, Any]:
    return {"mediumType": "email", "characteristic": {"emailAddress": address}, **more}


def party(role: str, *mediums: Any) -> dict[str, Any]:
    return {"id": role, "role": role, "contactMedium": list(mediums)}


ORDERS: dict[str, tuple[dict[str, Any], str]] = {
    "the contact": (
        {"notificationContact": "a@x.net", "relatedParty": [party("customer", medium("b@x.net"))]},
        "a@x.net",
    ),
    "a telephone number": ({"notificationContact": "+49 30 1"}, ""),
    "the customer's": (
        {"relatedParty": [party("seller", medium("s@x.net")), party("customer", medium("c@x.net"))]},
        "c@x.net",
    ),
    "somebody's": ({"relatedParty": [party("customer"), party("seller", medium("s@x.net"))]}, "s@x.net"),
    "the preferred": (
        {"relatedParty": [party("customer", medium("a@x.net"), medium("b@x.net", preferred=True))]},
        "b@x.net",
    ),
    "a letter box": ({"relatedParty": [party("customer", medium("a@x.net", mediumType="postalAddress"))]}, ""),
    "nonsense": (
        {"relatedParty": [7, {"contactMedium": "x"}, party("customer", 7, medium(["a@x.net"]), {"mediumType": 1})]},
        "",
    ),
    "nobody": ({}, ""),
}


@pytest.mark.parametrize(("order", "address"), ORDERS.values(), ids=ORDERS)
def test_who_is_written_to(order: dict[str, Any], address: str) -> None:
    assert recipient(order) == address
