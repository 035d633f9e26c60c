"""What a subscription wants to hear: the ``query`` of a hub, read once and asked of every event."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from api.errors import BadRequest
from api.hub.topics import Topic

EVENT_TYPE = "eventType"
MAX_QUERY = 2000

Published = Mapping[str, Any]
"""An event as the outbox keeps it, its document not yet text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which events of a topic are wanted.

    Attributes:
        event_types: as stored; never empty.
        attributes: attribute path to the texts that will do.
    """

    event_types: frozenset[str]
    attributes: Mapping[str, frozenset[str]]

    def covers(self, published: Published) -> bool:
        """Say whether an event of one of ``event_types`` has the wanted attributes."""
        return all(wanted & set(_texts(published, path)) for path, wanted in self.attributes.items())


def read_query(query: str, topic: Topic) -> Wish:
    """Return what ``query`` asks for, e.g. ``eventType=ServiceOrderStateChangeEvent&state=completed,failed``.

    Raises:
        BadRequest: it cannot be read or asks for what this hub has not; names what is legal.
    """
    if len(query) > MAX_QUERY:
        raise BadRequest(f"query: longer than {MAX_QUERY} characters")
    wanted: dict[str, set[str]] = defaultdict(set)
    for term in filter(None, query.strip().removeprefix("?").split("&")):
        name, equals, values = (unquote_plus(part).strip() for part in term.partition("="))
        if not equals or not values.strip(" ,") or name not in {EVENT_TYPE, *topic.attributes}:
            legal = ", ".join((EVENT_TYPE, *sorted(topic.attributes)))
            raise BadRequest(f"query: cannot read {term!r}; legal: <name>=<value>[,<value>…] with the names {legal}")
        wanted[name] |= {value.strip() for value in values.split(",") if value.strip()}
    event_types = _event_types(wanted.pop(EVENT_TYPE, None), topic)
    return Wish(event_types=event_types, attributes={name: frozenset(values) for name, values in wanted.items()})


def _event_types(names: set[str] | None, topic: Topic) -> frozenset[str]:
    if names is None:
        return frozenset(topic.types)
    # TM Forum writes the types with a capital and the listener paths without; callers mix them up.
    asked = {name[0].upper() + name[1:] for name in names}
    unknown = sorted(asked - set(topic.types.values()))
    if unknown:
        legal = ", ".join(sorted(set(topic.types.values())))
        raise BadRequest(f"query: {EVENT_TYPE}: unknown {', '.join(unknown)}; legal: {legal}")
    return frozenset(stored for stored, wire in topic.types.items() if wire in asked)


def _texts(published: Published, path: str) -> Iterator[str]:
    """Yield the values at ``path`` of the event's resource as texts; an array stands for each of its entries."""
    if path == "correlationId":
        yield published["correlation_id"]
    elif path == "domain":
        yield published["domain"]
    else:
        yield from map(_text, _values(published["document"], path.split(".")))


def _values(value: Any, names: list[str]) -> Iterator[Any]:  # noqa: ANN401 - JSON is what it is
    if isinstance(value, list):
        for entry in value:
            yield from _values(entry, names)
    elif not names:
        yield value
    elif isinstance(value, Mapping) and names[0] in value:
        yield from _values(value[names[0]], names[1:])


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
