"""Ways to spoil a body that is right."""

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from orders.errors import InvalidOrder

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)

Path = tuple[str | int, ...]


def paths(body: Any, at: Path = ()) -> Iterator[Path]:
    """Yield the path of every node of ``body``."""
    yield at
    children = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, child in children:
        yield from paths(child, (*at, key))


def spoiled(body: Any, path: Path, value: object) -> Any:
    """Return ``body`` with ``value`` at ``path``; the value ``...`` takes the node away."""
    if not path:
        return value
    head, *rest = path
    if isinstance(body, list):
        return [spoiled(each, tuple(rest), value) if at == head else each for at, each in enumerate(body)]
    if value is ... and not rest:
        return {key: each for key, each in body.items() if key != head}
    return {**body, head: spoiled(body.get(head, {}), tuple(rest), value)}


def checked_or_refused(check: Callable[[object], Any], body: object) -> Any | InvalidOrder:
    """Return what ``check`` makes of ``body``, or its refusal; anything else that it raises is a crash."""
    try:
        return check(body)
    except InvalidOrder as error:
        return error
