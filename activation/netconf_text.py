"""Nodes written as XML: pretty-printed, in the one order that the schema profile gives."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from activation.model import Path
from activation.netconf_step import parse_step, position
from activation.notation import NONE, Branch
from activation.platforms import NetconfRules
from activation.unified import KEPT, Marked, mark

BASE_NAMESPACE: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
_INDENT: Final = "  "
_HEAD: Final = f'<nc:config xmlns:nc="{BASE_NAMESPACE}">\n'
_FOOT: Final = "</nc:config>\n"
_NOTHING: Final[Branch] = {}
MANY: Final = 64
"""So many siblings are worth remembering in their order."""
ORDERS: Final = 16
MAKING: Final = frozenset({"create", "merge"})
"""Operations of nodes that come with all that stands in them."""
OperationOf = Callable[[Path], str | None]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one step is in the text.

    Attributes:
        place: among its siblings.
        opening: the start tag without its end; attributes follow.
        value: what closes the start tag, the value and the end tag, where the step is a leaf with a value.
        keys: the lines of its keys.
        closing: the end tag.
    """

    namespace: str
    place: tuple[int, tuple[tuple[tuple[int, str], ...], str]]
    opening: str
    value: str
    keys: tuple[str, ...]
    closing: str


Bodies = dict[Path, str]
"""What stands in nodes that are new, or gone, as a whole: written once for all the texts of a plan."""


class Writer:
    """Writes nodes of one platform; what it learned of a step it keeps, as plans write the same ones several times."""

    def __init__(self, rules: NetconfRules) -> None:
        self._rules = rules
        self._rank, self._unranked = rules.rank, len(rules.rank)
        self._known: dict[str, _Piece] = {}
        self._orders: deque[tuple[frozenset[str], list[tuple[str, _Piece]]]] = deque(maxlen=ORDERS)

    def edit(self, branch: Branch, operation_of: OperationOf, bodies: Bodies) -> str:
        """Return the ``<config>`` element of ``branch`` with operations; note in ``bodies`` what stands in their nodes.

        ``operation_of`` says which nodes carry an ``nc:operation``; nothing below such a node is asked for.
        """
        return self._whole(branch, _Pass(operation_of, bodies))

    def write(self, branch: Branch, bodies: Bodies | None = None) -> str:
        """Return the ``<config>`` element of ``branch``, with what ``bodies`` says of its nodes."""
        return self._whole(branch, _Pass(None, bodies) if bodies else None)

    def body(self, top: Path, branch: Branch) -> str:
        """Return what stands in the node ``top``, with ``branch`` below it, where a whole configuration is written."""
        (*_, last) = top
        piece = self._known.get(last) or self._piece(last)
        return self._body(piece, branch, top, _INDENT * len(top), None)

    def compare(self, before: Branch, after: Branch, bodies: Mapping[Path, str] = NONE) -> list[Marked]:
        """Return the lines of both ``<config>`` elements as one, each marked; none where both are empty."""
        if not before and not after:
            return []
        both = mark(bool(before), bool(after))
        lines = [(both, _HEAD)]
        self._compare(_Comparison(lines, bodies), (before, after), (), _INDENT, "")
        lines.append((both, _FOOT))
        return lines

    def _whole(self, branch: Branch, asking: "_Pass | None") -> str:
        parts = [_HEAD]
        self._write(parts, branch, (), _INDENT, "", asking)
        parts.append(_FOOT)
        return "".join(parts)

    def _write(
        self, parts: list[str], branch: Branch, above: Path, indent: str, namespace: str, asking: "_Pass | None"
    ) -> None:
        for text, piece in self._ordered(branch):
            attributes = "" if piece.namespace == namespace else f' xmlns="{piece.namespace}"'
            path, operation, body = above, None, None
            if asking is not None:
                path = (*above, text)
                operation, body = asking.about(path)
                if operation is not None:
                    attributes += f' nc:operation="{operation}"'
            if piece.value:
                parts.append(f"{indent}{piece.opening}{attributes}{piece.value}")
                continue
            below = branch[text]
            if not below and not piece.keys:
                parts.append(f"{indent}{piece.opening}{attributes}/>\n")
                continue
            parts.append(f"{indent}{piece.opening}{attributes}>\n")
            if body is None:
                body = self._body(piece, below, path, indent, None if operation is not None else asking)
            if asking is not None and operation is not None and below:
                asking.bodies[path] = body
            parts.append(body)

    def _body(self, piece: _Piece, below: Branch, path: Path, indent: str, asking: "_Pass | None") -> str:
        deeper = indent + _INDENT
        parts = [deeper + key for key in piece.keys]
        self._write(parts, below, path, deeper, piece.namespace, asking)
        parts.append(f"{indent}{piece.closing}")
        return "".join(parts)

    def _compare(
        self, found: "_Comparison", sides: tuple[Branch, Branch], above: Path, indent: str, namespace: str
    ) -> None:
        before, after = sides
        lines = found.lines
        for text, piece in self._ordered({**before, **after} if before else after):
            what = mark(text in before, text in after)
            attributes = "" if piece.namespace == namespace else f' xmlns="{piece.namespace}"'
            old, new = before.get(text, _NOTHING), after.get(text, _NOTHING)
            if piece.value:
                lines.append((what, f"{indent}{piece.opening}{attributes}{piece.value}"))
            elif not old and not new and not piece.keys:
                lines.append((what, f"{indent}{piece.opening}{attributes}/>\n"))
            else:
                path = (*above, text)
                lines.append((what, f"{indent}{piece.opening}{attributes}>\n"))
                if what != KEPT and (body := found.bodies.get(path)) is not None:
                    lines.append((what, body))
                    continue
                deeper = indent + _INDENT
                lines += [(what, deeper + key) for key in piece.keys]
                self._compare(found, (old, new), path, deeper, piece.namespace)
                lines.append((what, f"{indent}{piece.closing}"))

    def _ordered(self, branch: Branch) -> list[tuple[str, _Piece]]:
        """Return sibling steps by rank, and naturally within one."""
        if len(branch) < MANY:
            return self._sorted(branch)
        # The texts of one plan have the same thousands of entries side by side.
        for steps, found in tuple(self._orders):
            if branch.keys() == steps:
                return found
        found = self._sorted(branch)
        self._orders.append((frozenset(branch), found))
        return found

    def _sorted(self, branch: Branch) -> list[tuple[str, _Piece]]:
        known = self._known
        found = [(text, known.get(text) or self._piece(text)) for text in branch]
        if len(found) > 1:
            found.sort(key=lambda each: each[1].place)
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
            place=(self._rank.get(step.tag, self._unranked), position(text)),
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
class _Pass:
    """One writing of a configuration: with operations, or with bodies that are written already."""

    operation_of: OperationOf | None
    bodies: Bodies

    def about(self, path: Path) -> tuple[str | None, str | None]:
        """Return the operation of a node, and what stands in it where that is known."""
        if self.operation_of is None:
            return None, self.bodies.get(path)
        operation = self.operation_of(path)
        return operation, self.bodies.get(path) if operation in MAKING else None


@dataclass(frozen=True, slots=True)
class _Comparison:
    lines: list[Marked]
    bodies: Mapping[Path, str]


def _escaped(value: str) -> str:
    if "&" in value or "<" in value or ">" in value or "\r" in value:
        return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return value
