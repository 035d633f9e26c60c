"""Who acts over HTTP, and what each role may do: one table. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api.errors import NotAllowed


class Role(StrEnum):
    """What a token may be used for."""

    OPERATOR = "operator"
    """Orders, dry runs, reading."""
    REVIEWER = "reviewer"
    """Reading, dry runs, and deciding about plans that wait."""
    LAYER = "layer"
    """For the process of another layer: orders, cancelling, activation, reading, and subscribing to events."""
    ADMIN = "admin"
    """Everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever sends a request: the name of the token and its role."""

    name: str
    role: Role


ANONYMOUS: Final = Actor(name="anonymous", role=Role.ADMIN)
"""Everybody, while requests need no token."""

_EVERYBODY: Final = frozenset(Role)
_OPERATORS: Final = frozenset({Role.OPERATOR, Role.ADMIN})
LAYERS: Final = frozenset({Role.LAYER, Role.ADMIN})
_ORDERING: Final = _OPERATORS | LAYERS
_REVIEWERS: Final = frozenset({Role.REVIEWER, Role.ADMIN})
_ADMINS: Final = frozenset({Role.ADMIN})

RULES: Final = (
    ("GET", r"/.*", _EVERYBODY),
    ("POST", r"/lastmile/v1/plan", _EVERYBODY),
    ("POST", r"/lastmile/v1/repair/dryRun", _EVERYBODY),
    ("POST", r"/lastmile/v1/repair", _OPERATORS),
    ("POST", r"/lastmile/v1/serviceTest/[^/]+", _OPERATORS),
    ("POST", r"/lastmile/v1/serviceClaim/[^/]+/release", _OPERATORS),
    ("POST", r"/lastmile/v1/serviceOrder/[^/]+/[^/]+", _ORDERING),
    ("POST", r"/lastmile/v1/productOrder/[^/]+/[^/]+", _OPERATORS),
    ("POST", r"/lastmile/v1/device/[^/]+/release", _OPERATORS),
    ("POST", r"/lastmile/v1/review/[^/]+/(approve|reject)", _REVIEWERS),
    ("POST", r"/tmf-api/productOrderingManagement/v4/(productOrder|cancelProductOrder)", _OPERATORS),
    ("POST", r"/tmf-api/serviceOrdering/v4/(serviceOrder|cancelServiceOrder)", _ORDERING),
    ("POST", r"/tmf-api/resourceOrderingManagement/v4/(resourceOrder|cancelResourceOrder)", _ORDERING),
    ("(PATCH|DELETE)", r"/tmf-api/[^/]+/v4/(productOrder|serviceOrder|resourceOrder)/[^/]+", _OPERATORS),
    ("(POST|PATCH|DELETE)", r"/tmf-api/ServiceActivationAndConfiguration/v4/service(/[^/]+)?", _ORDERING),
    ("POST", r"/lastmile/v1/mail/[^/]+/replay", _OPERATORS),
    ("POST", r"/lastmile/v1/monitor/[^/]+/cancel", _ORDERING),
    ("POST", r"/lastmile/v1/byHand", LAYERS),
    ("(POST|DELETE)", r"/tmf-api/[^/]+/v4/hub(/[^/]+)?", LAYERS),
    ("POST", r"/tmf-api/serviceQualificationManagement/v4/checkServiceQualification", _EVERYBODY),
    ("POST", r"/lastmile/v1/catalog", _ADMINS),
    (
        "(POST|PATCH|DELETE)",
        r"/tmf-api/(productCatalogManagement|serviceCatalogManagement|resourceCatalog)/v4/[A-Za-z]+(/[^/]+)?",
        _ADMINS,
    ),
    (".*", r".*", _ADMINS),
)
"""Method, path without a trailing slash, and who may; the first rule that fits holds."""


def allowed(method: str, path: str) -> frozenset[Role]:
    """Return the roles that may send this request."""
    bare = path.rstrip("/") or "/"
    return next(roles for verb, place, roles in RULES if re.fullmatch(verb, method) and re.fullmatch(place, bare))


def authorize(actor: Actor, method: str, path: str) -> None:
    """Do nothing where ``actor`` may send this request.

    Raises:
        NotAllowed: names the actor, the role and the roles that may.
    """
    roles = allowed(method, path)
    if actor.role not in roles:
        legal = ", ".join(sorted(roles))
        raise NotAllowed(f"{actor.name!r} has the role {str(actor.role)!r}; {method} {path} takes one of: {legal}")
