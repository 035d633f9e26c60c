"""What an emulated device can be told to do wrong: the kinds, and a node's board of those that are on."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from labs.errors import UnknownFault, UnusableFault

ALWAYS: Final = -1

Trait = Literal["cables", "candidate", "confirmed commit", "device", "login", "prompt", "validation"]
"""What a node must have for a fault to mean something there.

``login``: an SSH server of ours. ``device``: all behind it is emulated, down to reads, edits and commits. ``cables``:
its ports are seen, by itself or by packets. The others are what they say.
"""
EMULATED: Final[frozenset[Trait]] = frozenset({"device", "login"})
"""What every emulated device has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of trouble.

    Attributes:
        parameter: what ``value`` of a fault means, with its unit; empty where the kind takes none.
        default: ``value`` where the fault gives none.
        lasts: it is a state of the device, not an event: it is on until it is cleared.
        needs: what a node must have for it.
    """

    what: str
    parameter: str = ""
    default: float = 0.0
    lasts: bool = False
    needs: Trait = "device"


KINDS: Final[Mapping[str, Kind]] = {
    # The line and the login
    "unreachable": Kind(
        what="its sockets close and its sessions break; the configuration stays", lasts=True, needs="login"
    ),
    "link_down": Kind(
        what="has a cable cut; a switch shows the port, packets (netns) find another way or none",
        parameter="number of the interface",
        default=1,
        lasts=True,
        needs="cables",
    ),
    "latency": Kind(what="every reply comes late", parameter="seconds", default=0.02, lasts=True),
    "hang_before_hello": Kind(what="lets the client log in and then says nothing: no hello, no prompt, no answer"),
    "session_limit": Kind(
        what="refuses sessions beyond a number", parameter="sessions", default=2, lasts=True, needs="login"
    ),
    "login_rate": Kind(
        what="refuses logins beyond a rate (eAPI: requests, as each logs in)",
        parameter="logins a minute",
        default=6,
        lasts=True,
        needs="login",
    ),
    "idle_disconnect": Kind(what="drops a session nobody uses", parameter="seconds", default=1, lasts=True),
    "changed_host_key": Kind(
        what="shows another SSH host key than before (eAPI: another certificate)", lasts=True, needs="login"
    ),
    "garbage": Kind(what="answers with bytes that are no NETCONF frame, no JSON, or that no terminal should print"),
    "huge_reply": Kind(what="pads the answer to a read", parameter="megabytes", default=10),
    # Locks and candidates
    "lock_held": Kind(what="another session holds the lock (CLI: keeps a configuration session pending)", lasts=True),
    "stale_lock": Kind(
        what="notices the end of a session late, and what it held stays held: the lock, the configuration mode "
        "(EOS: its configuration session, which nobody can abort meanwhile)",
        parameter="seconds",
        default=2,
        lasts=True,
    ),
    "dirty_candidate": Kind(
        what="somebody's uncommitted change lies in the candidate (EOS: in a configuration session of theirs)",
        lasts=True,
        needs="candidate",
    ),
    # Edits
    "refuse_edit": Kind(what="refuses an edit"),
    "many_errors": Kind(what="refuses an edit with several errors", parameter="errors", default=3),
    "refuse_validate": Kind(what="takes the edit and refuses to validate it", needs="validation"),
    "drop_in_edit": Kind(what="breaks the session in the middle of an edit"),
    # Commits
    "refuse_commit": Kind(what="refuses to commit"),
    "hang_in_commit": Kind(what="never answers a commit, and does not do it"),
    "drop_before_commit": Kind(what="breaks the session instead of committing"),
    "drop_after_commit": Kind(what="commits, and breaks the session before it says so"),
    "commit_changes_nothing": Kind(what="says that it committed, and did not"),
    "commit_in_part": Kind(what="says that it committed, and did a part of it"),
    "commit_time": Kind(what="every commit takes long", parameter="seconds", default=0.2, lasts=True),
    "commit_time_growing": Kind(
        what="every commit takes longer the more is configured",
        parameter="seconds per 1000 entries",
        default=1,
        lasts=True,
    ),
    # Confirmed commits and going back
    "timer_early": Kind(
        what="takes an unconfirmed commit back too early",
        parameter="reads that it still answers",
        default=0.0,
        needs="confirmed commit",
    ),
    "timer_never": Kind(what="never takes an unconfirmed commit back by itself", lasts=True, needs="confirmed commit"),
    "rollback_fails": Kind(what="fails to go back, whether asked to or by its own timer"),
    # Command lines only
    "question": Kind(what="asks y/n before it does what it is told", needs="prompt"),
    "pager": Kind(what="stops long output with --More--, whatever the terminal length", lasts=True, needs="prompt"),
    "unknown_prompt": Kind(what="shows a prompt nobody has seen before", lasts=True, needs="prompt"),
}


def meant_on(traits: Collection[Trait]) -> Mapping[str, Kind]:
    """Return the kinds that mean something on a node with these traits."""
    return {name: kind for name, kind in KINDS.items() if kind.needs in traits}


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble to make.

    Attributes:
        times: how often it strikes; -1 always. Kinds that last are on until they are cleared, whatever this says.
        value: the kind's parameter; None: its default.
        after: how many occasions pass first.
    """

    kind: str
    times: int = 1
    value: float | None = None
    after: int = 0

    def __post_init__(self) -> None:
        """Refuse what means nothing.

        Raises:
            UnknownFault: no such kind; lists the kinds.
            UnusableFault: a number that the kind does not take.
        """
        kind = KINDS.get(self.kind)
        if kind is None:
            raise UnknownFault(self.kind, KINDS)
        if self.value is not None and (not kind.parameter or self.value < 0):
            legal = f"takes {kind.parameter}, 0 or more" if kind.parameter else "takes no value"
            raise UnusableFault(self.kind, f"{legal}; got {self.value:g}")
        if self.times == 0 or self.times < ALWAYS or self.after < 0:
            raise UnusableFault(self.kind, f"times is 1 or more, or -1; after is 0 or more; got {self}")

    @property
    def amount(self) -> float:
        """The parameter, or its default."""
        return self.value if self.value is not None else KINDS[self.kind].default


