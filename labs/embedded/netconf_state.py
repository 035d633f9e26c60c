"""What an emulated device tells of its own NETCONF service: the state of ietf-netconf-monitoring (RFC 6022)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from labs.embedded.datastore import Lock, Store
from labs.embedded.datatree import nsmap
from labs.embedded.netconf_modules import Library

MONITORING_NS: Final = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
CAPABILITY: Final = f"{MONITORING_NS}?module=ietf-netconf-monitoring&revision=2010-10-04"
ROOT: Final = "netconf-state"


@dataclass(slots=True, kw_only=True)
class Counters:
    """What was asked, refused and told."""

    in_rpcs: int = 0
    in_bad_rpcs: int = 0
    out_rpc_errors: int = 0
    out_notifications: int = 0


@dataclass(slots=True, kw_only=True)
class Statistics(Counters):
    """The same of all sessions, and of the sessions themselves."""

    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    in_sessions: int = 0
    dropped_sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """Who is at work in a session, from where, since when."""

    number: int
    username: str
    source: str
    since: datetime
    counters: Counters


@dataclass(frozen=True, slots=True, kw_only=True)
class NetconfState:
    """All of it, as it is now."""

    capabilities: tuple[str, ...]
    stores: tuple[Store, ...]
    locks: Mapping[Store, Lock]
    modules: Library
    sessions: tuple[SessionFacts, ...]
    statistics: Statistics

    def xml(self, filters: Iterable[etree._Element] | None = None) -> str:
        """Return ``<netconf-state>``, or what any of the filter elements for it selects; empty for nothing."""
        root = _parent(None, ROOT)
        _leaves(_parent(root, "capabilities"), *(("capability", uri) for uri in self.capabilities))
        self._datastores(_parent(root, "datastores"))
        self._schemas(_parent(root, "schemas"))
        self._sessions(_parent(root, "sessions"))
        self._statistics(_parent(root, "statistics"))
        if filters is None:
            return etree.tostring(root, encoding="unicode")
        parts = [part for wanted in filters if (part := selected(root, wanted)) is not None]
        return "".join(etree.tostring(part, encoding="unicode") for part in parts)

    def _datastores(self, parent: etree._Element) -> None:
        for store in self.stores:
            each = _parent(parent, "datastore")
            _leaves(each, ("name", store))
            lock = self.locks.get(store)
            if lock is not None:
                held = _parent(_parent(each, "locks"), "global-lock")
                _leaves(held, ("locked-by-session", lock.session), ("locked-time", _time(lock.since)))

    def _schemas(self, parent: etree._Element) -> None:
        for module in self.modules.values():
            _leaves(
                _parent(parent, "schema"),
                ("identifier", module.name),
                ("version", module.revision),
                ("format", "yang"),
                ("namespace", module.namespace),
                ("location", "NETCONF"),
            )

    def _sessions(self, parent: etree._Element) -> None:
        for session in self.sessions:
            _leaves(
                _parent(parent, "session"),
                ("session-id", session.number),
                ("transport", "netconf-ssh"),
                ("username", session.username),
                ("source-host", session.source),
                ("login-time", _time(session.since)),
                *_counted(session.counters),
            )

    def _statistics(self, parent: etree._Element) -> None:
        _leaves(
            parent,
            ("netconf-start-time", _time(self.statistics.since)),
            ("in-bad-hellos", 0),
            ("in-sessions", self.statistics.in_sessions),
            ("dropped-sessions", self.statistics.dropped_sessions),
            *_counted(self.statistics),
        )


def selected(element: etree._Element, wanted: etree._Element) -> etree._Element | None:
    """Return the part of ``element`` that a subtree filter for it selects (RFC 6241, 6), None for nothing."""
    matches = [child for child in wanted if not len(child) and (child.text or "").strip()]
    if not all(
        any(_same(child, match) and child.text == (match.text or "").strip() for child in element) for match in matches
    ):
        return None
    if len(matches) == len(wanted):
        return element
    part = etree.Element(element.tag, nsmap=nsmap(MONITORING_NS))
    for child in element:
        filters = [each for each in wanted if _same(child, each)]
        parts = [found for each in filters if (found := selected(child, each)) is not None]
        part.extend([etree.fromstring(etree.tostring(found)) for found in parts[:1]])
    return part if len(part) else None


def names_state(wanted: etree._Element) -> bool:
    """Say whether a filter element at the top is about this state; one without a namespace fits any."""
    return wanted.tag in {ROOT, f"{{{MONITORING_NS}}}{ROOT}"}


def _same(element: etree._Element, wanted: etree._Element) -> bool:
    return wanted.tag in {element.tag, etree.QName(element).localname}


def _counted(counters: Counters) -> tuple[tuple[str, int], ...]:
    return (
        ("in-rpcs", counters.in_rpcs),
        ("in-bad-rpcs", counters.in_bad_rpcs),
        ("out-rpc-errors", counters.out_rpc_errors),
        ("out-notifications", counters.out_notifications),
    )


def _parent(above: etree._Element | None, name: str) -> etree._Element:
    tag = f"{{{MONITORING_NS}}}{name}"
    if above is not None:
        return etree.SubElement(above, tag)
    return etree.Element(tag, nsmap=nsmap(MONITORING_NS))


def _leaves(parent: etree._Element, *leaves: tuple[str, object]) -> None:
    for name, value in leaves:
        _parent(parent, name).text = str(value)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
