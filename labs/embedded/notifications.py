"""Notifications of an emulated NETCONF device: subscriptions (RFC 5277) to its configuration changes (RFC 6470)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from labs.embedded.change_log import Change
from labs.embedded.datatree import nsmap
from labs.embedded.netconf_messages import tag
from labs.embedded.netconf_state import selected
from labs.embedded.rpc_error import protocol_error
from labs.embedded.schema import Schema

NOTIFICATION_NS: Final = "urn:ietf:params:xml:ns:netconf:notification:1.0"
COMPLETE_NS: Final = "urn:ietf:params:xml:ns:netmod:notification"
CHANGE_NS: Final = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
CAPABILITY: Final = f"{CHANGE_NS}?module=ietf-netconf-notifications&revision=2012-02-06"
SUBSCRIBE: Final = f"{{{NOTIFICATION_NS}}}create-subscription"
STREAM: Final = "NETCONF"
CHANGE: Final = f"{{{CHANGE_NS}}}netconf-config-change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a client wants to hear.

    Attributes:
        start: replay from here; None: only what comes.
        stop: until then; None: as long as the session lasts.
        filters: subtree filters for events, one of which must select something; None: every event.
    """

    start: datetime | None
    stop: datetime | None
    filters: Sequence[etree._Element] | None


def subscription_of(operation: etree._Element, now: datetime) -> Subscription:
    """Return the subscription that a create-subscription asks for.

    Raises:
        RpcError: an unknown stream or filter, or times that make no sense; says what is legal.
    """
    stream = _text(operation, "stream")
    if stream not in {None, STREAM}:
        raise _bad("invalid-value", f"unknown stream {stream!r}; known: {STREAM}", "stream")
    start, stop = _time(operation, "startTime"), _time(operation, "stopTime")
    if start is None and stop is not None:
        raise _bad("missing-element", "a stopTime needs a startTime", "startTime")
    if start is not None and start > now:
        raise _bad("bad-element", f"startTime is later than now, {written(now)}", "startTime")
    if start is not None and stop is not None and stop < start:
        raise _bad("bad-element", "stopTime is earlier than startTime", "stopTime")
    return Subscription(start=start, stop=stop, filters=_filters(operation))


def _filters(operation: etree._Element) -> Sequence[etree._Element] | None:
    wanted = operation.find(f"{{{NOTIFICATION_NS}}}filter")
    if wanted is None:
        return None
    kind = wanted.get("type", wanted.get(tag("type"), "subtree"))
    if kind != "subtree":
        raise _bad("bad-attribute", f"unknown filter type {kind!r}; known: subtree", "filter")
    return list(wanted)


def change_event(change: Change, schema: Schema, wanted: Subscription) -> bytes | None:
    """Return the notification of a change as a whole message; None where the subscription does not want it."""
    event = _event(change, schema)
    if wanted.filters is None:
        return _message(change.at, event)
    parts = (selected(event, each) for each in wanted.filters if each.tag in {CHANGE, etree.QName(CHANGE).localname})
    part = next((each for each in parts if each is not None), None)
    return _message(change.at, part) if part is not None else None


def end_event(name: str, now: datetime) -> bytes:
    """Return ``replayComplete`` or ``notificationComplete`` as a whole message."""
    return _message(now, etree.Element(f"{{{COMPLETE_NS}}}{name}", nsmap=nsmap(COMPLETE_NS)))


def written(moment: datetime) -> str:
    """Return a time as it is written in events."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _event(change: Change, schema: Schema) -> etree._Element:
    event = etree.Element(CHANGE, nsmap=nsmap(CHANGE_NS))
    author = etree.SubElement(event, f"{{{CHANGE_NS}}}changed-by")
    if change.by is None:
        etree.SubElement(author, f"{{{CHANGE_NS}}}server")
    else:
        _leaf(author, "username", change.by.username)
        _leaf(author, "session-id", str(change.by.session))
        if change.by.source:
            _leaf(author, "source-host", change.by.source)
    _leaf(event, "datastore", change.store)
    for edit in change.edits:
        each = etree.SubElement(event, f"{{{CHANGE_NS}}}edit")
        path = str(edit.target)
        used = {prefix: uri for uri, prefix in schema.prefixes.items() if f"{prefix}:" in path}
        etree.SubElement(each, f"{{{CHANGE_NS}}}target", nsmap=nsmap(CHANGE_NS, used)).text = path
        _leaf(each, "operation", edit.operation)
    return event


def _message(at: datetime, event: etree._Element) -> bytes:
    root = etree.Element(f"{{{NOTIFICATION_NS}}}notification", nsmap=nsmap(NOTIFICATION_NS))
    etree.SubElement(root, f"{{{NOTIFICATION_NS}}}eventTime").text = written(at)
    root.append(event)
    return etree.tostring(root)


def _leaf(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{CHANGE_NS}}}{name}").text = text


def _text(operation: etree._Element, name: str) -> str | None:
    leaf = operation.find(f"{{{NOTIFICATION_NS}}}{name}")
    return (leaf.text or "").strip() if leaf is not None else None


def _time(operation: etree._Element, name: str) -> datetime | None:
    text = _text(operation, name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _bad("invalid-value", f"{name} {text!r} is no time; legal: 2026-01-31T12:00:00Z", name)
    return moment


def _bad(kind: str, message: str, element: str) -> Exception:
    return protocol_error(kind, message, info=(("bad-element", element),))
