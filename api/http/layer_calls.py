"""Requests of the layer above, where that runs as a process of its own: which chain they belong to, and who ordered.

Three headers, honoured from whoever has the role ``layer`` (or ``admin``) and ignored from anybody else::

    X-Lastmile-Layer: com                  the caller is a layer: what it sends is its own to undo
    X-Correlation-ID: <id>                 goes along the whole chain, and stands in every event
    X-Lastmile-Author: alice               who ordered it in the first place: nobody approves what they ordered
"""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from api.errors import BadRequest
from api.http.requests import Acting
from api.roles import LAYERS, Actor

LAYER: Final = "X-Lastmile-Layer"
CORRELATION: Final = "X-Correlation-ID"
AUTHOR: Final = "X-Lastmile-Author"
LONGEST: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCall:
    """What a layer says with its request.

    Attributes:
        name: what it calls the request (``Idempotency-Key``); one request for ever.
        author: who stands in the history as the one who asked for it.
    """

    correlation_id: str
    name: str
    author: str


async def layer_call(request: Request, actor: Acting) -> LayerCall | None:
    """Return what the layer above says; None where somebody else asks.

    Raises:
        BadRequest: a header that is missing, too long or not printable; names it.
    """
    if actor.role not in LAYERS or LAYER not in request.headers:
        return None
    return LayerCall(
        correlation_id=_header(request, CORRELATION),
        name=_header(request, "Idempotency-Key"),
        author=_header(request, AUTHOR, default=actor.name),
    )


FromLayer = Annotated[LayerCall | None, Depends(layer_call)]


def on_behalf(actor: Actor, call: LayerCall | None) -> str:
    """Return who stands in the history: whoever ordered, or whoever sends the request."""
    return call.author if call is not None else actor.name


def _header(request: Request, name: str, default: str = "") -> str:
    value = request.headers.get(name, "").strip() or default
    if not value or len(value) > LONGEST or not value.isprintable():
        raise BadRequest(f"{name}: a layer's request needs it; legal: 1 to {LONGEST} printable characters")
    return value
