"""The troubles a device can make in the middle of an order, and what becomes of the order: one table for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from labs.embedded.faults import ALWAYS, Fault

Box = Literal["olt1", "olt1-ncclient", "sw1", "r1"]
OLT: Final[tuple[Box, ...]] = ("olt1", "olt1-ncclient")
CLI: Final[tuple[Box, ...]] = ("sw1", "r1")
EVERY: Final[tuple[Box, ...]] = (*OLT, *CLI)
TIMED: Final[tuple[Box, ...]] = (*OLT, "sw1")
"""Devices with a confirmed commit."""
COMPLETES: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One trouble and its end.

    Attributes:
        title: the trouble in words.
        faults: what the device is told to do.
        boxes: the devices and drivers it is tried on.
        code: of the monitor's first error about the device; :data:`COMPLETES`: the order completes in spite of it.
        words: what that error's message holds, a regular expression; the device's own words where it has any.
        sees: what an engineer finds and can do, for the reference page.
        warm: the session stands before the trouble begins.
        dropped: the device has dropped that session for idleness when the order comes.
        sticks: the device itself keeps something of the broken order, until the next order.
        pinned: the inventory knows the device's host key.
        timeout_s: the device's time-out.
    """

    title: str
    faults: tuple[Fault, ...]
    boxes: tuple[Box, ...] = EVERY
    code: str = COMPLETES
    words: str = ""
    sees: str = ""
    warm: bool = False
    dropped: bool = False
    sticks: bool = False
    pinned: bool = False
    timeout_s: float = 5.0


LINE: Final[Mapping[str, Trouble]] = {
    "unreachable": Trouble(
        title="The device cannot be reached",
        faults=(Fault("unreachable"),),
        code="deviceUnreachable",
        words=r"connect: 127\..*refused|Connect call failed",
        sees="Address, port and the system's reason. Nothing was sent to any device.",
    ),
    "hang-before-hello": Trouble(
        title="Hangs before its hello or prompt",
        faults=(Fault("hang_before_hello", ALWAYS),),
        code="deviceUnreachable",
        words="connect: .*(no answer|timed out)",
        timeout_s=1.0,
        sees="The login went well and nothing came; the other devices did not wait for it.",
    ),
    "session-limit": Trouble(
        title="Refuses more sessions",
        faults=(Fault("session_limit", value=0),),
        code="deviceUnreachable",
        words="session limit of 0 reached",
        sees="The device's own words.",
    ),
    "login-rate": Trouble(
        title="Refuses more logins a minute",
        faults=(Fault("login_rate", value=0),),
        code="deviceUnreachable",
        words="more than 0 logins a minute; try later",
        sees="As above. A warm session needs no login.",
    ),
    "login-rate-warm": Trouble(
        title="Refuses more logins, with a warm session at hand",
        faults=(Fault("login_rate", value=0),),
        warm=True,
        sees="Nothing: the session that stands is used.",
    ),
    "changed-host-key": Trouble(
        title="Shows another host key than the inventory knows",
        faults=(Fault("changed_host_key"),),
        code="hostKeyRefused",
        words="SHA256:",
        pinned=True,
        sees="Both fingerprints. Nothing was sent, not even the password. An exchanged device needs its new key in the "
        "inventory.",
    ),
    "idle-disconnect": Trouble(
        title="Drops sessions nobody uses",
        faults=(Fault("idle_disconnect", value=5),),
        warm=True,
        dropped=True,
        sees="Nothing: the pool notices and logs in again.",
    ),
    "latency": Trouble(
        title="Is far away (100 ms)", faults=(Fault("latency", value=0.1),), sees="The monitor's `timingsS`."
    ),
    "garbage": Trouble(
        title="Answers a read with garbage",
        faults=(Fault("garbage"),),
        sees="Nothing where it happens once: what is no frame, or no whole configuration, is never taken for one; the "
        "device is asked again on a new session.",
    ),
    "garbage-always": Trouble(
        title="Answers every read with garbage",
        faults=(Fault("garbage", ALWAYS),),
        code="deviceUnreachable",
        words="read: |connect: ",
        timeout_s=1.5,
        sees="What came instead. Nothing was changed anywhere.",
    ),
    "huge-reply": Trouble(
        title="Answers a read with 10 MB",
        faults=(Fault("huge_reply"),),
        timeout_s=30.0,
        sees="The monitor's `timingsS`.",
    ),
}

