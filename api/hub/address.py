"""Where a callback may lead: never into the operator's own network, unless the settings say so.

An API that posts to addresses its callers choose can be made to talk to what only the server can reach: its own
loopback, the management network, a cloud's metadata service. So every address a name resolves to is checked, when a
subscription is made and again for each connection, which goes to the very address that was checked.
"""

import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from api.errors import CallbackRefused

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

MAX_URL = 2000
_LEGAL = "http://host[:port][/path] or https://…, without user, password, query or fragment"
_PRINTABLE = re.compile(r"[!-~]+")
_NAT64: Final = IPv6Network("64:ff9b::/96")
# The registries of special-purpose addresses (RFC 6890 and its updates); Python's own is_global moved between releases.
_SPECIAL: Final[Sequence[Network]] = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/8", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16"),
        *("fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressGuard:
    """Decides which addresses may be connected to; ``allow`` opens networks that are closed by default."""

    allow: Sequence[Network] = ()

    def check_callback(self, callback: str) -> None:
        """Return where ``callback`` may be used.

        Raises:
            CallbackRefused: it is no plain http or https URL, its host does not resolve, or leads where it may not.
        """
        parts = _split(callback)
        self.resolve(str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80))

    def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of ``host``, each of them checked.

        Raises:
            CallbackRefused: the host has no address, or one that is refused.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise CallbackRefused(f"host {host!r} has no address: {error}") from error
        addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
        for address in addresses:
            self.check(address, host)
        return addresses

    def check(self, address: str, host: str) -> None:
        """Return where connections to ``address`` are allowed.

        Raises:
            CallbackRefused: it is loopback, private, link-local, multicast or otherwise reserved.
        """
        for meant in _meanings(ip_address(address)):
            if any(meant in network for network in self.allow):
                continue
            if any(meant in network for network in _SPECIAL) or not meant.is_global:
                raise CallbackRefused(
                    f"host {host!r}: {address} is not a public address; "
                    "an operator allows networks of his own with LASTMILE_HUB_ALLOW (CIDR, comma separated)"
                )


def _split(callback: str) -> SplitResult:
    if len(callback) > MAX_URL or not _PRINTABLE.fullmatch(callback) or "\\" in callback:
        raise CallbackRefused(f"not an ASCII URL of 1 to {MAX_URL} characters; legal: {_LEGAL}")
    try:
        parts = urlsplit(callback)
        port = parts.port
    except ValueError as error:
        raise CallbackRefused(f"{callback!r}: {error}; legal: {_LEGAL}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise CallbackRefused(f"{callback!r}; legal: {_LEGAL}")
    if "@" in parts.netloc:
        # Not quoted in the message: it would carry the password into logs.
        raise CallbackRefused(f"a user or password in the URL; legal: {_LEGAL}")
    if "?" in callback or "#" in callback:
        raise CallbackRefused(f"{callback!r} has a query or a fragment; legal: {_LEGAL}")
    return parts


def _meanings(address: Address) -> Iterator[Address]:
    """Yield the address that packets reach in the end: IPv6 can carry an IPv4 address inside."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    else:
        yield address
        if address.sixtofour is not None:
            yield address.sixtofour
