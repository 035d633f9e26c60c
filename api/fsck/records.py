"""Rules on one resource alone: its row, its document, its history and its events say the same. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from api.fsck.lifecycles import counted_item_states, event_prefix, items_of, lifecycle_of, state_of
from api.fsck.model import Entity, Finding
from api.runtime.history import RecordedMove
from inventory.lifecycle import Lifecycle
from orders.states import OrderState, roll_up


def check_records(entity: Entity) -> Iterator[Finding]:
    """Yield what does not agree about one resource."""
    yield from _document(entity)
    yield from _history(entity)
    yield from _events(entity)


def check_gone(kind: str, key: str, moves: Sequence[RecordedMove]) -> Iterator[Finding]:
    """Yield what is wrong with a resource that has a history and no row: it must have been removed."""
    own = [move for move in moves if not move.item]
    if own and own[-1].to_state:
        text = f"the history ends in {own[-1].to_state!r}, and there is no row"
        yield Finding(rule="row-missing", kind=kind, id=key, text=text)


def check_path(kind: str, key: str, moves: Sequence[RecordedMove], state: str, *, item: str = "") -> Iterator[Finding]:
    """Yield where one path breaks.

    Each move begins where the one before it ended and is legal; the last one ends in ``state``.
    """
    what = f"item {item!r}: " if item else ""
    cycle = lifecycle_of(kind, item)
    before = _start(cycle, moves, item)
    for move in moves:
        if move.from_state != before:
            text = f"{what}the history jumps from {before!r} to {move.from_state!r}"
            yield Finding(rule="history-gap", kind=kind, id=key, text=text)
        if cycle is not None and not _legal(cycle, move):
            text = f"{what}the history has an illegal move from {move.from_state!r} to {move.to_state!r}"
            yield Finding(rule="history-illegal", kind=kind, id=key, text=text)
        before = move.to_state
    if before != state:
        text = f"{what}the history ends in {before!r}, the state is {state!r}"
        yield Finding(rule="history-state", kind=kind, id=key, text=text)


def _start(cycle: Lifecycle[Any] | None, moves: Sequence[RecordedMove], item: str) -> str:
    """Return where a path begins: a resource at nothing, an item where its order was taken in."""
    if not item or cycle is None:
        return ""
    first = moves[0].from_state if moves else ""
    return first if first in cycle.initial else str(OrderState.ACKNOWLEDGED)


def _legal(cycle: Lifecycle[Any], move: RecordedMove) -> bool:
    if not move.from_state:
        return move.to_state in cycle.initial
    return not move.to_state or move.to_state in cycle.legal(cast("Any", move.from_state))


def _document(entity: Entity) -> Iterator[Finding]:
    row = entity.row
    said = state_of(entity.kind, row.document)
    if said != row.state:
        yield _finding(entity, "document-state", f"the row is {row.state!r}, its document says {said!r}")
    states = [item["state"] for item in items_of(entity.kind, row.document).values()]
    if not states or not set(states) <= set(OrderState):
        return
    # An order that was being cancelled ends cancelled, whatever became of items that there was nothing to undo of.
    own = [move for move in entity.moves if not move.item]
    was_leaving = bool(own) and own[-1].from_state == OrderState.PENDING_CANCELLATION
    before = OrderState.PENDING_CANCELLATION if was_leaving else None
    due = roll_up(counted_item_states(row, entity.kind), before=before)
    if due != row.state:
        shown = ", ".join(sorted(set(states)))
        yield _finding(entity, "item-roll-up", f"the order is {row.state!r}, its items ({shown}) make it {str(due)!r}")


def _history(entity: Entity) -> Iterator[Finding]:
    moves: Mapping[str, list[RecordedMove]] = defaultdict(list)
    for move in entity.moves:
        moves[move.item].append(move)
    kind, key, items = entity.kind, entity.row.id, items_of(entity.kind, entity.row.document)
    yield from check_path(kind, key, moves[""], entity.row.state)
    for item, document in items.items():
        yield from check_path(kind, key, moves[item], document["state"], item=item)
    for item in sorted(moves.keys() - items.keys() - {""}):
        yield _finding(entity, "history-item", f"the history knows an item {item!r} that the order has not")


def _events(entity: Entity) -> Iterator[Finding]:
    last = entity.last_event
    if last is None:
        yield _finding(entity, "event-missing", "no event was published of it")
        return
    said = state_of(entity.kind, last.document)
    if said != entity.row.state:
        text = f"it is {entity.row.state!r}, its last event ({last.event_type}, {last.event_id}) says {said!r}"
        yield _finding(entity, "event-state", text)
    own = [move for move in entity.moves if not move.item]
    due = {
        "CreateEvent": sum(1 for move in own if not move.from_state),
        "StateChangeEvent": sum(1 for move in own if move.from_state and move.to_state),
    }
    for suffix, moves in due.items():
        event_type = event_prefix(entity.kind) + suffix
        found = entity.counts.get(event_type, 0)
        if found != moves:
            text = f"{found} of {event_type} were published, the history has {moves} such moves"
            yield _finding(entity, "event-missing" if found < moves else "event-surplus", text)


def _finding(entity: Entity, rule: str, text: str) -> Finding:
    return Finding(rule=rule, kind=entity.kind, id=entity.row.id, text=text)
