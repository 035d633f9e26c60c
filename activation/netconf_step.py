"""The steps of a NETCONF path, put together and taken apart. Large changes have hundreds of thousands of them."""

from typing import Final, NamedTuple

from activation.errors import PlanError
from activation.model import Path
from activation.notation import natural

VALUE: Final = "."
_OF_VALUE: Final = "[.="


class Step(NamedTuple):
    """One step of a path: a container, a list entry with ``keys``, or a leaf with its ``value``."""

    tag: str
    keys: tuple[tuple[str, str], ...]
    value: str | None


def parse_step(text: str) -> Step:
    """Return the step that ``text`` stands for.

    Raises:
        PlanError: the text is no such step.
    """
    after_tag = tag_end(text)
    keys: list[tuple[str, str]] = []
    value: str | None = None
    at = after_tag
    while at < len(text):
        equals = text.find("=", at)
        quote = text[equals + 1 : equals + 2]
        end = text.find(f"{quote}]", equals + 2)
        if text[at] != "[" or equals < 0 or quote not in {"'", '"'} or end < 0:
            raise _no_step(text)
        name, found = text[at + 1 : equals], text[equals + 2 : end]
        if name == VALUE:
            value = found
        else:
            keys.append((name, found))
        at = end + 2
    return Step(text[:after_tag], tuple(keys), value)


def tag_end(text: str) -> int:
    """Return where the ``{namespace}name`` of a step ends.

    Raises:
        PlanError: it has none.
    """
    named = text.find("}") + 1
    bracket = text.find("[", named)
    end = bracket if bracket >= 0 else len(text)
    if not named or end == named or text[0] != "{":
        raise _no_step(text)
    return end


def is_entry(text: str) -> bool:
    """Say whether a step is a list entry."""
    bracket = text.find("[", text.find("}"))
    return bracket >= 0 and not text.startswith(_OF_VALUE, bracket)


def has_value(text: str) -> bool:
    """Say whether a step is a leaf with its value."""
    bracket = text.find("[", text.find("}"))
    return bracket >= 0 and text.startswith(_OF_VALUE, bracket)


def predicate(name: str, value: str) -> str:
    """Return ``[name='value']``.

    Raises:
        PlanError: the value holds both kinds of quotes, which XPath cannot write.
    """
    if "'" not in value:
        return f"[{name}='{value}']"
    if '"' not in value:
        return f'[{name}="{value}"]'
    raise PlanError(f"{name}: {value!r} holds both kinds of quotes")


def schema_path(path: Path) -> tuple[str, ...]:
    """Return the schema node of a path."""
    return tuple(step[: tag_end(step)] for step in path)


def _no_step(text: str) -> PlanError:
    return PlanError(f"{text!r} is no step of a path; legal: {{namespace}}name[key='value']")


def unit(path: Path) -> Path:
    """Return the innermost list entry that ``path`` is or stands in, ``path`` itself when there is none."""
    for depth in range(len(path), 0, -1):
        if is_entry(path[depth - 1]):
            return path[:depth]
    return path


def position(text: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """Return the sort key of siblings of one rank: naturally, and what looks alike there by its characters."""
    return natural(text), text
