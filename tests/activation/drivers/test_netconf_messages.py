import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from activation.drivers import netconf_messages as say
from activation.drivers.netconf_framing import BadFraming, Deframer, framed
from activation.drivers.netconf_messages import NotNetconf

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
MESSAGES = st.lists(st.binary(min_size=1, max_size=200).filter(lambda data: b"]]>" not in data), max_size=8)


@given(messages=MESSAGES, chunked=st.booleans(), cut=st.integers(min_value=1, max_value=50))
def test_messages_come_out_as_they_went_in_however_they_were_cut(
    messages: list[bytes],
    chunked: bool,  # noqa: FBT001  # hypothesis passes it by name
    cut: int,
) -> None:
    stream = b"".join(framed(message, chunked=chunked) for message in messages)
    deframer = Deframer()
    deframer.chunked = chunked

    found = [message for start in range(0, len(stream), cut) for message in deframer.feed(stream[start : start + cut])]

    if chunked or not any(message.endswith(b"]") for message in messages):
        assert found == messages


@pytest.mark.parametrize("garbage", [b"<rpc-reply/>]]>]]>", b"\n#x\nabcdefghij", b"\n#0\nabcdefghijkl"])
def test_what_is_no_chunk_ends_the_session_with_what_came(garbage: bytes) -> None:
    deframer = Deframer()
    deframer.chunked = True
    with pytest.raises(BadFraming, match="no chunk where one is due"):
        list(deframer.feed(garbage))


def test_every_error_of_a_reply_is_told_and_warnings_are_none() -> None:
    errors = "".join(
        f"<rpc-error><error-tag>t{n}</error-tag><error-severity>{severity}</error-severity>"
        f"<error-path>/p{n}</error-path><error-message>no {n}</error-message></rpc-error>"
        for n, severity in enumerate(("error", "warning", "error"))
    )
    reply = say.parse_reply(f'<rpc-reply xmlns="{BASE}" message-id="4">{errors}</rpc-reply>'.encode(), 4)

    assert reply.reason == "no 0 at /p0; no 2 at /p2"


def test_holder_of_a_lock_is_read() -> None:
    info = "<error-info><session-id>17</session-id></error-info>"
    error = f"<rpc-error><error-tag>lock-denied</error-tag>{info}</rpc-error>"
    (only,) = say.parse_reply(f'<rpc-reply xmlns="{BASE}">{error}</rpc-reply>'.encode()).errors

    assert (only.tag, only.holder, str(only)) == ("lock-denied", "17", "lock-denied")


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"<rpc-reply", "no XML"),
        (f'<hello xmlns="{BASE}"/>'.encode(), "answers <hello> instead of <rpc-reply>"),
        (f'<rpc-reply xmlns="{BASE}" message-id="3"/>'.encode(), "answers message '3' where 4 is due"),
    ],
)
def test_what_is_no_answer_is_refused(message: bytes, words: str) -> None:
    with pytest.raises(NotNetconf, match=words):
        say.parse_reply(message, 4)


def test_device_cannot_make_us_read_files() -> None:
    entity = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
    bomb = f'{entity}<rpc-reply xmlns="{BASE}"><data>&e;</data></rpc-reply>'
    data = say.parse_reply(bomb.encode()).data

    assert data is not None
    assert not data.text


def test_operation_is_named_in_the_base_namespace() -> None:
    root = etree.fromstring(say.rpc(7, say.confirmed_commit("lm-<1>", 60)))

    assert root.get("message-id") == "7"
    assert root.findtext(f"{{{BASE}}}commit/{{{BASE}}}persist") == "lm-<1>"
