import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.embedded.netconf_framing import Deframer, FramingError, frame

# XML messages end in ">", so none can run into the end-of-message mark.
MESSAGES = st.lists(st.binary(max_size=200).map(lambda data: data.replace(b"]", b"") + b">"), max_size=4)


def received(wire: bytes, cuts: list[int], *, chunked: bool) -> list[bytes]:
    deframer = Deframer()
    deframer.chunked = chunked
    messages: list[bytes] = []
    marks = sorted({0, len(wire), *(cut % (len(wire) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(marks):
        deframer.feed(wire[start:end])
        while (message := deframer.next_message()) is not None:
            messages.append(message)
    return messages


@pytest.mark.parametrize("chunked", [False, True], ids=["end-of-message", "chunked"])
@given(messages=MESSAGES, cuts=st.lists(st.integers(0, 2000), max_size=8))
def test_any_cut_of_the_stream_gives_the_same(messages: list[bytes], cuts: list[int], *, chunked: bool) -> None:
    wire = b"".join(frame(message, chunked=chunked) for message in messages)
    assert received(wire, cuts, chunked=chunked) == messages


def test_a_message_may_come_in_several_chunks() -> None:
    assert received(b"\n#2\nab\n#1\nc\n##\n", [3, 5, 9], chunked=True) == [b"abc"]


@pytest.mark.parametrize("wire", [b"<rpc/>", b"\n#0\n", b"\n#x\n1234567890", b"\n#12345678901\nx", b"ab"])
def test_broken_chunks_are_refused(wire: bytes) -> None:
    deframer = Deframer()
    deframer.chunked = True
    deframer.feed(wire + b" " * 20)
    with pytest.raises(FramingError, match="no chunk header"):
        deframer.next_message()
