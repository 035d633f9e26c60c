"""Errors of this package.

InventoryError
├── IllegalTransition      (lifecycle)  a move the table does not have
├── StaleState             a conditional update met another state than it expected
├── UnknownResource        an id or name that is not there; lists what is known
├── PoolExhausted          no free value left
├── NotServed              no network element serves this place
├── PortUnfit              a port that people chose cannot be had; names those that can
├── OwnerConflict          an owner asks again, but for something else
├── ValueTaken             one value of a pool is wanted, and is another's by now
├── BadNetwork             network data that contradicts itself; names every problem
├── NoSecret               the place that a password is kept at has none
└── StillReserved          an import would drop what live reservations stand on
"""

from collections.abc import Iterable


class InventoryError(Exception):
    """Root of the errors that inventory code raises on purpose."""


class StaleState(InventoryError):
    """Somebody else moved the row first: nothing was written."""

    def __init__(self, kind: str, key: str, expected: str) -> None:
        self.kind, self.key, self.expected = kind, key, expected
        super().__init__(f"{kind} {key!r} is no longer {expected!r}: it was changed meanwhile; nothing was written")


class UnknownResource(InventoryError):
    """An id or name nobody has; the message lists the known ones where they are few."""

    SHOWN = 8

    def __init__(self, kind: str, key: str, known: Iterable[str] = (), hint: str = "") -> None:
        self.kind, self.key = kind, key
        names = sorted(known)
        shown = ", ".join(names[: self.SHOWN]) + (", …" if len(names) > self.SHOWN else "")
        super().__init__(
            f"unknown {kind} {key!r}" + (f"; known: {shown}" if names else "") + (f"; {hint}" if hint else "")
        )


class PoolExhausted(InventoryError):
    """Every value of the pool is taken; the message says how many there are."""

    def __init__(self, pool: str, size: int) -> None:
        self.pool, self.size = pool, size
        super().__init__(f"pool {pool!r} is exhausted: all {size} values are taken")


class NotServed(InventoryError):
    """No network element serves the place, or one lacks what the service needs there."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        super().__init__(f"place {place!r} cannot be served: {reason}")


class PortUnfit(InventoryError):
    """A port that somebody wants cannot be had; ``legal`` are those that can."""

    SHOWN = 12

    def __init__(self, device: str, port: str, reason: str, legal: tuple[str, ...]) -> None:
        self.device, self.port, self.reason = device, port, reason
        shown = ", ".join(legal[: self.SHOWN]) + (", …" if len(legal) > self.SHOWN else "")
        self.legal = shown or "none: every port is full"
        super().__init__(f"port {port!r} of {device!r} cannot be had: {reason}; legal: {self.legal}")


class ValueTaken(InventoryError):
    """A value is not free; ``holder`` is the resource that has it, or empty where the pool has no such value."""

    def __init__(self, pool: str, name: str, holder: str) -> None:
        self.pool, self.name, self.holder = pool, name, holder
        why = f"it is reserved as resource {holder}" if holder else "the pool does not have it any more"
        super().__init__(f"{name} of pool {pool!r} is not free: {why}")


class OwnerConflict(InventoryError):
    """The owner already holds a resource, and it is not of the kind asked for: owners are unique per reservation."""

    def __init__(self, owner: str, held: str, asked: str) -> None:
        self.owner, self.held, self.asked = owner, held, asked
        super().__init__(f"owner {owner!r} already holds {held}; it cannot hold {asked} as well")


class BadNetwork(InventoryError):
    """Network data that cannot be used; ``problems`` says what is wrong where and what is legal."""

    def __init__(self, source: str, problems: tuple[str, ...]) -> None:
        self.source, self.problems = source, problems
        super().__init__(f"{source}: " + "; ".join(problems))


class NoSecret(InventoryError):
    """A device's password is not where the inventory says it is."""

    def __init__(self, device: str, reason: str) -> None:
        self.device = device
        super().__init__(f"no password for {device}: {reason}")


class StillReserved(InventoryError):
    """Network data that would take devices, pools or values away from live reservations; nothing was imported."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("network import refused, live reservations need: " + "; ".join(problems))
