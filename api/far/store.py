"""Requests to layers in other processes, as stored."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from api.far.model import OPEN, FarRequest, Layer, Stand
from api.far.tables import neighbours, requests
from inventory.documents import json_text
from inventory.errors import UnknownResource
from inventory.ledger import UnitOfWork

_KEPT: Final = ("request_id", "kind", "external_id", "about", "correlation_id", "method", "path")
_OPEN: Final = tuple(map(str, sorted(OPEN)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A layer whose events this process takes."""

    layer: Layer
    secret: str
    callback: str = ""
    subscription_id: str = ""


def add(uow: UnitOfWork, request: FarRequest) -> None:
    """Store a new request."""
    values = {name: getattr(request, name) for name in _KEPT}
    values |= {"layer": str(request.layer), "state": str(request.state), "body": json_text(request.body)}
    values |= {"remote_id": request.remote_id, "heard_at": request.heard_at, "asked_at": uow.now}
    uow.connection.execute(insert(requests).values(values))


def save(uow: UnitOfWork, request: FarRequest, **changes: Any) -> FarRequest:  # noqa: ANN401 - as dataclasses.replace
    """Store what changed of a request, and return it."""
    after = replace(request, **changes)
    values = {"state": str(after.state), "remote_id": after.remote_id, "heard_at": after.heard_at, "path": after.path}
    uow.connection.execute(update(requests).where(requests.c.request_id == request.request_id).values(values))
    return after


def get(connection: Connection, request_id: str) -> FarRequest:
    """Return the request with this id.

    Raises:
        UnknownResource: there is none.
    """
    found = _first(connection, request_id=request_id)
    if found is None:
        raise UnknownResource("request to another layer", request_id)
    return found


def find(connection: Connection, kind: str, *, external_id: str = "", remote_id: str = "") -> FarRequest | None:
    """Return the request that the other side, or this one, calls so; None where nobody asked for it."""
    found = _first(connection, kind=kind, remote_id=remote_id) if remote_id else None
    if found is None and external_id:
        found = _first(connection, kind=kind, external_id=external_id)
    return found


def made_at(connection: Connection, kind: str, about: str) -> str:
    """Return the path at which the other side has what this one calls ``about``; empty where it is called so there."""
    here = requests.c
    made = (here.kind == kind, here.about == about, here.method == "POST")
    wanted = select(here.path).where(*made).order_by(here.asked_at.desc()).limit(1)
    path = connection.execute(wanted).scalar() or ""
    return path if _is_one(path) else ""


def _is_one(path: str) -> bool:
    return path.rpartition("/")[0].endswith("/service")


def opened(connection: Connection, layer: Layer) -> Sequence[FarRequest]:
    """Return the requests to ``layer`` that have not ended, oldest first."""
    here = requests.c
    wanted = select(requests).where(here.layer == str(layer), here.state.in_(_OPEN)).order_by(here.asked_at)
    return [_request(row) for row in connection.execute(wanted).mappings()]


def of_chain(connection: Connection, correlation_id: str) -> Sequence[FarRequest]:
    """Return what was asked for the sake of one chain, oldest first."""
    wanted = select(requests).where(requests.c.correlation_id == correlation_id).order_by(requests.c.asked_at)
    return [_request(row) for row in connection.execute(wanted).mappings()]


def asked(connection: Connection) -> Mapping[str, bool]:
    """Return everything that was ever asked by its external id, and whether it has not ended."""
    rows = connection.execute(select(requests.c.external_id, requests.c.state))
    return {row.external_id: row.state in _OPEN for row in rows}


def neighbours_known(connection: Connection) -> Sequence[Layer]:
    """Return the layers in other processes that this one has joined."""
    return [Layer(name) for name in connection.execute(select(neighbours.c.layer)).scalars()]


def neighbour(uow: UnitOfWork, layer: Layer) -> Neighbour:
    """Return what is kept of ``layer``; its secret is made at the first time."""
    found = uow.connection.execute(select(neighbours).where(neighbours.c.layer == str(layer))).mappings().first()
    if found is not None:
        return _neighbour(found)
    made = Neighbour(layer=layer, secret=secrets.token_urlsafe(32))
    values = {"layer": str(layer), "secret": made.secret, "callback": "", "subscription_id": ""}
    uow.connection.execute(insert(neighbours).values(values))
    return made


def joined(uow: UnitOfWork, layer: Layer, *, callback: str, subscription_id: str) -> None:
    """Note where ``layer`` sends its events, and what it calls the subscription."""
    values = {"callback": callback, "subscription_id": subscription_id}
    uow.connection.execute(update(neighbours).where(neighbours.c.layer == str(layer)).values(values))


def neighbour_of(connection: Connection, secret: str) -> Neighbour | None:
    """Return the layer that was told this secret; None: nobody was."""
    found = [_neighbour(row) for row in connection.execute(select(neighbours)).mappings()]
    return next((each for each in found if secrets.compare_digest(each.secret.encode(), secret.encode())), None)


def _first(connection: Connection, **wanted: str) -> FarRequest | None:
    conditions = [requests.c[name] == value for name, value in wanted.items()]
    row = connection.execute(select(requests).where(*conditions)).mappings().first()
    return _request(row) if row is not None else None


def _request(row: RowMapping) -> FarRequest:
    kept: Mapping[str, str] = {name: row[name] for name in (*_KEPT, "remote_id", "heard_at")}
    return FarRequest(layer=Layer(row["layer"]), state=Stand(row["state"]), body=json.loads(row["body"]), **kept)


def _neighbour(row: RowMapping) -> Neighbour:
    return Neighbour(
        layer=Layer(row["layer"]),
        secret=row["secret"],
        callback=row["callback"],
        subscription_id=row["subscription_id"],
    )
