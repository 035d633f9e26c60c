"""What services have on devices: their fragments, and which services share a place with which."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    RowMapping,
    Select,
    TableValuedAlias,
    Text,
    TextClause,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
)

from activation import tables
from activation.model import Fragment, Path, ServiceId
from activation.places import Places, place_of, places_of
from inventory.bulk import Bulk
from inventory.entries import Entries
from inventory.ledger import Open, UnitOfWork
from inventory.store import dump

_DELETE_FRAGMENTS: Final = delete(tables.fragments).where(
    tuple_(tables.fragments.c.root_id, tables.fragments.c.device).in_(bindparam("held", expanding=True))
)


_DELETE_PLACES: Final = delete(tables.fragment_places).where(
    tuple_(tables.fragment_places.c.root_id, tables.fragment_places.c.device).in_(bindparam("held", expanding=True))
)


_INSERT_FRAGMENTS: Final = Bulk(insert(tables.fragments))


def _sharers(given: TableValuedAlias) -> Select[Any]:
    """Return each of the ``given`` places with one service that holds it, but for ``roots``; null: nobody else.

    One look into the index per place, however many services share it.
    """
    here = tables.fragment_places.c
    place = cast(given.c.value, BigInteger)
    holder = (
        select(here.root_id)
        .where(
            here.device == bindparam("device"),
            here.place == place,
            here.root_id.not_in(bindparam("roots", expanding=True)),
        )
        .order_by(here.root_id)
        .limit(1)
    )
    return select(place, holder.correlate(given).scalar_subquery()).select_from(given)


_INSERT_PLACES: Final[Mapping[str, TextClause]] = {
    # A group of activations brings tens of thousands: the database takes them apart faster than it is handed rows.
    "sqlite": text(
        """
        INSERT INTO fragment_place (device, place, root_id)
        SELECT :device, place.value, root.key FROM json_each(:held) AS root, json_each(root.value) AS place
        """
    ),
    "postgresql": text(
        """
        INSERT INTO fragment_place (device, place, root_id)
        SELECT :device, CAST(place.value AS BIGINT), root.key
        FROM json_each(CAST(:held AS JSON)) AS root, json_array_elements_text(root.value) AS place
        """
    ),
}
"""Write the places ``held``, lists by root as a JSON object, on one device."""
_SHARERS: Final[Mapping[str, Select[Any]]] = {
    "sqlite": _sharers(func.json_each(bindparam("places", type_=Text)).table_valued("value")),
    "postgresql": _sharers(
        func.json_array_elements_text(cast(bindparam("places", type_=Text), JSON)).table_valued("value")
    ),
}
_ALL_SHARERS: Final = (
    select(tables.fragment_places.c.root_id)
    .where(
        tables.fragment_places.c.device == bindparam("device"),
        tables.fragment_places.c.place.in_(bindparam("places", expanding=True)),
        tables.fragment_places.c.root_id.not_in(bindparam("roots", expanding=True)),
    )
    .distinct()
)


_FRAGMENTS_OF: Final = (
    select(tables.fragments)
    .where(tables.fragments.c.root_id.in_(bindparam("roots", expanding=True)))
    .order_by(tables.fragments.c.service_id, tables.fragments.c.intent)
)


_ALL_OF: Final = (
    select(tables.fragments)
    .where(tables.fragments.c.root_id.in_(bindparam("roots", expanding=True)))
    .order_by(tables.fragments.c.device, tables.fragments.c.service_id, tables.fragments.c.intent)
)
_OTHER_PARTS: Final = (
    select(tables.fragments)
    .where(
        tables.fragments.c.root_id.in_(bindparam("roots", expanding=True)),
        tables.fragments.c.service_id.not_in(bindparam("parts", expanding=True)),
    )
    .order_by(tables.fragments.c.device, tables.fragments.c.service_id, tables.fragments.c.intent)
)
_HELD_BY: Final = select(tables.fragments).where(
    tables.fragments.c.service_id.in_(bindparam("services", expanding=True))
)


def fragments_of(connection: Connection, roots: Collection[str]) -> Mapping[str, tuple[Fragment, ...]]:
    """Return the fragments of each of the services ``roots``, their supporting services' among them."""
    by_root: dict[str, list[Fragment]] = defaultdict(list)
    for row in connection.execute(_ALL_OF, {"roots": list(roots)}).mappings():
        by_root[row["root_id"]].append(fragment_of(row))
    return {root: tuple(by_root[root]) for root in roots}


