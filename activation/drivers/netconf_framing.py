"""NETCONF messages in a byte stream: ended by a mark (RFC 4742) or cut into chunks (RFC 6242)."""

import re
from collections.abc import Iterator
from typing import Final

END_OF_MESSAGE: Final = b"]]>]]>"
END_OF_CHUNKS: Final = b"\n##\n"
_HEADER: Final = re.compile(rb"\n#(?:([1-9][0-9]{0,9})|#)\n")
_LONGEST_HEADER: Final = len("\n#4294967295\n")
SHOWN_BYTES: Final = 40


class BadFraming(Exception):
    """The device sends what is no NETCONF message; nothing after it can be trusted."""


def framed(message: bytes, *, chunked: bool) -> bytes:
    """Return ``message`` as it goes over the wire."""
    if chunked:
        return b"\n#%d\n%b%b" % (len(message), message, END_OF_CHUNKS)
    return message + END_OF_MESSAGE


class Deframer:
    """Takes bytes as they come and gives whole messages.

    Attributes:
        chunked: how messages are cut; both sides begin without chunks and agree in their hellos.
    """

    def __init__(self) -> None:
        self.chunked = False
        self._buffer = bytearray()
        self._chunks: list[bytes] = []
        self._searched = 0
        self._wanted = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take ``data`` in and yield each message that is whole now.

        Raises:
            BadFraming: with the bytes that are no chunk.
        """
        self._buffer += data
        while (message := self._chunked() if self.chunked else self._plain()) is not None:
            yield message

    def _plain(self) -> bytes | None:
        end = self._buffer.find(END_OF_MESSAGE, self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - len(END_OF_MESSAGE))
            return None
        message = bytes(self._buffer[:end])
        del self._buffer[: end + len(END_OF_MESSAGE)]
        self._searched = 0
        return message

    def _chunked(self) -> bytes | None:
        while True:
            if self._wanted > len(self._buffer):
                return None
            if self._wanted:
                self._chunks.append(bytes(self._buffer[: self._wanted]))
                del self._buffer[: self._wanted]
                self._wanted = 0
            header = _HEADER.match(self._buffer)
            if header is None:
                self._refuse_garbage()
                return None
            size, end = header[1], header.end()  # The match looks into the buffer, which changes now.
            del self._buffer[:end]
            if size is None:
                message = b"".join(self._chunks)
                self._chunks.clear()
                return message
            self._wanted = int(size)

    def _refuse_garbage(self) -> None:
        start = bytes(self._buffer[:_LONGEST_HEADER])
        if len(start) >= _LONGEST_HEADER or not b"\n#".startswith(start[:2]):
            raise BadFraming(f"no chunk where one is due: {bytes(self._buffer[:SHOWN_BYTES])!r}")
