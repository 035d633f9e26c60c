"""Undoing a past transaction on today's configuration: its services' fragments go back to what they were before. Pure.

Not the bytes of that day are pushed, but what today's plan makes of the fragments of that day: nodes that others share
by now stay, what somebody changed outside of them is not touched.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from activation.errors import RollbackRefused
from activation.model import Fragment, FragmentChange, ServiceId, TransactionId

Key = tuple[ServiceId, str, str]
"""What names a fragment: service, device, intent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A transaction that was done, by what it did to fragments."""

    transaction_id: TransactionId
    changes: tuple[FragmentChange, ...]

    def keys(self) -> frozenset[Key]:
        """Return the fragments whose text it changed."""
        return frozenset(key_of(change) for change in self.changes if _text(change.old) != _text(change.new))


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What a rollback does to today's fragments, and the transactions that it undoes, newest first."""

    changes: tuple[FragmentChange, ...]
    undone: tuple[TransactionId, ...]


def key_of(change: FragmentChange) -> Key:
    """Return what names the fragment that changes."""
    held = change.new or change.old
    if held is None:
        raise ValueError("a change of nothing into nothing")
    return held.service_id, held.device, held.intent


def builders_on(target: Past, later: Sequence[Past]) -> tuple[Past, ...]:
    """Return those of ``later`` (oldest first) that changed again what ``target``, or one of themselves, changed."""
    touched, found = set(target.keys()), []
    for each in later:
        if not touched.isdisjoint(each.keys()):
            found.append(each)
            touched |= each.keys()
    return tuple(found)


def undo(target: Past, later: Sequence[Past], today: Mapping[Key, Fragment], *, with_later: bool = False) -> Undo:
    """Return what takes ``target`` back.

    Args:
        target: the transaction.
        later: those that were done after it, oldest first.
        today: the fragments as they are, at least those of all transactions concerned.
        with_later: take back as well what built on it.

    Raises:
        RollbackRefused: nothing of it to take back; or something built on it and ``with_later`` is not said. Names
            what.
    """
    if not target.keys():
        raise RollbackRefused(f"{target.transaction_id} changed no service's configuration; there is nothing to undo")
    builders = builders_on(target, later)
    if builders and not with_later:
        names = ", ".join(each.transaction_id for each in reversed(builders))
        raise RollbackRefused(
            f"{target.transaction_id}: built upon since by {names}; legal: undo these first, or --with-later"
        )
    included = (target, *builders)
    before, after = _before(included), _after(included)
    _refuse_the_unknown(target, after, today)
    changes = tuple(
        FragmentChange(old=today.get(key), new=before[key])
        for key in sorted(before)
        if _text(today.get(key)) != _text(before[key])
    )
    return Undo(changes=changes, undone=tuple(each.transaction_id for each in reversed(included)))


def _before(included: Iterable[Past]) -> Mapping[Key, Fragment | None]:
    """Return each fragment as it was before the first of ``included`` that changed it."""
    found: dict[Key, Fragment | None] = {}
    for key, change in _changed(included):
        found.setdefault(key, change.old)
    return found


def _after(included: Iterable[Past]) -> Mapping[Key, Fragment | None]:
    return {key: change.new for key, change in _changed(included)}


def _changed(included: Iterable[Past]) -> Iterator[tuple[Key, FragmentChange]]:
    for past in included:
        touched = past.keys()
        yield from ((key_of(change), change) for change in past.changes if key_of(change) in touched)


def _refuse_the_unknown(target: Past, after: Mapping[Key, Fragment | None], today: Mapping[Key, Fragment]) -> None:
    strange = sorted({key[0] for key, fragment in after.items() if _text(fragment) != _text(today.get(key))})
    if strange:
        raise RollbackRefused(
            f"{target.transaction_id}: the configuration of {', '.join(strange)} was changed since without a "
            "transaction (adopted from the device, or ended); legal: 'lastmile redeploy' of the service, or an order"
        )


def _text(fragment: Fragment | None) -> str | None:
    return fragment.text if fragment is not None else None