def fragments_sharing(
    connection: Connection, roots: Iterable[str], places: Mapping[str, Iterable[Path]]
) -> Mapping[str, tuple[Fragment, ...]]:
    """Return, by device, fragments that hold one of ``places``, of services other than ``roots``.

    Of the services that share a place one is enough to know that it is not ours alone: the cost of a change does not
    grow with how many there are.
    """
    found: dict[str, tuple[Fragment, ...]] = {}
    ours = sorted(roots)
    for device, wanted in places.items():
        sharing = set(_holders(connection, ours, device, places_of(wanted)).values())
        found[device] = _of_roots(connection, device, sharing) if sharing else ()
    return found


def other_parts(
    connection: Connection, roots: Iterable[str], parts: Iterable[str]
) -> Mapping[str, tuple[Fragment, ...]]:
    """Return, by device, what the services ``roots`` have but for these of their ``parts``."""
    by_device: dict[str, list[Fragment]] = defaultdict(list)
    for row in connection.execute(_OTHER_PARTS, {"roots": sorted(roots), "parts": sorted(parts)}).mappings():
        by_device[row["device"]].append(fragment_of(row))
    return {device: tuple(found) for device, found in by_device.items()}


def held_places(
    connection: Connection, roots: Iterable[str], places: Mapping[str, Iterable[Path]]
) -> Mapping[str, frozenset[Path]]:
    """Return, by device, those of ``places`` that services other than ``roots`` hold."""
    found: dict[str, frozenset[Path]] = {}
    ours = sorted(roots)
    for device, wanted in places.items():
        keyed = [(place_of(path), path) for path in wanted]
        held = _holders(connection, ours, device, (key for key, _ in keyed))
        found[device] = frozenset(path for key, path in keyed if key in held)
    return found


def _holders(connection: Connection, roots: Sequence[str], device: str, places: Iterable[int]) -> Mapping[int, str]:
    """Return one service other than ``roots`` that holds each of the places which somebody else holds."""
    if not (wanted := sorted(places)):
        return {}
    asked = {"device": device, "roots": roots, "places": json.dumps(wanted)}
    rows = connection.execute(_SHARERS[connection.dialect.name], asked)
    return {place: root for place, root in rows if root is not None}


def sharers(
    connection: Connection, roots: Iterable[str], places: Mapping[str, Iterable[int]]
) -> Mapping[str, frozenset[str]]:
    """Return, by device, every service other than ``roots`` that holds one of ``places``; costs as many rows.

    ``places`` as :func:`place_keys` gives them.
    """
    ours = sorted(roots)
    found: dict[str, frozenset[str]] = {}
    for device, wanted in places.items():
        rows = connection.execute(_ALL_SHARERS, {"device": device, "roots": ours, "places": sorted(wanted)})
        found[device] = frozenset(rows.scalars())
    return found


def replace_fragments(uow: UnitOfWork, root_id: str, by_device: Mapping[str, Mapping[Fragment, Places]]) -> None:
    """Make these the fragments of the service ``root_id`` on these devices; each comes with the places it holds.

    For whoever holds the devices' locks. What the service has elsewhere stays as it is.
    """
    for device, fragments in by_device.items():
        uow.sheet(FragmentSheet).replace(root_id, device, fragments)


@dataclass(frozen=True, slots=True)
class _Fragments:
    """The fragments that a service is to have on a device, with their places."""

    wanted: Mapping[Fragment, Places]
    is_written: bool = False


