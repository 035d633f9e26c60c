"""What RPCs say: datastores, options, times; what is missing or not legal is refused."""

from typing import Final

from lxml import etree

from labs.embedded.datastore import DEFAULT_CONFIRM_TIMEOUT_S, Store
from labs.embedded.netconf_capabilities import check_offered
from labs.embedded.netconf_messages import tag
from labs.embedded.rpc_error import RpcError, protocol_error

STORES: Final[tuple[Store, ...]] = ("running", "candidate", "startup")


def stores_of(offers: frozenset[str]) -> tuple[Store, ...]:
    """Return the datastores that a device which offers this has."""
    return tuple(store for store in STORES if store == "running" or store in offers)


def store_of(operation: etree._Element, where: str, offers: frozenset[str]) -> Store:
    """Return the datastore that the RPC names as its ``source`` or ``target``.

    Raises:
        RpcError: none, or one that the device does not have.
    """
    parent = operation.find(tag(where))
    if parent is None or len(parent) != 1:
        raise missing(etree.QName(operation).localname, where)
    name = etree.QName(parent[0]).localname
    known = stores_of(offers)
    for store in STORES:
        if parent[0].tag == tag(store):
            check_offered(offers | {"running"}, store, f"the datastore {store}")
            return store
    raise protocol_error("operation-not-supported", f"unknown datastore {name}; known: {', '.join(known)}")


def writable(operation: etree._Element, offers: frozenset[str]) -> Store:
    """Return the target that the RPC wants to change.

    Raises:
        RpcError: it names none, or one that cannot be written directly.
    """
    store = store_of(operation, "target", offers)
    if store == "running" and "writable-running" not in offers:
        name = etree.QName(operation).localname
        raise protocol_error("operation-not-supported", f"running is not writable by {name}; use candidate and commit")
    return store


def choice(operation: etree._Element, name: str, legal: frozenset[str], default: str) -> str:
    """Return the option ``name``, or its default.

    Raises:
        RpcError: ``invalid-value``, with what is legal.
    """
    value = text_of(operation, name)
    if value is None:
        return default
    if value not in legal:
        info = (("bad-element", name),)
        raise protocol_error("invalid-value", f"{name} {value!r}; known: {', '.join(sorted(legal))}", info=info)
    return value


def confirm_timeout_s(operation: etree._Element) -> int:
    """Return how long a confirmed commit waits.

    Raises:
        RpcError: ``invalid-value``.
    """
    text = text_of(operation, "confirm-timeout")
    if text is None:
        return DEFAULT_CONFIRM_TIMEOUT_S
    if not text.isdecimal() or int(text) == 0:
        info = (("bad-element", "confirm-timeout"),)
        raise protocol_error("invalid-value", f"confirm-timeout {text!r} is not a number of seconds from 1", info=info)
    return int(text)


def text_of(operation: etree._Element, name: str) -> str | None:
    """Return the text of the RPC's element ``name``, None where it has none."""
    leaf = operation.find(tag(name))
    return (leaf.text or "").strip() if leaf is not None else None


def missing(operation: str, name: str) -> RpcError:
    """Return the error that ``operation`` lacks an element."""
    return protocol_error("missing-element", f"{operation} lacks {name}", info=(("bad-element", name),))