LOCKS: Final[Mapping[str, Trouble]] = {
    "lock-held": Trouble(
        title="Somebody else holds the lock",
        faults=(Fault("lock_held"),),
        code="editRefused",
        words="denied: held or changed by session|maintenance is pending|locked by other VTY",
        sees="The holder, as the device names it. lastmile waits two seconds and never breaks another's lock.",
    ),
    "stale-lock": Trouble(
        title="Keeps the lock of our own session that broke",
        faults=(Fault("stale_lock", value=60), Fault("drop_in_edit")),
        boxes=OLT,
        code="deviceUnreachable",
        words="stage: ",
        sticks=True,
        sees="One failed order, for the broken session; the next kills that session, which it knows for its own.",
    ),
    "stale-lock-switch": Trouble(
        title="Keeps the configuration session of our own connection that broke",
        faults=(Fault("stale_lock", value=60), Fault("drop_in_edit")),
        boxes=("sw1",),
        code="deviceUnreachable",
        words="stage: ",
        sticks=True,
        sees="One failed order, for the broken connection. The session that is left holds no commit; the next order "
        "opens one of its own.",
    ),
    "stale-lock-router": Trouble(
        title="Keeps the configuration mode of our own connection that broke",
        faults=(Fault("stale_lock", value=1), Fault("drop_in_edit")),
        boxes=("r1",),
        code="outcomeUnknown",
        words="commit: ",
        sees="That the outcome was unknown. Going back waits until the router notices that the connection is gone.",
    ),
    "dirty-candidate": Trouble(
        title="Somebody's uncommitted change lies in the candidate",
        faults=(Fault("dirty_candidate"),),
        boxes=OLT,
        code="editRefused",
        words="changed by session",
        sees="Whose change it is. It is neither committed nor thrown away: whoever made it commits or discards it.",
    ),
    "dirty-candidate-switch": Trouble(
        title="Somebody's uncommitted change waits in a configuration session of theirs",
        faults=(Fault("dirty_candidate"),),
        boxes=("sw1",),
        code="editRefused",
        words="maintenance is pending",
        sees="Whose session it is, by its name. lastmile does not abort it.",
    ),
}

EDITS: Final[Mapping[str, Trouble]] = {
    "refuse-edit": Trouble(
        title="Refuses the edit",
        faults=(Fault("refuse_edit"),),
        code="editRefused",
        words="ONU table full|hardware resources exhausted|Configuration failed",
        sees="The device's own words; over a command line also the line it refused.",
    ),
    "many-errors": Trouble(
        title="Refuses the edit with several errors",
        faults=(Fault("many_errors"),),
        boxes=OLT,
        code="editRefused",
        words="LT-1: .*; .*LT-2: .*; .*LT-3: ",
        sees="Every one of them.",
    ),
    "many-errors-cli": Trouble(
        title="Refuses a line with several errors",
        faults=(Fault("many_errors"),),
        boxes=CLI,
        code="editRefused",
        words="cannot apply",
        sees="The line and the first of them.",
    ),
    "refuse-validate": Trouble(
        title="Takes the edit and refuses to validate it",
        faults=(Fault("refuse_validate"),),
        boxes=TIMED,
        code="editRefused",
        words="validation failed|does not pass the validation",
        sees="The device's own words.",
    ),
    "drop-in-edit": Trouble(
        title="The session breaks in the edit",
        faults=(Fault("drop_in_edit"),),
        boxes=TIMED,
        code="deviceUnreachable",
        words="stage: ",
        sees="Where it broke. The candidate is empty again, on EOS the session is aborted.",
    ),
    "drop-in-edit-router": Trouble(
        title="The session breaks between two lines that are live at once",
        faults=(Fault("drop_in_edit"),),
        boxes=("r1",),
        code="outcomeUnknown",
        words="commit: ",
        sees="That the outcome was unknown, what reading back missed, and that the lines taken are taken back.",
    ),
    "question": Trouble(
        title="Asks y/n",
        faults=(Fault("question"),),
        boxes=CLI,
        code="deviceUnreachable|outcomeUnknown",
        words=r"Are you sure\? \[y/n\]",
        sees="The question, at once. lastmile answers none that the platform does not name.",
    ),
    "pager": Trouble(
        title="Pages although it was told not to",
        faults=(Fault("pager"),),
        boxes=CLI,
        sees="Nothing: the platform says which key turns the page.",
    ),
    "unknown-prompt": Trouble(
        title="Shows a prompt nobody knows",
        faults=(Fault("unknown_prompt"),),
        boxes=CLI,
        code="deviceUnreachable",
        words="maintenance shell",
        timeout_s=1.5,
        sees="The prompt.",
    ),
}