class FragmentSheet:
    """A :class:`inventory.ledger.Sheet` of fragments and the places they hold."""

    def __init__(self, unit: Open) -> None:
        self._unit = unit
        self._entries: Entries[tuple[str, str], _Fragments] = Entries()
        self.mark, self.undo = self._entries.mark, self._entries.undo

    def replace(self, root_id: str, device: str, fragments: Mapping[Fragment, Places]) -> None:
        """Note what the service is to have on the device."""
        self._entries.put((root_id, device), _Fragments(fragments))

    def flush(self) -> None:
        """Write what is not written yet."""
        changed = dict(self._entries.unwritten())
        if not changed:
            return
        for statement in (_DELETE_FRAGMENTS, _DELETE_PLACES):
            self._unit.reader.execute(statement, {"held": list(changed)})
        rows = [fragment_row(root, fragment) for (root, _), entry in changed.items() for fragment in entry.wanted]
        if rows:
            _INSERT_FRAGMENTS.execute(self._unit.reader, rows)
        wanted: dict[str, dict[Fragment, Places]] = defaultdict(dict)
        for (root, _), entry in changed.items():
            wanted[root].update(entry.wanted)
        _index(self._unit.reader, wanted)
        for key, entry in changed.items():
            self._entries.put(key, replace(entry, is_written=True))


def unindexed(connection: Connection) -> Mapping[str, tuple[Fragment, ...]]:
    """Return the fragments whose places are not known, by the service they belong to: those of an older release."""
    here = tables.fragments.c
    known = select(tables.fragment_places.c.root_id)
    found: dict[str, list[Fragment]] = defaultdict(list)
    for row in connection.execute(select(tables.fragments).where(here.root_id.not_in(known))).mappings():
        found[row["root_id"]].append(fragment_of(row))
    return {root_id: tuple(fragments) for root_id, fragments in found.items()}


def index(uow: UnitOfWork, fragments: Mapping[str, Mapping[Fragment, Places]]) -> None:
    """Keep the places of fragments, by the service they belong to."""
    _index(uow.connection, fragments)


def _index(connection: Connection, fragments: Mapping[str, Mapping[Fragment, Places]]) -> None:
    by_device: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for root_id, held in fragments.items():
        for fragment, kept in held.items():
            by_device[fragment.device].setdefault(root_id, []).extend(kept)
    insert_places = _INSERT_PLACES[connection.dialect.name]
    for device, held_by_root in sorted(by_device.items()):
        places = {root_id: list(dict.fromkeys(kept)) for root_id, kept in held_by_root.items()}
        connection.execute(insert_places, {"device": device, "held": dump(places)})


def _of_roots(connection: Connection, device: str, roots: Iterable[str]) -> tuple[Fragment, ...]:
    # The device is no condition of the statement: a database might walk over all that is on it.
    found = connection.execute(_FRAGMENTS_OF, {"roots": sorted(roots)})
    return tuple(fragment_of(row) for row in found.mappings() if row["device"] == device)


def place_keys(places: Mapping[str, Iterable[Path]]) -> Mapping[str, list[int]]:
    """Return, by device, what stands for these places in the database."""
    return {device: sorted(places_of(paths)) for device, paths in places.items()}


def owners(connection: Connection, service_ids: Iterable[str]) -> Mapping[str, str]:
    """Return which service (root) each of the supporting services with fragments belongs to."""
    return {service_id: root for (service_id, _, _), (root, _) in held_by(connection, service_ids).items()}


def held_by(connection: Connection, service_ids: Iterable[str]) -> Mapping[tuple[str, str, str], tuple[str, Fragment]]:
    """Return every fragment of these services, by service, device and intent, with the service (root) it belongs to."""
    found = connection.execute(_HELD_BY, {"services": sorted(service_ids)}).mappings()
    return {(row["service_id"], row["device"], row["intent"]): (row["root_id"], fragment_of(row)) for row in found}


def fragment_row(root_id: str, fragment: Fragment) -> dict[str, Any]:
    """Return the row that holds a fragment of the service ``root_id``; :func:`fragment_of` reads it."""
    return {
        "service_id": fragment.service_id,
        "device": fragment.device,
        "intent": fragment.intent,
        "root_id": root_id,
        "text": fragment.text,
        "foreign_nodes": dump(sorted(fragment.foreign)),
    }


def fragment_of(row: RowMapping) -> Fragment:
    """Return the fragment that a row of the table holds."""
    return Fragment(
        service_id=ServiceId(row["service_id"]),
        device=row["device"],
        intent=row["intent"],
        text=row["text"],
        foreign=frozenset(tuple(path) for path in json.loads(row["foreign_nodes"])),
    )
