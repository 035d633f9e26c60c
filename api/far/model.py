"""What a layer asks of a layer in another process. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from orders.states import ENDED, FINAL


class Layer(StrEnum):
    """A part of the platform that can be a process of its own."""

    COM = "com"
    """Product orders, catalog and inventory: TMF622, 620, 637."""
    SOM = "som"
    """Service orders, catalog and inventory: TMF641, 633, 638."""
    ROM = "rom"
    """Resource orders, catalog, inventory and pools: TMF652, 634, 639."""
    ACTIVATION = "activation"
    """Activation and the devices: TMF640."""


BELOW: Final = {
    Layer.COM: frozenset({Layer.SOM}),
    Layer.SOM: frozenset({Layer.ROM, Layer.ACTIVATION}),
    Layer.ROM: frozenset[Layer](),
    Layer.ACTIVATION: frozenset[Layer](),
}
"""Which layers each of them sends orders to."""


class Stand(StrEnum):
    """How far a request is."""

    WAITING = "waiting"
    """Nothing was sent: it can still be taken back here."""
    SENDING = "sending"
    """It may have arrived."""
    SENT = "sent"
    """The other side has it and will tell what comes of it."""
    ENDED = "ended"
    WITHDRAWN = "withdrawn"
    """Taken back before anything was sent."""


OPEN: Final = frozenset({Stand.WAITING, Stand.SENDING, Stand.SENT})

MONITOR: Final = "monitor"
MONITOR_ENDS: Final = frozenset({"Completed", "InError"})
END_STATES: Final = frozenset(map(str, FINAL | ENDED)) | MONITOR_ENDS


@dataclass(frozen=True, slots=True, kw_only=True)
class FarRequest:
    """One request to a layer in another process.

    Attributes:
        request_id: what this side calls it, before the other side has given it an id.
        kind: what the other side makes of it: ``serviceOrder``, ``cancelServiceOrder``, …, ``monitor``.
        external_id: what the order behind it calls it; one request for ever.
        about: the request that it cancels, or the service that it activates; what is about the same goes in order.
        path: of the collection or the resource that it is sent to; ``{about}`` in it is the cancelled one's id there.
        remote_id: the id that the other side gave; empty until that is known.
        heard_at: when the last event about it happened there.
    """

    request_id: str
    layer: Layer
    kind: str
    external_id: str
    about: str
    correlation_id: str
    method: str
    path: str
    body: dict[str, Any] = field(default_factory=dict)
    state: Stand = Stand.WAITING
    remote_id: str = ""
    heard_at: str = ""

    @property
    def lane(self) -> str:
        """The lane its sending waits in."""
        return f"far:{self.about or self.request_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a layer listens, and with what it is asked.

    Attributes:
        token: of the role ``layer``; empty: it wants none.
    """

    layer: Layer
    url: str
    token: str = field(default="", repr=False)


EVENTS: Final = {
    "serviceOrder": "ServiceOrderStateChangeEvent",
    "cancelServiceOrder": "CancelServiceOrderStateChangeEvent",
    "resourceOrder": "ResourceOrderStateChangeEvent",
    "cancelResourceOrder": "CancelResourceOrderStateChangeEvent",
    "monitor": "MonitorStateChangeEvent",
}
"""The event that tells of each kind, in the words of the layers' own subscriptions."""
