"""Who hears whom: a word is sent from one host to everybody, and every host says whether it came.

Addresses may overlap, so an answer proves nothing about who answered; here each host listens for itself.
"""

import ctypes
import os
import secrets
import select
import socket
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

from labs.netns.errors import TrafficFailed
from labs.netns.namespaces import PLACES

CLONE_NEWNET: Final = 0x40000000
BROADCAST: Final = "255.255.255.255"
LISTEN_S: Final = 0.6
REPEAT_S: Final = 0.1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def who_hears(speaker: str, addresses: Collection[str], listeners: Collection[str], interface: str) -> frozenset[str]:
    """Return which of the hosts hear what ``speaker`` says to ``addresses`` and to all on its wire.

    Args:
        speaker: its namespace.
        addresses: whom it speaks to, beside everybody on the wire.
        listeners: namespaces.
        interface: the speaker's, for what goes to all.

    Raises:
        TrafficFailed: a namespace cannot be entered.
    """
    word = secrets.token_bytes(16)
    with ExitStack() as stack:
        ears = {name: stack.enter_context(_socket_in(name)) for name in listeners}
        port = _common_port(ears)
        mouth = stack.enter_context(_socket_in(speaker))
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        heard: set[str] = set()
        ends_s = time.monotonic() + LISTEN_S
        while time.monotonic() < ends_s:
            _say(mouth, word, [*addresses, BROADCAST], port, interface)
            heard |= set(_hearing(ears, word))
    return frozenset(heard)


def _common_port(ears: Mapping[str, socket.socket]) -> int:
    """Bind all to one port that is free everywhere: plain hosts listen on nothing of their own up there."""
    port = 40000 + secrets.randbelow(20000)
    for ear in ears.values():
        ear.bind(("", port))
    return port


def _say(mouth: socket.socket, word: bytes, addresses: Collection[str], port: int, interface: str) -> None:
    for address in addresses:
        bound = interface if address == BROADCAST else ""
        mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bound.encode() + b"\0")
        try:
            mouth.sendto(word, (address, port))
        except OSError:
            # No way there: then nobody hears it, which is what is being found out.
            continue


def _hearing(ears: Mapping[str, socket.socket], word: bytes) -> Iterator[str]:
    by_socket = {ear: name for name, ear in ears.items()}
    ends_s = time.monotonic() + REPEAT_S
    while (left_s := ends_s - time.monotonic()) > 0:
        for ear in select.select(list(by_socket), [], [], left_s)[0]:
            if ear.recv(64) == word:
                yield by_socket[ear]


def _enter(namespace: str) -> None:
    with (PLACES / namespace).open(encoding="utf-8") as place:
        if _LIBC.setns(place.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextmanager
def _socket_in(namespace: str) -> Iterator[socket.socket]:
    """Yield a socket that lives in a namespace; made in a thread of its own, which enters it and ends."""
    made: list[socket.socket | OSError] = []

    def enter() -> None:
        try:
            _enter(namespace)
            made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        except OSError as refused:
            made.append(refused)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    (found,) = made
    if isinstance(found, OSError):
        raise TrafficFailed(f"{namespace}: {found}")
    with found:
        yield found
