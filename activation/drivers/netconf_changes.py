"""Who changed a NETCONF device: a replay (RFC 5277) of its ``netconf-config-change`` notifications (RFC 6470)."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from activation.drivers.netconf_messages import parsed
from activation.fragments import readable
from activation.model import ChangeNote, Path

NOTIFICATION_NAMESPACE: Final = "urn:ietf:params:xml:ns:netconf:notification:1.0"
CHANGE_NAMESPACE: Final = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
_EVENT: Final = f"{{{NOTIFICATION_NAMESPACE}}}notification"
_CHANGE: Final = f"{{{CHANGE_NAMESPACE}}}netconf-config-change"
_END: Final = frozenset({"replayComplete", "notificationComplete"})
_STEP: Final = re.compile(r"""/(?P<name>[^/\[\s]+)(?P<keys>(?:\[[^\]'"]*=\s*(?:'[^']*'|"[^"]*")\s*\])*)""")
_KEY: Final = re.compile(r"""\[\s*(?P<name>[^=\s]+)\s*=\s*(?P<value>'[^']*'|"[^"]*")\s*\]""")
SHOWN: Final = 3
"""Edits of one change that are told in words; the rest is counted."""


def replay_since(stream: str, since: datetime) -> str:
    """Return the operation that has the device tell of its changes since then."""
    start = since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return (
        f'<create-subscription xmlns="{NOTIFICATION_NAMESPACE}"><stream>{escape(stream)}</stream>'
        f'<filter type="subtree"><netconf-config-change xmlns="{CHANGE_NAMESPACE}"/></filter>'
        f"<startTime>{start}</startTime></create-subscription>"
    )


def event_of(message: bytes) -> etree._Element | None:
    """Return the message's root if it is a notification.

    Raises:
        NotNetconf: it is no XML.
    """
    root = parsed(message)
    return root if root.tag == _EVENT else None


def is_end(event: etree._Element) -> bool:
    """Say whether the past has been told."""
    return any(etree.QName(each).localname in _END for each in event.iterchildren(tag=etree.Element))


def notes_of(events: Iterable[etree._Element], *, login: str, is_ours: Callable[[str], bool]) -> Sequence[ChangeNote]:
    """Return the changes of running that ``events`` tell of, newest first; ``is_ours`` knows session numbers."""
    found = ((event, change) for event in events if (change := event.find(_CHANGE)) is not None)
    notes = [_note(event, change, login, is_ours) for event, change in found if _text(change, "datastore") != "startup"]
    return sorted(notes, key=lambda note: _moment(note.at), reverse=True)


def _note(event: etree._Element, change: etree._Element, login: str, is_ours: Callable[[str], bool]) -> ChangeNote:
    who, session = _text(change, "changed-by/username"), _text(change, "changed-by/session-id")
    by_itself = change.find(f"{_in_change('changed-by')}/{_in_change('server')}") is not None
    edits = [
        (path_of(leaf), _text(each, "operation")) for each in _each(change, "edit") for leaf in _each(each, "target")
    ]
    return ChangeNote(
        at=(event.findtext(f"{{{NOTIFICATION_NAMESPACE}}}eventTime") or "").strip(),
        who=who or ("the device itself" if by_itself else "somebody it does not name"),
        text=_in_words(edits),
        ours=who == login and is_ours(session),
        own_login=who == login,
        source=_text(change, "changed-by/source-host"),
        session=session,
        places=tuple(path for path, _ in edits if path),
    )


def path_of(target: etree._Element) -> Path:
    """Return the path that an instance-identifier stands for; empty where it cannot be read."""
    text = (target.text or "").strip()
    steps: list[str] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        tag = _tag(match["name"], target, steps) if match is not None else None
        if match is None or tag is None:
            return ()
        keys = (
            f"[{found['name'].rpartition(':')[2]}={found['value']}]"
            for found in _KEY.finditer(match["keys"])
            if found["name"] != "."
        )
        steps.append(tag + "".join(keys))
        at = match.end()
    return tuple(steps)


def _tag(name: str, target: etree._Element, above: Sequence[str]) -> str | None:
    prefix, _, local = name.rpartition(":")
    if not prefix and above:  # YANG's JSON way: a name without a prefix is in its parent's module
        return above[-1][: above[-1].index("}") + 1] + local
    namespace = target.nsmap.get(prefix or None)
    return f"{{{namespace}}}{local}" if namespace is not None else None


def _in_words(edits: Sequence[tuple[Path, str]]) -> str:
    told = [f"{operation} {readable(path)}" for path, operation in edits[:SHOWN]]
    more = [f"and {len(edits) - SHOWN} more"] if len(edits) > SHOWN else []
    return ", ".join([*told, *more])


def _moment(at: str) -> datetime:
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _each(parent: etree._Element, name: str) -> Iterable[etree._Element]:
    return parent.iterfind(_in_change(name))


def _text(parent: etree._Element, path: str) -> str:
    return (parent.findtext("/".join(map(_in_change, path.split("/")))) or "").strip()


def _in_change(name: str) -> str:
    return f"{{{CHANGE_NAMESPACE}}}{name}"
