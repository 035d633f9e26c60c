"""From pydantic's findings to :class:`orders.errors.Problem`."""

from collections.abc import Iterator

from pydantic import ValidationError

from orders.errors import Problem

SHOWN_CHARACTERS = 80


def problems_of(error: ValidationError, *, prefix: str = "") -> Iterator[Problem]:
    """Yield one problem for each finding, its place written like ``item[0].product.name``."""
    for found in error.errors(include_url=False, include_context=False):
        path = prefix + dotted(found["loc"])
        if found["type"] == "missing":
            yield Problem(path=path, wrong="is missing")
        elif found["type"] == "extra_forbidden":
            yield Problem(path=path, wrong="is not known here")
        else:
            yield Problem(path=path, wrong=f"{_shown(found['input'])} is not legal", legal=_legal(found["msg"]))


def dotted(location: tuple[int | str, ...]) -> str:
    """Return ``("a", 0, "b")`` as ``a[0].b``; the whole value is ``(body)``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.removeprefix(".") or "(body)"


def _legal(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input should be ")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
