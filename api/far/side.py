"""One process's side of a split deployment: what it is, whom it asks, and how it hears."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from api.authors import RecordedAuthors
from api.errors import StartRefused
from api.far.asking import SEND, FarActivation, FarOrders
from api.far.catching_up import CHECK, JOIN, Checking, Joining, join
from api.far.model import BELOW, Address, Layer
from api.far.places import FarPlaces
from api.far.sending import Sending
from api.far.wire import Wire
from api.runtime.database import Database
from api.runtime.worker import Worker
from api.settings import Settings
from inventory.ledger import UnitOfWork

AT_ONCE: Final = 16
GRACE_S: Final = 12.0
FAR_KINDS: Final = (SEND, CHECK, JOIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The layers of this process, and the connections to those below them that are others'.

    Attributes:
        places: what is known of places, where another process knows it: ROM, or SOM, which asks that.
    """

    here: frozenset[Layer]
    wires: Mapping[Layer, Wire] = field(default_factory=dict)
    places: FarPlaces | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every layer is in this process."""
        return self.here == frozenset(Layer)

    @property
    def services(self) -> FarOrders | None:
        """TMF641, where that is another process."""
        return FarOrders(layer=Layer.SOM, kind="serviceOrder") if Layer.SOM in self.wires else None

    @property
    def resources(self) -> FarOrders | None:
        """TMF652, where that is another process."""
        return FarOrders(layer=Layer.ROM, kind="resourceOrder") if Layer.ROM in self.wires else None

    @property
    def activation(self) -> FarActivation | None:
        """TMF640, where that is another process."""
        return FarActivation() if Layer.ACTIVATION in self.wires else None

    def close(self) -> None:
        """Close the connections."""
        for wire in self.wires.values():
            wire.close()


def side_of(settings: Settings) -> Side:
    """Return this process's side.

    Raises:
        StartRefused: a layer below is neither here nor named, or one is named that is not asked; says which.
    """
    here = frozenset(settings.layer) or frozenset(Layer)
    needed = frozenset(below for layer in here for below in BELOW[layer]) - here
    missing, useless = needed - settings.upstream.keys(), settings.upstream.keys() - needed
    if missing:
        names = ", ".join(f"{layer}=http://…" for layer in sorted(missing))
        raise StartRefused(f"layer {_names(here)} sends orders to {_names(missing)}: say where, --upstream {names}")
    if useless:
        raise StartRefused(
            f"--upstream: layer {_names(here)} sends nothing to {_names(useless)}; legal: {_names(needed)}"
        )
    if unknown := settings.upstream_tokens.keys() - needed:
        raise StartRefused(f"LASTMILE_UPSTREAM_TOKENS: a token for {_names(unknown)}; legal: {_names(needed)}")
    wires = {layer: Wire(address=_address(settings, layer)) for layer in needed}
    knows = (wires.get(Layer.ROM) or wires.get(Layer.SOM)) if Layer.ROM not in here else None
    return Side(here=here, wires=wires, places=FarPlaces(wire=knows) if knows is not None else None)


@contextmanager
def asking(settings: Settings, side: Side, database: Database) -> Iterator[None]:
    """Send what is to be sent while the block runs, and have the layers below told where their events go."""
    if not side.wires:
        yield
        return
    authors = RecordedAuthors()

    def author_of(uow: UnitOfWork, correlation_id: str) -> str:
        return authors.author_of(uow, "", correlation_id)

    patience_s = settings.upstream_patience_s
    own_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    worker = Worker(
        database=database,
        handlers={},
        device_handlers={
            SEND: Sending(name=_names(side.here), wires=side.wires, author_of=author_of, patience_s=patience_s),
            CHECK: Checking(wires=side.wires, patience_s=patience_s),
            JOIN: Joining(wires=side.wires, own_url=own_url),
        },
        concurrency=AT_ONCE,
    )
    with database.begin() as uow:
        for layer in sorted(side.wires):
            join(uow, layer)
    worker.start()
    try:
        yield
    finally:
        worker.stop(grace_s=GRACE_S)
        side.close()


def _address(settings: Settings, layer: Layer) -> Address:
    token = settings.upstream_tokens.get(layer)
    return Address(layer=layer, url=settings.upstream[layer], token=token.get_secret_value() if token else "")


def _names(layers: Iterable[Layer]) -> str:
    return ",".join(sorted(layers))
