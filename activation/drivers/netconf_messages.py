"""What is said over NETCONF: operations as text, and what the device answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from activation.drivers.netconf_filter import BASE_NAMESPACE, subtree_filter
from activation.model import Path

BASE_1_0: Final = "urn:ietf:params:netconf:base:1.0"
BASE_1_1: Final = "urn:ietf:params:netconf:base:1.1"
CAPABILITY: Final = "urn:ietf:params:netconf:capability:"
LOCK_DENIED: Final = "lock-denied"
IN_USE: Final = "in-use"
ASKED_AGAIN: Final = 64
"""Reads that are remembered: what a plan reads is read again after the commit. That of a large plan has megabytes."""
_BASE: Final = f"{{{BASE_NAMESPACE}}}"
_ERROR: Final = b"rpc-error"

DISCARD: Final = "<discard-changes/>"
CLOSE: Final = "<close-session/>"
COMMIT: Final = "<commit/>"
VALIDATE: Final = "<validate><source><candidate/></source></validate>"
SAVE: Final = "<copy-config><target><startup/></target><source><running/></source></copy-config>"
NOTHING: Final = '<get-config><source><running/></source><filter type="subtree"/></get-config>'
"""The cheapest question there is: an empty filter selects nothing."""


class NotNetconf(Exception):
    """What came is no NETCONF answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcError:
    """One ``rpc-error``.

    Attributes:
        holder: with a denied lock, the number of the session that holds it.
    """

    tag: str
    message: str = ""
    path: str = ""
    holder: str = ""

    def __str__(self) -> str:
        """Return the reason in the device's own words."""
        parts = (self.message or self.tag, self.path)
        return " at ".join(" ".join(part.split()) for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the device answered to one operation; warnings are no errors."""

    errors: tuple[RpcError, ...] = ()
    data: etree._Element | None = None

    @property
    def reason(self) -> str:
        """All errors in the device's own words."""
        return "; ".join(map(str, self.errors))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """How the device introduced itself."""

    session_id: str
    capabilities: frozenset[str]

    def offers(self, name: str) -> bool:
        """Say whether the device has the capability ``name`` of RFC 6241, in any version or in the one named."""
        wanted = CAPABILITY + name
        return any(each == wanted or each.startswith((wanted + ":", wanted + "?")) for each in self.capabilities)


def rpc(number: int, operation: str) -> bytes:
    """Return ``operation`` as a whole message."""
    return f'<rpc xmlns="{BASE_NAMESPACE}" message-id="{number}">{operation}</rpc>'.encode()


def client_hello() -> bytes:
    """Return our own introduction."""
    offered = "".join(f"<capability>{each}</capability>" for each in (BASE_1_0, BASE_1_1))
    return f'<hello xmlns="{BASE_NAMESPACE}"><capabilities>{offered}</capabilities></hello>'.encode()


def lock(store: str) -> str:
    """Return the operation that locks the datastore ``store``."""
    return f"<lock><target><{store}/></target></lock>"


def unlock(store: str) -> str:
    """Return the operation that unlocks ``store``."""
    return f"<unlock><target><{store}/></target></unlock>"


def kill(session_id: str) -> str:
    """Return the operation that ends another session."""
    return f"<kill-session><session-id>{escape(session_id)}</session-id></kill-session>"


@lru_cache(maxsize=ASKED_AGAIN)
def get_config(touched: tuple[Path, ...]) -> str:
    """Return the operation that reads what of running holds ``touched``; all of it for none."""
    chosen = subtree_filter(touched) if touched else ""
    return f"<get-config><source><running/></source>{chosen}</get-config>"


def get(chosen: str) -> str:
    """Return the operation that reads configuration and state; ``chosen`` goes into the subtree filter."""
    return f'<get><filter type="subtree">{chosen}</filter></get>'


def edit_config(store: str, config: str, *, options: Iterable[tuple[str, str]] = ()) -> str:
    """Return the operation that merges ``config``, a ``<config>`` element, into ``store``."""
    chosen = "".join(f"<{name}>{value}</{name}>" for name, value in options)
    return f"<edit-config><target><{store}/></target>{chosen}{config}</edit-config>"


def confirmed_commit(token: str, timeout_s: int) -> str:
    """Return the commit that undoes itself after ``timeout_s`` unless ``token`` is confirmed."""
    return (
        f"<commit><confirmed/><confirm-timeout>{timeout_s}</confirm-timeout><persist>{escape(token)}</persist></commit>"
    )


def confirming_commit(token: str) -> str:
    """Return the operation that makes the commit named ``token`` permanent."""
    return f"<commit><persist-id>{escape(token)}</persist-id></commit>"


def cancel_commit(token: str) -> str:
    """Return the operation that undoes the commit named ``token``."""
    return f"<cancel-commit><persist-id>{escape(token)}</persist-id></cancel-commit>"


def parse_hello(message: bytes) -> Hello:
    """Return the device's introduction.

    Raises:
        NotNetconf: it is none.
    """
    root = parsed(message)
    if root.tag != f"{_BASE}hello":
        raise NotNetconf(f"the device begins with <{etree.QName(root).localname}> instead of <hello>")
    capabilities = frozenset((each.text or "").strip() for each in root.iter(f"{_BASE}capability"))
    return Hello(session_id=(root.findtext(f"{_BASE}session-id") or "").strip(), capabilities=capabilities)


def parse_reply(message: bytes, number: int | None = None) -> Reply:
    """Return the device's answer, which must be the one to message ``number``.

    Raises:
        NotNetconf: it is none, or the answer to something else.
    """
    root = parsed(message)
    if root.tag != f"{_BASE}rpc-reply":
        raise NotNetconf(f"the device answers <{etree.QName(root).localname}> instead of <rpc-reply>")
    answered = root.get("message-id")
    if number is not None and answered not in {None, str(number)}:
        raise NotNetconf(f"the device answers message {answered!r} where {number} is due")
    if _ERROR not in message:
        return Reply(data=root.find(f"{_BASE}data"))
    found = (_error(each) for each in root.iter(f"{_BASE}rpc-error") if _counts(each))
    return Reply(errors=tuple(found), data=root.find(f"{_BASE}data"))


def config_text(data: etree._Element | None) -> str:
    """Return what ``<data>`` holds as a ``<config>`` element."""
    if data is None:
        return f'<config xmlns="{BASE_NAMESPACE}"/>'
    data.tag = f"{_BASE}config"
    return etree.tostring(data, encoding="unicode", with_tail=False)


def data_text(data: etree._Element | None) -> str:
    """Return ``<data>`` as text."""
    return etree.tostring(data, encoding="unicode") if data is not None else "<data/>"


def parsed(message: bytes) -> etree._Element:
    """Return what a message holds.

    Raises:
        NotNetconf: it is no XML.
    """
    try:
        # A device can be large; it cannot make this platform read files or fetch entities.
        return etree.fromstring(message.strip(), etree.XMLParser(huge_tree=True, resolve_entities=False))
    except etree.XMLSyntaxError as error:
        raise NotNetconf(f"no XML: {error}") from error


def _counts(error: etree._Element) -> bool:
    return (error.findtext(f"{_BASE}error-severity") or "error").strip() != "warning"


def _error(error: etree._Element) -> RpcError:
    def text(name: str) -> str:
        return (error.findtext(f"{_BASE}{name}") or "").strip()

    holder = (error.findtext(f"{_BASE}error-info/{_BASE}session-id") or "").strip()
    return RpcError(tag=text("error-tag"), message=text("error-message"), path=text("error-path"), holder=holder)
