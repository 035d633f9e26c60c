"""Values of the activation core: intents, fragments, edits and plans. All frozen, all free of I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NewType

ServiceId = NewType("ServiceId", str)
PlanId = NewType("PlanId", str)
TransactionId = NewType("TransactionId", str)
TRANSACTION_PREFIX: Final = "lm-"
"""What every transaction id begins with: on a device it tells this platform's sessions from those of people."""

Dialect = Literal["netconf", "cli"]
Action = Literal["add", "modify", "delete", "reapply", "adopt", "redeploy", "rollback"]
"""What a request wants: of a service, or of what deviates and what was done."""
Path = tuple[str, ...]
"""A configuration node from the root down. CLI: the lines. NETCONF: ``{namespace}name[key='value']`` steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What one service (RFS) wants on one device: the template to use and its computed variables (snake_case)."""

    service_id: ServiceId
    name: str
    device: str
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One service's share of one device's configuration, as rendered.

    Attributes:
        text: rendered configuration: XML children of ``<config>`` (netconf) or indented lines (cli).
        foreign: nodes of ``text`` that stood on the device before any service owned them; never removed.
    """

    service_id: ServiceId
    device: str
    intent: str
    text: str
    foreign: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentChange:
    """What a plan does to one service's fragment on one device; ``old`` None = add, ``new`` None = delete."""

    old: Fragment | None
    new: Fragment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEdit:
    """The exact change of one device.

    Attributes:
        edit: native bytes that are pushed: the ``<config>`` element for edit-config, or CLI lines. Empty: no change.
        inverse: native bytes that undo ``edit`` on the configuration the plan was made against.
        diff: what a reviewer reads: a unified diff of the touched sections in the device's own notation.
        touched: the nodes read before and after.
        before: canonical text of the touched nodes when planned; ``base_fingerprint`` is its sha256.
        after: canonical text that reading back must give.
        shared_with: other services that own nodes touched here (blast radius).
    """

    device: str
    platform: str
    dialect: Dialect
    edit: str
    inverse: str
    diff: str
    touched: tuple[Path, ...]
    before: str
    after: str
    base_fingerprint: str
    shared_with: tuple[ServiceId, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether there is anything to push."""
        return bool(self.edit)

    def document(self) -> dict[str, Any]:
        """Return the edit as it is stored; nothing is copied, as there may be megabytes of it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One network-wide change, immutable. ``plan_hash`` is the sha256 over the canonical bytes of ``edits``."""

    plan_id: PlanId
    edits: tuple[DeviceEdit, ...]
    fragments: tuple[FragmentChange, ...]
    plan_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeNote:
    """One change of a device as the device tells it.

    Attributes:
        at: when, in the device's words.
        text: the whole entry, or what was changed in words.
        ours: whether it was one of this platform's transactions.
        own_login: whether it was made under the name that this platform logs in with; by whom, nobody knows.
        source: the address it came from; empty where the device does not tell.
        session: the number of the session.
        places: the nodes that were changed; empty where the device does not tell.
    """

    at: str
    who: str
    text: str
    ours: bool
    own_login: bool = False
    source: str = ""
    session: str = ""
    places: tuple[Path, ...] = ()