COMMITS: Final[Mapping[str, Trouble]] = {
    "refuse-commit": Trouble(
        title="Refuses the commit",
        faults=(Fault("refuse_commit"),),
        code="editRefused",
        words="rejected the configuration|no room for this configuration|Configuration failed",
        sees="The device's own words.",
    ),
    "hang-in-commit": Trouble(
        title="Hangs in the commit",
        faults=(Fault("hang_in_commit"),),
        boxes=TIMED,
        code="outcomeUnknown",
        words="commit: .*(no answer|timed out)",
        timeout_s=1.0,
        sees="That the outcome was unknown, and what reading back found.",
    ),
    "hang-in-commit-router": Trouble(
        title="Hangs with every line taken",
        faults=(Fault("hang_in_commit"),),
        boxes=("r1",),
        timeout_s=1.0,
        sees="Nothing: reading back finds the change whole.",
    ),
    "drop-before-commit": Trouble(
        title="The session breaks instead of the commit",
        faults=(Fault("drop_before_commit"),),
        code="outcomeUnknown",
        words="commit: ",
        sees="That the outcome was unknown, and what reading back missed.",
    ),
    "drop-after-commit": Trouble(
        title="The session breaks after the commit, before the answer",
        faults=(Fault("drop_after_commit"),),
        sees="Nothing: reading back finds the change whole, and it is confirmed on a new session.",
    ),
    "drop-after-confirm": Trouble(
        title="The session breaks after the confirm, before the answer",
        faults=(Fault("drop_after_commit", after=1),),
        boxes=OLT,
        sees="Nothing: nothing waits for a confirm any more, and reading back finds the change whole.",
    ),
    "slow-commit": Trouble(
        title="Commits slowly", faults=(Fault("commit_time", value=0.5),), sees="The monitor's `timingsS`."
    ),
    "growing-commit": Trouble(
        title="Commits the slower the more is configured",
        faults=(Fault("commit_time_growing", value=20),),
        sees="The monitor's `timingsS`.",
    ),
    "commit-changes-nothing": Trouble(
        title="Says ok to the commit and changes nothing",
        faults=(Fault("commit_changes_nothing"),),
        code="readBackMismatch",
        words="does not show it: missing",
        sees="What is missing.",
    ),
    "commit-in-part": Trouble(
        title="Says ok to the commit and does a part",
        faults=(Fault("commit_in_part"),),
        code="readBackMismatch",
        words="does not show it: missing",
        sees="What is missing.",
    ),
    "timer-early": Trouble(
        title="Takes the unconfirmed commit back before it is read",
        faults=(Fault("timer_early"),),
        boxes=TIMED,
        code="readBackMismatch",
        words="does not show it: missing",
        sees="What is missing.",
    ),
    "timer-early-confirm": Trouble(
        title="Takes the unconfirmed commit back before it is confirmed",
        faults=(Fault("timer_early", value=1),),
        boxes=TIMED,
        code="editRefused",
        words="confirm: .*(no confirmed commit has the persist-id|is aborted)",
        sees="That the device no longer knows the commit. Devices that confirmed already go back by their inverse.",
    ),
    "timer-never": Trouble(
        title="Never takes an unconfirmed commit back by itself, and did a part",
        faults=(Fault("timer_never"), Fault("commit_in_part")),
        boxes=TIMED,
        code="readBackMismatch",
        words="does not show it: missing",
        sees="What is missing. The commit is cancelled, not left to the timer.",
    ),
    "rollback-fails": Trouble(
        title="Did a part, and fails to go back in silence",
        faults=(Fault("commit_in_part"), Fault("rollback_fails")),
        code="readBackMismatch",
        words="does not show it: missing",
        sees="What was missing; the failed rollback is seen by reading back and made good with the inverse.",
    ),
}

PARTS: Final[Mapping[str, Mapping[str, Trouble]]] = {
    "The line and the login": LINE,
    "Locks and candidates": LOCKS,
    "Edits": EDITS,
    "Commits and confirmed commits": COMMITS,
}
TROUBLES: Final[Mapping[str, Trouble]] = {**LINE, **LOCKS, **EDITS, **COMMITS}
