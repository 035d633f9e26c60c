"""Nodes written as XML: pretty-printed, in the one order that the schema profile gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from activation.model import Path
from activation.netconf_step import parse_step
from activation.notation import Branch, natural
from activation.platforms import NetconfRules
from activation.unified import Marked, mark

BASE_NAMESPACE: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
_INDENT: Final = "  "
_HEAD: Final = f'<nc:config xmlns:nc="{BASE_NAMESPACE}">\n'
_FOOT: Final = "</nc:config>\n"
_NOTHING: Final[Branch] = {}
OperationOf = Callable[[Path], str | None]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one step is in the text.

    Attributes:
        position: among its siblings.
        opening: the start tag without its end; attributes follow.
        value: what closes the start tag, the value and the end tag, where the step is a leaf with a value.
        keys: the lines of its keys.
        closing: the end tag.
    """

    namespace: str
    position: tuple[int, tuple[tuple[int, str], ...]]
    opening: str
    value: str
    keys: tuple[str, ...]
    closing: str


class Writer:
    """Writes nodes of one platform; what it learned of a step it keeps, as plans write the same ones several times."""

    def __init__(self, rules: NetconfRules) -> None:
        self._rules = rules
        self._rank, self._unranked = rules.rank, len(rules.rank)
        self._known: dict[str, _Piece] = {}

    def write(self, branch: Branch, operation_of: OperationOf | None = None) -> str:
        """Return the ``<config>`` element of ``branch``.

        ``operation_of`` says which nodes carry an ``nc:operation``; nothing below such a node is asked for.
        """
        parts = [_HEAD]
        self._write(parts, branch, _INDENT, "", _Asking(operation_of, ()) if operation_of is not None else None)
        parts.append(_FOOT)
        return "".join(parts)

    def compare(self, before: Branch, after: Branch) -> list[Marked]:
        """Return the lines of both ``<config>`` elements as one, each marked; none where both are empty."""
        if not before and not after:
            return []
        both = mark(bool(before), bool(after))
        lines = [(both, _HEAD)]
        self._compare(lines, before, after, _INDENT, "")
        lines.append((both, _FOOT))
        return lines

    def _write(self, parts: list[str], branch: Branch, indent: str, namespace: str, asking: "_Asking | None") -> None:
        for text, piece in self._ordered(branch):
            attributes = "" if piece.namespace == namespace else f' xmlns="{piece.namespace}"'
            below = asking
            if asking is not None:
                below = asking.below(text)
                if (operation := below.operation()) is not None:
                    attributes += f' nc:operation="{operation}"'
                    below = None
            if piece.value:
                parts.append(f"{indent}{piece.opening}{attributes}{piece.value}")
            elif not branch[text] and not piece.keys:
                parts.append(f"{indent}{piece.opening}{attributes}/>\n")
            else:
                deeper = indent + _INDENT
                parts.append(f"{indent}{piece.opening}{attributes}>\n")
                parts += [deeper + key for key in piece.keys]
                self._write(parts, branch[text], deeper, piece.namespace, below)
                parts.append(f"{indent}{piece.closing}")

    def _compare(self, lines: list[Marked], before: Branch, after: Branch, indent: str, namespace: str) -> None:
        for text, piece in self._ordered({**before, **after} if before else after):
            what = mark(text in before, text in after)
            attributes = "" if piece.namespace == namespace else f' xmlns="{piece.namespace}"'
            old, new = before.get(text, _NOTHING), after.get(text, _NOTHING)
            if piece.value:
                lines.append((what, f"{indent}{piece.opening}{attributes}{piece.value}"))
            elif not old and not new and not piece.keys:
                lines.append((what, f"{indent}{piece.opening}{attributes}/>\n"))
            else:
                deeper = indent + _INDENT
                lines.append((what, f"{indent}{piece.opening}{attributes}>\n"))
                lines += [(what, deeper + key) for key in piece.keys]
                self._compare(lines, old, new, deeper, piece.namespace)
                lines.append((what, f"{indent}{piece.closing}"))

    def _ordered(self, branch: Branch) -> list[tuple[str, _Piece]]:
        """Return sibling steps by rank, and naturally within one."""
        known = self._known
        found = [(text, known.get(text) or self._piece(text)) for text in branch]
        if len(found) > 1:
            found.sort(key=lambda each: each[1].position)
        return found

    def _piece(self, text: str) -> _Piece:
        step = parse_step(text)
        namespace, _, name = step.tag[1:].partition("}")
        opening, value = f"<{name}", ""
        if step.value is not None:
            qualifier, shown = self._shown(step.value)
            opening += qualifier
            value = f">{_escaped(shown)}</{name}>\n"
        piece = self._known[text] = _Piece(
            namespace=namespace,
            position=(self._rank.get(step.tag, self._unranked), natural(text)),
            opening=opening,
            value=value,
            keys=tuple(f"<{key}>{_escaped(found)}</{key}>\n" for key, found in step.keys),
            closing=f"</{name}>\n",
        )
        return piece

    def _shown(self, value: str) -> tuple[str, str]:
        """Return the declaration that a value needs, and the value; a prefix is made up where the profile has none."""
        if not value.startswith("{") or "}" not in value:
            return "", value
        namespace, _, local = value[1:].partition("}")
        prefix = self._rules.prefixes.get(namespace, "id")
        return f' xmlns:{prefix}="{namespace}"', f"{prefix}:{local}"


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks for the operation of the nodes on one way down."""

    operation_of: OperationOf
    path: Path

    def below(self, text: str) -> "_Asking":
        return _Asking(self.operation_of, (*self.path, text))

    def operation(self) -> str | None:
        return self.operation_of(self.path)


def _escaped(value: str) -> str:
    if "&" in value or "<" in value or ">" in value or "\r" in value:
        return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return value
