"""The TCP connection below every SSH session."""

import socket
from typing import Final

from inventory.model import Device

KEEPALIVE: Final = ((socket.TCP_KEEPIDLE, 15), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))
"""A peer that is gone without a word is noticed after half a minute, not at the next order."""


def connected_socket(device: Device) -> socket.socket:
    """Return a socket connected to ``device`` that sends at once and notices a dead peer.

    Raises:
        OSError: no connection within the device's time-out.
    """
    sock = socket.create_connection((device.address, device.port), timeout=device.timeout_s)
    # paramiko leaves Nagle's algorithm on, which costs some 80 ms per connect.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    return sock