class FaultBoard:
    """The faults of one node. Called on the lab's own loop, but for what only reads."""

    __slots__ = ("_on", "changed")

    def __init__(self) -> None:
        self._on: dict[str, Fault] = {}
        self.changed: Callable[[], object] = lambda: None

    def set(self, fault: Fault) -> None:
        """Switch a fault on; one of the same kind is replaced."""
        lasting = KINDS[fault.kind].lasts
        self._on = {**self._on, fault.kind: replace(fault, times=ALWAYS) if lasting else fault}
        self.changed()

    def clear(self, kind: str | None = None) -> None:
        """Switch one kind off, or all."""
        self._on = {} if kind is None else {name: fault for name, fault in self._on.items() if name != kind}
        self.changed()

    def list(self) -> tuple[Fault, ...]:
        """Return the faults that are on, with what is left of ``times`` and ``after``."""
        return tuple(self._on.values())

    def strikes(self, kind: str) -> bool:
        """Say whether ``kind`` strikes now, and count it."""
        fault = self._on.get(kind)
        if fault is None:
            return False
        if fault.after:
            self._on[kind] = replace(fault, after=fault.after - 1)
            return False
        if fault.times == 1:
            del self._on[kind]
        elif fault.times != ALWAYS:
            self._on[kind] = replace(fault, times=fault.times - 1)
        return True

    def amount(self, kind: str) -> float | None:
        """Return the parameter of a fault that is on, without counting it; None where it is off."""
        fault = self._on.get(kind)
        return fault.amount if fault is not None else None

    @property
    def latency_s(self) -> float:
        """How late every reply comes."""
        return self.amount("latency") or 0.0 if self._on else 0.0

    def commit_s(self, entries: int) -> float:
        """Return how long a commit takes where so many entries are configured."""
        growing = self.amount("commit_time_growing") or 0.0
        return (self.amount("commit_time") or 0.0) + growing * entries / 1000
