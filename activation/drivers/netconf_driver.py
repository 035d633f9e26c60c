"""NETCONF as the core uses it, over whatever carries it: candidate, validate, confirmed commit as far as offered.

A device without a candidate has its running configuration edited in the commit; one without confirmed commits gets a
plain one. Both are undone with the inverse that the plan prepared.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from lxml import etree

from activation.contracts import PlatformRules, WorkLoop
from activation.deadlines import allowed_s
from activation.drivers import netconf_messages as say
from activation.drivers.foreign_work import discards_foreign
from activation.drivers.netconf_changes import notes_of, replay_since
from activation.drivers.netconf_messages import Hello, Reply
from activation.drivers.netconf_pieces import pieces
from activation.errors import DeviceError, DeviceUnreachable, DoesNotTell, EditRefused, OutcomeUnknown
from activation.model import ChangeNote, DeviceEdit, Path
from inventory.model import Device

LOCK_WAIT_S: Final = 2.0
LOCK_POLL_S: Final = 0.02
KILL_AFTER_S: Final = 0.5
"""A session of ours that broke gets this long to end by itself."""
CHUNK_BYTES: Final = 256 * 1024


class SessionBroke(Exception):
    """The session is over or cannot be trusted any more; the text says why."""


class Wire(Protocol):
    """Carries operations to the device and replies back."""

    hello: Hello
    host_key: str
    loop: WorkLoop | None

    def ask(self, operations: Sequence[str], deadline_s: float) -> Sequence[Reply]:
        """Return the reply to each of ``operations``, up to and including the first that failed at least.

        Raises:
            SessionBroke: no answer in time, or no answer at all.
        """
        ...

    def replay(self, subscription: str, deadline_s: float) -> tuple[Reply, Sequence[etree._Element]]:
        """Return the reply to a subscription and, unless that is a refusal, the notifications of the past.

        The session is good for nothing else afterwards: it goes on telling.

        Raises:
            SessionBroke: the past was not told in time.
        """
        ...

    def pause(self, seconds: float) -> None:
        """Return after ``seconds``."""
        ...

    def is_open(self) -> bool:
        """Say whether the transport still stands."""
        ...

    def close(self) -> None:
        """End the transport without a word to a device that may hang; never raises."""
        ...


@dataclass(slots=True)
class OwnSessions:
    """Session numbers by device of this process's sessions.

    Attributes:
        ended: those that are over: nobody else may ever be killed.
        known: all of them: what they changed, this platform changed.
    """

    ended: dict[str, set[str]] = field(default_factory=dict)
    known: dict[str, set[str]] = field(default_factory=dict)

    def note(self, device: str, session_id: str) -> None:
        """Remember a session that has ended on this side."""
        if session_id:
            self.ended.setdefault(device, set()).add(session_id)

    def opened(self, device: str, session_id: str) -> None:
        """Take note of a new number; one not above the old ones says that the device counts anew: forget those.

        After a restart somebody else may have a number that once was ours.
        """
        ended, known = self.ended.get(device, set()), self.known.setdefault(device, set())
        if not session_id.isdecimal() or any(not old.isdecimal() or int(old) >= int(session_id) for old in ended):
            ended.clear()
            known.clear()
        known.add(session_id)

    def has(self, device: str, session_id: str) -> bool:
        """Say whether the session was ours and is over."""
        return session_id in self.ended.get(device, set())

    def knows(self, device: str, session_id: str) -> bool:
        """Say whether the session is or was ours."""
        return session_id in self.known.get(device, set())


@dataclass(frozen=True, slots=True, kw_only=True)
class NetconfOptions:
    """What a platform says about its NETCONF.

    Attributes:
        chunk_bytes: an edit larger than this goes as several.
        lock_in_flight: whether the lock goes together with the edit. Where others edit the same candidate without a
            lock, the edit must wait for the lock: cleaning the candidate would take their work away.
        discards_foreign: whether somebody else's uncommitted change in the candidate is thrown away; else an edit is
            refused while there is one.
    """

    chunk_bytes: int = CHUNK_BYTES
    lock_in_flight: bool = False
    discards_foreign: bool = False


class NetconfDriver:
    """One NETCONF session; see :class:`activation.contracts.Driver`."""

    def __init__(self, device: Device, wire: Wire, options: NetconfOptions, own: OwnSessions) -> None:
        self._device, self._login, self._timeout_s = device.name, device.username, device.timeout_s
        self._wire, self._options, self._own = wire, options, own
        self._locked = False
        hello = wire.hello
        self._store = "candidate" if hello.offers("candidate") else "running"
        self.confirmed_commit = self._store == "candidate" and hello.offers("confirmed-commit:1.1")
        self._validates = hello.offers("validate")
        self._saves = hello.offers("startup")
        self._rolls_back_on_error = hello.offers("rollback-on-error")
        self.host_key = wire.host_key
        self.loop: WorkLoop | None = wire.loop
        self._notifies = hello.offers("notification")
        own.opened(device.name, hello.session_id)

    def read(self, touched: Sequence[Path]) -> str:
        """Return the running configuration that holds ``touched`` (all of it for none) as a ``<config>`` element."""
        (reply,) = self._done("read", say.get_config(tuple(touched)))
        return say.config_text(reply.data)

    def stage(self, edit: DeviceEdit, *, token: str) -> None:  # noqa: ARG002  # NETCONF has one, nameless candidate
        """Lock and clean the candidate, load ``edit.edit`` into it and validate it."""
        if self._store == "candidate":
            self._stage(edit.edit, "stage")

    def commit(self, edit: DeviceEdit, *, token: str, confirm_timeout_s: int) -> None:
        """Commit the candidate, to be undone unless ``token`` is confirmed in time."""
        if self._store == "running":
            self._edit_running(edit)
        else:
            commit = say.confirmed_commit(token, confirm_timeout_s) if self.confirmed_commit else say.COMMIT
            self._done("commit", commit, lost=OutcomeUnknown, about_bytes=len(edit.edit))

    def confirm(self, edit: DeviceEdit, *, token: str) -> None:  # the token says which commit
        """Confirm the commit named ``token``, save it where start-up is apart, and unlock."""
        operations = []
        if self.confirmed_commit:
            self._lock("confirm", lost=OutcomeUnknown)
            operations.append(say.confirming_commit(token))
        if self._saves:
            operations.append(say.SAVE)
        if self._locked:
            operations.append(say.unlock(self._store))
        if operations:
            replies = self._ask("confirm", operations, lost=OutcomeUnknown, about_bytes=len(edit.edit))
            # The unlock is done whatever became of the confirm before it.
            self._locked = self._locked and bool(replies[-1].errors)
            for reply in replies:
                if reply.errors:
                    raise EditRefused(self._device, "confirm", reply.reason)

    def rollback(self, edit: DeviceEdit, *, token: str, undone: Callable[[str], bool]) -> None:
        """Cancel the commit named ``token``; where none is pending, push ``edit.inverse`` unless it is ``undone``."""
        cancelled = self.confirmed_commit and self._cancelled(token)
        if not cancelled and not undone(self.read(edit.touched)):
            self._push_inverse(edit)
        self.discard()

    def discard(self) -> None:
        """Empty the candidate and unlock it."""
        if self._locked:
            operations = [say.DISCARD] if self._store == "candidate" else []
            self._done("discard", *operations, say.unlock(self._store))
            self._locked = False

    def ask(self, command: str) -> str:
        """Return configuration and state that a filter holding ``command`` selects, as a ``<data>`` element."""
        (reply,) = self._done("ask", say.get(command))
        return say.data_text(reply.data)

    def changes(self, stream: str, since: datetime) -> Sequence[ChangeNote]:
        """Return who changed the configuration since then, newest first; the session is over afterwards."""
        if not self._notifies:
            raise DoesNotTell(self._device, "history", "it offers no notifications (RFC 5277)")
        try:
            reply, events = self._wire.replay(replay_since(stream, since), self._timeout_s)
        except SessionBroke as error:
            self.close()
            raise DeviceUnreachable(self._device, "history", str(error)) from error
        if reply.errors:
            raise DoesNotTell(self._device, "history", f"it refuses the replay: {reply.reason}")
        self.close()
        return notes_of(events, login=self._login, is_ours=lambda number: self._own.knows(self._device, number))

    def ping(self) -> None:
        """Ask for nothing and return when the device has answered."""
        self._done("ping", say.NOTHING)

    def alive(self) -> bool:
        """Say whether the transport below the session still stands."""
        return self._wire.is_open()

    def close(self) -> None:
        """End the transport; the device drops the session's locks with it."""
        self._own.note(self._device, self._wire.hello.session_id)
        self._wire.close()

    def _stage(self, config: str, phase: str) -> None:
        loading = [say.DISCARD, *self._edits(config), *([say.VALIDATE] if self._validates else [])]
        if self._options.lock_in_flight and not self._locked:
            first, *others = self._ask(phase, [say.lock(self._store), *loading])
            self._locked = not first.errors
            if self._locked:
                self._refuse(phase, others)
                return
        self._lock(phase)
        self._refuse(phase, self._ask(phase, loading))

    def _edits(self, config: str) -> list[str]:
        # Whether references lead anywhere is the validation's question, asked once after the last piece.
        options = [("test-option", "set")] if self._validates else []
        if self._rolls_back_on_error:
            options.append(("error-option", "rollback-on-error"))
        return [
            say.edit_config(self._store, piece, options=options) for piece in pieces(config, self._options.chunk_bytes)
        ]

    def _refuse(self, phase: str, replies: Sequence[Reply]) -> None:
        """Clean up and raise if one of ``replies`` is a refusal; only the first counts, the rest follows from it."""
        refused = next((reply for reply in replies if reply.errors), None)
        if refused is not None:
            self.discard()
            raise EditRefused(self._device, phase, refused.reason)

    def _edit_running(self, edit: DeviceEdit) -> None:
        """Edit running at once; what a device took of an edit that it refuses goes again."""
        self._lock("commit")
        refused = next(
            (each for each in self._ask("commit", self._edits(edit.edit), lost=OutcomeUnknown) if each.errors), None
        )
        if refused is None:
            return
        if not self._rolls_back_on_error:
            self._ask("commit", self._edits(edit.inverse), lost=OutcomeUnknown)
        self.discard()
        raise EditRefused(self._device, "commit", refused.reason)

    def _push_inverse(self, edit: DeviceEdit) -> None:
        if self._store == "running":
            self._lock("rollback")
            self._done("rollback", *self._edits(edit.inverse), lost=OutcomeUnknown)
        else:
            self._stage(edit.inverse, "rollback")
            self._done("rollback", say.COMMIT, lost=OutcomeUnknown, about_bytes=len(edit.inverse))
        if self._saves:
            self._done("rollback", say.SAVE, lost=OutcomeUnknown)

    def _cancelled(self, token: str) -> bool:
        (reply,) = self._ask("rollback", [say.cancel_commit(token)])
        # An error says that no commit of this name is pending: it was confirmed, timed out, or never made.
        return not reply.errors

    def _lock(self, phase: str, *, lost: type[DeviceError] = DeviceUnreachable) -> None:
        # A session that broke keeps its lock until the device notices: wait for that, not for a live owner's end.
        began = time.monotonic()
        clearing: list[str] = []
        while not self._locked:
            # Throwing away what somebody does under a lock of their own is refused, and the lock once more.
            *_, reply = self._ask(phase, [*clearing, say.lock(self._store)], lost=lost)
            self._locked = not reply.errors
            if self._locked:
                return
            waited_s = time.monotonic() - began
            if reply.errors[0].tag not in {say.LOCK_DENIED, say.IN_USE}:
                raise EditRefused(self._device, phase, reply.reason)
            if waited_s > LOCK_WAIT_S:
                raise EditRefused(self._device, phase, f"{reply.reason}; {self._advice()}")
            clearing = [say.DISCARD] if self._options.discards_foreign and self._store == "candidate" else []
            holder = reply.errors[0].holder
            if waited_s > KILL_AFTER_S and self._own.has(self._device, holder):
                self._ask(phase, [say.kill(holder)], lost=lost)
            self._wire.pause(LOCK_POLL_S)

    def _advice(self) -> str:
        waited = f"waited {LOCK_WAIT_S:g} s"
        if self._store != "candidate" or self._options.discards_foreign:
            return waited
        return f"{waited}; whoever it is commits or discards (platform option dirty_candidate: refuse)"

    def _done(
        self, phase: str, *operations: str, lost: type[DeviceError] = DeviceUnreachable, about_bytes: int = 0
    ) -> Sequence[Reply]:
        replies = self._ask(phase, operations, lost=lost, about_bytes=about_bytes)
        for reply in replies:
            if reply.errors:
                raise EditRefused(self._device, phase, reply.reason)
        return replies

    def _ask(
        self,
        phase: str,
        operations: Sequence[str],
        *,
        lost: type[DeviceError] = DeviceUnreachable,
        about_bytes: int = 0,
    ) -> Sequence[Reply]:
        """Ask; ``about_bytes`` is the size of what was sent before and is worked on now."""
        size = about_bytes + sum(map(len, operations))
        try:
            return self._wire.ask(operations, allowed_s(self._timeout_s, size))
        except SessionBroke as error:
            with suppress(SessionBroke):
                self.close()
            raise lost(self._device, phase, str(error)) from error


def options_of(device: Device, rules: PlatformRules) -> NetconfOptions:
    """Return the NETCONF options among a platform's; what is missing has its usual value.

    Raises:
        DeviceUnreachable: a value that is not legal; names the legal ones.
    """
    given, usual = rules.options, NetconfOptions()
    return NetconfOptions(
        chunk_bytes=int(str(given.get("chunk_bytes", usual.chunk_bytes))),
        lock_in_flight=bool(given.get("lock_in_flight", usual.lock_in_flight)),
        discards_foreign=discards_foreign(device, rules),
    )
