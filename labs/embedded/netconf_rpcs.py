"""What an emulated NETCONF device does for each RPC."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Final, Protocol
from xml.sax.saxutils import escape

from lxml import etree

from labs.embedded.change_log import Author, ChangeLog
from labs.embedded.datastore import CommitOptions, Datastores, EditOptions
from labs.embedded.datatree import Branch
from labs.embedded.edit import DEFAULT_OPERATIONS, apply_edit
from labs.embedded.faults import FaultBoard
from labs.embedded.netconf_arguments import (
    choice,
    confirm_timeout_s,
    missing,
    store_of,
    stores_of,
    text_of,
    writable,
)
from labs.embedded.netconf_capabilities import NEEDS, USUAL, check_offered, uris
from labs.embedded.netconf_messages import BASES, tag
from labs.embedded.netconf_modules import Library, found_in, own_modules
from labs.embedded.netconf_state import (
    CAPABILITY as MONITORING,
)
from labs.embedded.netconf_state import (
    MONITORING_NS,
    NetconfState,
    SessionFacts,
    Statistics,
    names_state,
)
from labs.embedded.notifications import CAPABILITY as CHANGES
from labs.embedded.notifications import SUBSCRIBE, Subscription, subscription_of
from labs.embedded.olt_state import Present, everywhere, with_state
from labs.embedded.rpc_error import RpcError, RpcErrors, protocol_error
from labs.embedded.schema import Schema
from labs.embedded.subtree import select
from labs.embedded.tree_xml import inner_xml
from labs.embedded.with_defaults import CAPABILITY as WITH_DEFAULTS
from labs.embedded.with_defaults import told

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

    def facts(self) -> SessionFacts:
        """Return who is at work in it."""
        ...


class Client(Session, Protocol):
    """The session that an RPC came in."""

    def subscribe(self, wanted: Subscription) -> None:
        """Tell the client of events once the RPC is answered.

        Raises:
            RpcError: it is told of some already.
        """
        ...


@dataclass(slots=True)
class Device:
    """What all sessions of one device share.

    Attributes:
        offers: names of its capabilities.
        sessions: the open sessions by number.
        people: the open command lines by number.
        yang: the modules it hands out instead of its own.
        present: whether an ONT answers behind a channel pair.
    """

    schema: Schema
    stores: Datastores
    faults: FaultBoard
    offers: frozenset[str] = USUAL
    sessions: dict[int, Session] = field(default_factory=dict)
    yang: Library = field(default_factory=dict)
    statistics: Statistics = field(default_factory=Statistics)
    present: Present = everywhere
    people: dict[int, Session] = field(default_factory=dict)
    log: ChangeLog = field(default_factory=ChangeLog)

    def __post_init__(self) -> None:
        """Have changes written down."""
        self.stores.noted = self._note

    def _note(self, session: int | None, before: Branch, after: Branch) -> None:
        by = None
        if session is not None:
            at_work = self.sessions.get(session) or self.people.get(session)
            facts = at_work.facts() if at_work is not None else None
            by = Author(
                session=session,
                username=facts.username if facts is not None else "",
                source=facts.source if facts is not None else "",
            )
        self.log.add("running", by, before, after)

    def capabilities(self) -> tuple[str, ...]:
        """Return the capabilities beside the base ones, as the hello tells them."""
        changes = (CHANGES,) if "notification" in self.offers else ()
        return (*uris(self.offers), WITH_DEFAULTS, MONITORING, *changes, *self.schema.capabilities)

    def modules(self) -> Library:
        """Return the YANG modules that it hands out."""
        return {**own_modules(self.schema.profile), **self.yang}

    def state(self) -> NetconfState:
        """Return the state of its NETCONF service."""
        return NetconfState(
            capabilities=(*BASES, *self.capabilities()),
            stores=stores_of(self.offers),
            locks=self.stores.locks(),
            modules=self.modules(),
            sessions=tuple(session.facts() for session in self.sessions.values()),
            statistics=self.statistics,
        )


class Rpc(Protocol):
    """Does one kind of RPC; the answer is ``<data>`` as text, or None for a plain ok."""

    def __call__(self, device: Device, session: Client, operation: etree._Element, /) -> str | None:
        """Do it."""
        ...


def duration_s(device: Device, operation: etree._Element) -> float:
    """Return how long the device thinks before it does what the RPC asks for; ``inf`` when it hangs for good."""
    if operation.tag != tag("commit") and not _edits_running(operation):
        return 0.0
    if device.faults.strikes("hang_in_commit"):
        return inf
    return device.faults.commit_s(device.stores.size())


def perform(device: Device, session: Client, operation: etree._Element) -> str | None:
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
    wanted = operation.find(tag("filter"))
    about_state = [each for each in wanted if names_state(each)] if wanted is not None else None
    state = device.state().xml(about_state) if about_state is None or about_state else ""
    running = with_state(device.stores.running, [wanted] if wanted is not None else [], device.present)
    return _filtered(device, running, operation, state)


def _get_config(device: Device, session: Session, operation: etree._Element) -> str | None:
    del session
    device.stores.about_to_read()
    return _filtered(device, device.stores.tree(store_of(operation, "source", device.offers)), operation)


def _get_schema(device: Device, session: Session, operation: etree._Element) -> str | None:
    del session
    said = {etree.QName(leaf).localname: (leaf.text or "").strip() for leaf in operation}
    if "identifier" not in said:
        raise missing("get-schema", "identifier")
    module = found_in(
        device.modules(), said["identifier"], revision=said.get("version"), form=said.get("format", "yang")
    )
    return f'<data xmlns="{MONITORING_NS}">{escape(module.text())}</data>'


def _edit_config(device: Device, session: Session, operation: etree._Element) -> str | None:
    target = writable(operation, device.offers)
    if target == "startup":
        raise protocol_error("operation-not-supported", "startup is not edited; use copy-config")
    options = EditOptions(
        default_operation=choice(operation, "default-operation", DEFAULT_OPERATIONS, "merge"),
        # RFC 6241 has test-then-set by default; like many an OLT, this one leaves references to validate and commit.
        test_option=choice(operation, "test-option", TEST_OPTIONS, "set"),
        error_option=choice(operation, "error-option", ERROR_OPTIONS, "stop-on-error"),
    )
    config = operation.find(tag("config"))
    if config is None:
        raise missing("edit-config", "config")
    _refuse_edit(device)
    if target == "running":
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
    target = writable(operation, device.offers)
    source = operation.find(tag("source"))
    if source is not None and source.find(tag(target)) is not None:
        raise protocol_error("invalid-value", f"source and target are both {target}", info=(("bad-element", target),))
    tree = told(_source_tree(device, operation), operation)
    if target == "running":
        _live(device, lambda: device.stores.replace(session.number, target, tree))
    else:
        device.stores.replace(session.number, target, tree)
    return None


def _delete_config(device: Device, session: Session, operation: etree._Element) -> str | None:
    target = store_of(operation, "target", device.offers)
    if target == "running":
        raise protocol_error("operation-not-supported", "running cannot be deleted (RFC 6241, 7.4)")
    device.stores.replace(session.number, target, Branch(device.schema.root))
    return None


def _validate(device: Device, session: Session, operation: etree._Element) -> str | None:
    del session
    if device.faults.strikes("refuse_validate"):
        raise RpcError("operation-failed", VALIDATE_REFUSED)
    device.stores.validate(_source_tree(device, operation))
    return None


def _lock(device: Device, session: Session, operation: etree._Element) -> str | None:
    device.stores.lock(session.number, store_of(operation, "target", device.offers))
    return None


def _unlock(device: Device, session: Session, operation: etree._Element) -> str | None:
    device.stores.unlock(session.number, store_of(operation, "target", device.offers))
    return None


def _discard_changes(device: Device, session: Session, operation: etree._Element) -> str | None:
    del operation
    device.stores.discard(session.number)
    return None


def _commit(device: Device, session: Session, operation: etree._Element) -> str | None:
    options = CommitOptions(
        confirmed=operation.find(tag("confirmed")) is not None,
        timeout_s=confirm_timeout_s(operation),
        persist=text_of(operation, "persist"),
        persist_id=text_of(operation, "persist-id"),
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
    device.stores.cancel_commit(session.number, text_of(operation, "persist-id"))
    return None


def _create_subscription(device: Device, session: Client, operation: etree._Element) -> str | None:
    del device
    session.subscribe(subscription_of(operation, datetime.now(UTC)))
    return None


def _close_session(device: Device, session: Session, operation: etree._Element) -> str | None:
    # The session answers first and closes then.
    del device, session, operation
    return None


def _kill_session(device: Device, session: Session, operation: etree._Element) -> str | None:
    wanted = text_of(operation, "session-id")
    if wanted is None:
        raise missing("kill-session", "session-id")
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
    f"{{{MONITORING_NS}}}get-schema": _get_schema,
    SUBSCRIBE: _create_subscription,
}


def _filtered(device: Device, tree: Branch, operation: etree._Element, state: str = "") -> str:
    tree = told(tree, operation)
    wanted = operation.find(tag("filter"))
    if wanted is not None:
        kind = wanted.get("type", wanted.get(tag("type"), "subtree"))
        if kind != "subtree":
            info = (("bad-attribute", "type"), ("bad-element", "filter"))
            raise protocol_error("bad-attribute", f"unknown filter type {kind!r}; known: subtree", info=info)
        # An empty filter selects nothing (RFC 6241, 6.4.2).
        tree = select(tree, [wanted]) if len(wanted) else Branch(tree.schema)
    return f"<data>{inner_xml(tree, device.schema)}{state}{_padding(device)}</data>"


def _padding(device: Device) -> str:
    megabytes = device.faults.amount("huge_reply")
    if megabytes is None or not device.faults.strikes("huge_reply"):
        return ""
    return PADDING * int(megabytes * 1_000_000 / len(PADDING))


def _source_tree(device: Device, operation: etree._Element) -> Branch:
    config = operation.find(f"{tag('source')}/{tag('config')}")
    if config is None:
        return device.stores.tree(store_of(operation, "source", device.offers))
    return apply_edit(Branch(device.schema.root), config, device.schema)


def _edits_running(operation: etree._Element) -> bool:
    """Say whether the RPC changes running at once."""
    if operation.tag not in {tag("edit-config"), tag("copy-config")}:
        return False
    return operation.find(f"{tag('target')}/{tag('running')}") is not None
