"""What an emulated NETCONF device does for each RPC."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Final, Protocol

from lxml import etree

from labs.embedded.datastore import DEFAULT_CONFIRM_TIMEOUT_S, CommitOptions, Datastores, EditOptions, Store
from labs.embedded.datatree import Branch
from labs.embedded.edit import DEFAULT_OPERATIONS, apply_edit
from labs.embedded.faults import FaultBoard
from labs.embedded.netconf_capabilities import NEEDS, USUAL, check_offered
from labs.embedded.netconf_messages import tag
from labs.embedded.rpc_error import RpcError, RpcErrors, protocol_error
from labs.embedded.schema import Schema
from labs.embedded.subtree import select
from labs.embedded.tree_xml import inner_xml

EDIT_REFUSED: Final = "resource-denied: ONU table full on channel-partition"
COMMIT_REFUSED: Final = "commit failed: line card LT-1 rejected the configuration"
VALIDATE_REFUSED: Final = "validation failed: bandwidth of channel-pair exceeded"
MANY_REFUSED: Final = "line card LT-{}: no resources"
PADDING: Final = f"<!--{'.' * 1015}-->"
"""A kilobyte and a bit that says nothing."""
TEST_OPTIONS: Final = frozenset({"test-then-set", "set", "test-only"})
ERROR_OPTIONS: Final = frozenset({"stop-on-error", "continue-on-error", "rollback-on-error"})


class ConnectionDropped(Exception):
    """The device cuts this session off, without an answer."""


class Session(Protocol):
    """What an RPC may do to a session."""

    number: int

    def kill(self) -> None:
        """Cut the session off."""
        ...


@dataclass(slots=True)
class Device:
    """What all sessions of one device share.

    Attributes:
        offers: names of its capabilities.
        sessions: the open sessions by number.
    """

    schema: Schema
    stores: Datastores
    faults: FaultBoard
    offers: frozenset[str] = USUAL
    sessions: dict[int, Session] = field(default_factory=dict)


class Rpc(Protocol):
    """Does one kind of RPC; the answer is ``<data>`` as text, or None for a plain ok."""

    def __call__(self, device: Device, session: Session, operation: etree._Element, /) -> str | None:
        """Do it."""
        ...


def duration_s(device: Device, operation: etree._Element) -> float:
    """Return how long the device thinks before it does what the RPC asks for; ``inf`` when it hangs for good."""
    if operation.tag != tag("commit") and not _edits_running(operation):
        return 0.0
    if device.faults.strikes("hang_in_commit"):
        return inf
    return device.faults.commit_s(device.stores.size())


def perform(device: Device, session: Session, operation: etree._Element) -> str | None:
    """Do what the RPC asks for and return ``<data>`` as text, or None for a plain ok.

    Raises:
        RpcError: it cannot be done.
        RpcErrors: for several reasons.
        ConnectionDropped: the device cuts the session off.
    """
    rpc = RPCS.get(str(operation.tag))
    if rpc is None:
        name = etree.QName(operation).localname
        known = ", ".join(sorted(etree.QName(qname).localname for qname in RPCS))
        raise protocol_error("operation-not-supported", f"unknown operation {name}; known: {known}")
    name = etree.QName(operation).localname
    if name in NEEDS:
        check_offered(device.offers, NEEDS[name], name)
    return rpc(device, session, operation)


def _get(device: Device, session: Session, operation: etree._Element) -> str | None:
    del session
    device.stores.about_to_read()
    return _filtered(device, device.stores.running, operation)


def _get_config(device: Device, session: Session, operation: etree._Element) -> str | None:
    del session
    device.stores.about_to_read()
    return _filtered(device, device.stores.tree(_store(operation, "source")), operation)


def _edit_config(device: Device, session: Session, operation: etree._Element) -> str | None:
    _check_target(device, operation)
    options = EditOptions(
        default_operation=_choice(operation, "default-operation", DEFAULT_OPERATIONS, "merge"),
        # RFC 6241 has test-then-set by default; like many an OLT, this one leaves references to validate and commit.
        test_option=_choice(operation, "test-option", TEST_OPTIONS, "set"),
        error_option=_choice(operation, "error-option", ERROR_OPTIONS, "stop-on-error"),
    )
    config = operation.find(tag("config"))
    if config is None:
        raise _missing("edit-config", "config")
    _refuse_edit(device)
    if _edits_running(operation):
        _live(device, lambda: device.stores.edit_running(session.number, config, options))
        return None
    device.stores.edit(session.number, config, options)
    if device.faults.strikes("drop_in_edit"):
        raise ConnectionDropped
    return None


def _refuse_edit(device: Device) -> None:
    if device.faults.strikes("refuse_edit"):
        raise RpcError("operation-failed", EDIT_REFUSED)
    errors = device.faults.amount("many_errors")
    if errors is not None and device.faults.strikes("many_errors"):
        raise RpcErrors([RpcError("operation-failed", MANY_REFUSED.format(n + 1)) for n in range(int(errors))])


def _copy_config(device: Device, session: Session, operation: etree._Element) -> str | None:
    _check_candidate(operation, "target")
    device.stores.replace_candidate(session.number, _source_tree(device, operation))
    return None


def _delete_config(device: Device, session: Session, operation: etree._Element) -> str | None:
    _check_candidate(operation, "target")
    device.stores.replace_candidate(session.number, Branch(device.schema.root))
    return None


def _validate(device: Device, session: Session, operation: etree._Element) -> str | None:
    del session
    if device.faults.strikes("refuse_validate"):
        raise RpcError("operation-failed", VALIDATE_REFUSED)
    device.stores.validate(_source_tree(device, operation))
    return None


def _lock(device: Device, session: Session, operation: etree._Element) -> str | None:
    device.stores.lock(session.number, _store(operation, "target"))
    return None


def _unlock(device: Device, session: Session, operation: etree._Element) -> str | None:
    device.stores.unlock(session.number, _store(operation, "target"))
    return None


def _discard_changes(device: Device, session: Session, operation: etree._Element) -> str | None:
    del operation
    device.stores.discard(session.number)
    return None


def _commit(device: Device, session: Session, operation: etree._Element) -> str | None:
    options = CommitOptions(
        confirmed=operation.find(tag("confirmed")) is not None,
        timeout_s=_seconds(operation),
        persist=_text(operation, "persist"),
        persist_id=_text(operation, "persist-id"),
    )
    if options.confirmed or options.persist_id is not None:
        check_offered(device.offers, "confirmed-commit", "a confirmed commit")
    device.stores.about_to_confirm()
    _live(device, lambda: device.stores.commit(session.number, options))
    return None


def _live(device: Device, make_live: Callable[[], None]) -> None:
    """Make a change live, unless something goes wrong."""
    faults = device.faults
    if faults.strikes("drop_before_commit"):
        raise ConnectionDropped
    if faults.strikes("refuse_commit"):
        raise RpcError("operation-failed", COMMIT_REFUSED)
    make_live()
    if faults.strikes("drop_after_commit"):
        raise ConnectionDropped


def _cancel_commit(device: Device, session: Session, operation: etree._Element) -> str | None:
    device.stores.cancel_commit(session.number, _text(operation, "persist-id"))
    return None


def _close_session(device: Device, session: Session, operation: etree._Element) -> str | None:
    # The session answers first and closes then.
    del device, session, operation
    return None


def _kill_session(device: Device, session: Session, operation: etree._Element) -> str | None:
    wanted = _text(operation, "session-id")
    if wanted is None:
        raise _missing("kill-session", "session-id")
    victims = {str(number): other for number, other in device.sessions.items() if number != session.number}
    if wanted not in victims:
        known = ", ".join(victims) or "none"
        raise protocol_error("invalid-value", f"no other session has the number {wanted!r}; open: {known}")
    victims[wanted].kill()
    return None


RPCS: Final[Mapping[str, Rpc]] = {
    tag("get"): _get,
    tag("get-config"): _get_config,
    tag("edit-config"): _edit_config,
    tag("copy-config"): _copy_config,
    tag("delete-config"): _delete_config,
    tag("validate"): _validate,
    tag("lock"): _lock,
    tag("unlock"): _unlock,
    tag("discard-changes"): _discard_changes,
    tag("commit"): _commit,
    tag("cancel-commit"): _cancel_commit,
    tag("close-session"): _close_session,
    tag("kill-session"): _kill_session,
}


def _filtered(device: Device, tree: Branch, operation: etree._Element) -> str:
    wanted = operation.find(tag("filter"))
    if wanted is not None:
        kind = wanted.get("type", wanted.get(tag("type"), "subtree"))
        if kind != "subtree":
            info = (("bad-attribute", "type"), ("bad-element", "filter"))
            raise protocol_error("bad-attribute", f"unknown filter type {kind!r}; known: subtree", info=info)
        # An empty filter selects nothing (RFC 6241, 6.4.2).
        tree = select(tree, [wanted]) if len(wanted) else Branch(tree.schema)
    return f"<data>{inner_xml(tree, device.schema)}{_padding(device)}</data>"


def _padding(device: Device) -> str:
    megabytes = device.faults.amount("huge_reply")
    if megabytes is None or not device.faults.strikes("huge_reply"):
        return ""
    return PADDING * int(megabytes * 1_000_000 / len(PADDING))


def _source_tree(device: Device, operation: etree._Element) -> Branch:
    config = operation.find(f"{tag('source')}/{tag('config')}")
    if config is None:
        return device.stores.tree(_store(operation, "source"))
    return apply_edit(Branch(device.schema.root), config, device.schema)


def _store(operation: etree._Element, where: str) -> Store:
    parent = operation.find(tag(where))
    if parent is None or len(parent) != 1:
        raise _missing(etree.QName(operation).localname, where)
    if parent[0].tag == tag("running"):
        return "running"
    if parent[0].tag == tag("candidate"):
        return "candidate"
    name = etree.QName(parent[0]).localname
    raise protocol_error("operation-not-supported", f"unknown datastore {name}; known: running, candidate")


def _edits_running(operation: etree._Element) -> bool:
    return operation.tag == tag("edit-config") and operation.find(f"{tag('target')}/{tag('running')}") is not None


def _check_target(device: Device, operation: etree._Element) -> None:
    if _store(operation, "target") == "candidate":
        check_offered(device.offers, "candidate", "an edit of the candidate")
    elif "writable-running" not in device.offers:
        _check_candidate(operation, "target")


def _check_candidate(operation: etree._Element, where: str) -> None:
    if _store(operation, where) != "candidate":
        name = etree.QName(operation).localname
        raise protocol_error("operation-not-supported", f"running is not writable by {name}; use candidate and commit")


def _choice(operation: etree._Element, name: str, legal: frozenset[str], default: str) -> str:
    value = _text(operation, name)
    if value is None:
        return default
    if value not in legal:
        info = (("bad-element", name),)
        raise protocol_error("invalid-value", f"{name} {value!r}; known: {', '.join(sorted(legal))}", info=info)
    return value


def _seconds(operation: etree._Element) -> int:
    text = _text(operation, "confirm-timeout")
    if text is None:
        return DEFAULT_CONFIRM_TIMEOUT_S
    if not text.isdecimal() or int(text) == 0:
        info = (("bad-element", "confirm-timeout"),)
        raise protocol_error("invalid-value", f"confirm-timeout {text!r} is not a number of seconds from 1", info=info)
    return int(text)


def _text(operation: etree._Element, name: str) -> str | None:
    leaf = operation.find(tag(name))
    return (leaf.text or "").strip() if leaf is not None else None


def _missing(operation: str, name: str) -> RpcError:
    return protocol_error("missing-element", f"{operation} lacks {name}", info=(("bad-element", name),))
