"""Whom an order says to write to, and whether that is an address at all. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from inventory.documents import Document

LONGEST: Final = 254
CUSTOMER: Final = "customer"
# What every mail server understands; quoted names, comments and address literals are legal and never meant.
_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"(?P<local>{_LOCAL})@{_LABEL}(?:\.{_LABEL})+")
_LONGEST_LOCAL: Final = 64


def is_address(text: object) -> bool:
    """Say whether ``text`` is one plain e-mail address: nothing before it, after it, or between."""
    if not isinstance(text, str) or len(text) > LONGEST:
        return False
    found = _ADDRESS.fullmatch(text)
    return found is not None and len(found["local"]) <= _LONGEST_LOCAL


def recipient(order: Document) -> str:
    """Return the address to write to; empty where the order names none that can be used.

    ``notificationContact`` (TMF622), else the preferred e-mail ``contactMedium`` (TMF632) of a related party, the
    customer's before anybody else's.
    """
    contact = order.get("notificationContact")
    if is_address(contact):
        return str(contact)
    parties = sorted(_objects(order.get("relatedParty")), key=lambda party: party.get("role") != CUSTOMER)
    return next((address for party in parties for address in _addresses(party)), "")


def _addresses(party: Mapping[str, Any]) -> Iterator[str]:
    mediums = [each for each in _objects(party.get("contactMedium")) if "mail" in str(each.get("mediumType")).lower()]
    mediums.sort(key=lambda medium: medium.get("preferred") is not True)
    for medium in mediums:
        characteristic = medium.get("characteristic")
        found = characteristic.get("emailAddress") if isinstance(characteristic, Mapping) else None
        if is_address(found):
            yield str(found)


def _objects(value: object) -> Iterable[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
