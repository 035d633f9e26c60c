"""What an emulated NETCONF device offers: all that the platform wants, or less, as many a real one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labs.embedded.rpc_error import protocol_error
from labs.errors import LabStartError

LABEL: Final = "lastmile.netconf"
"""Node label: what the device offers, comma separated, instead of :data:`USUAL`; empty: nothing but the base."""

_PREFIX: Final = "urn:ietf:params:netconf:capability:"
CAPABILITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "candidate": (f"{_PREFIX}candidate:1.0",),
    "confirmed-commit": (f"{_PREFIX}confirmed-commit:1.0", f"{_PREFIX}confirmed-commit:1.1"),
    "interleave": (f"{_PREFIX}interleave:1.0",),
    "notification": (f"{_PREFIX}notification:1.0",),
    "rollback-on-error": (f"{_PREFIX}rollback-on-error:1.0",),
    "startup": (f"{_PREFIX}startup:1.0",),
    "validate": (f"{_PREFIX}validate:1.0", f"{_PREFIX}validate:1.1"),
    "writable-running": (f"{_PREFIX}writable-running:1.0",),
}
USUAL: Final = frozenset(
    {
        "candidate",
        "confirmed-commit",
        "interleave",
        "notification",
        "rollback-on-error",
        "validate",
    }
)
NEEDS: Final[Mapping[str, str]] = {
    "commit": "candidate",
    "discard-changes": "candidate",
    "cancel-commit": "confirmed-commit",
    "validate": "validate",
    "create-subscription": "notification",
}
"""RPCs that only a capability brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a device offers.

    Attributes:
        capabilities: keys of :data:`CAPABILITIES`.
        yang: a folder with the modules it hands out instead of its own.
    """

    capabilities: frozenset[str] = USUAL
    yang: Path | None = None


def offers(labels: Mapping[str, str]) -> frozenset[str]:
    """Return what the node with these labels offers.

    Raises:
        LabStartError: the label names something unknown; lists what is legal.
    """
    if LABEL not in labels:
        return USUAL
    wanted = frozenset(name.strip() for name in labels[LABEL].split(",") if name.strip())
    unknown = sorted(wanted - CAPABILITIES.keys())
    if unknown:
        raise LabStartError(f"{LABEL}: unknown {', '.join(unknown)}; known: {', '.join(sorted(CAPABILITIES))}")
    return wanted


def uris(offered: frozenset[str]) -> tuple[str, ...]:
    """Return the capability URIs of a hello, in the order of :data:`CAPABILITIES`."""
    return tuple(uri for name, found in CAPABILITIES.items() if name in offered for uri in found)


def check_offered(offered: frozenset[str], wanted: str, what: str) -> None:
    """Let pass what the device offers.

    Raises:
        RpcError: ``operation-not-supported``, with the capability that is missing.
    """
    if wanted not in offered:
        raise protocol_error("operation-not-supported", f"{what} needs the capability {wanted}, which is not offered")
