"""NETCONF message framing: end-of-message (RFC 4742) and chunked (RFC 6242)."""

import re
from typing import Final

END_OF_MESSAGE: Final = b"]]>]]>"
END_OF_CHUNKS: Final = b"\n##\n"
_CHUNK_HEADER: Final = re.compile(rb"\n#(?:([1-9][0-9]{0,9})|#)\n")
_LONGEST_HEADER: Final = len("\n#4294967295\n")


class FramingError(Exception):
    """The peer broke the framing; the session cannot go on."""


def frame(message: bytes, *, chunked: bool) -> bytes:
    """Return the message as it goes over the wire."""
    if chunked:
        return b"\n#%d\n%b%b" % (len(message), message, END_OF_CHUNKS)
    return message + END_OF_MESSAGE


class Deframer:
    """Cuts a byte stream into messages. Both sides start with end-of-message framing and may switch after hello."""

    def __init__(self) -> None:
        self.chunked = False
        self._buffer = bytearray()
        self._message = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Take in what was received."""
        self._buffer += data

    def next_message(self) -> bytes | None:
        """Return the next whole message, None when more must be received first.

        Raises:
            FramingError: what was received is no chunk.
        """
        return self._next_chunked() if self.chunked else self._next_plain()

    def _next_plain(self) -> bytes | None:
        end = self._buffer.find(END_OF_MESSAGE, self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - len(END_OF_MESSAGE))
            return None
        message = bytes(self._buffer[:end])
        del self._buffer[: end + len(END_OF_MESSAGE)]
        self._searched = 0
        return message

    def _next_chunked(self) -> bytes | None:
        while True:
            header = _CHUNK_HEADER.match(self._buffer)
            if header is None:
                if len(self._buffer) > _LONGEST_HEADER or not b"\n#".startswith(bytes(self._buffer[:2])):
                    raise FramingError(f"no chunk header where one is due: {bytes(self._buffer[:20])!r}")
                return None
            if header[1] is None:
                del self._buffer[: header.end()]
                message, self._message = bytes(self._message), bytearray()
                return message
            end = header.end() + int(header[1])
            if len(self._buffer) < end:
                return None
            self._message += self._buffer[header.end() : end]
            del self._buffer[:end]
