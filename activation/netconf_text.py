"""Nodes written as XML: pretty-printed, in the one order that the schema profile gives."""

from collections.abc import Callable, Iterator
from typing import Final

from activation.model import Path
from activation.netconf_step import Step, parse_step, tag_end
from activation.notation import Branch, natural
from activation.platforms import NetconfRules

BASE_NAMESPACE: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
_INDENT: Final = "  "
_HEAD: Final = f'<nc:config xmlns:nc="{BASE_NAMESPACE}">\n'
_FOOT: Final = "</nc:config>\n"
OperationOf = Callable[[Path], str | None]


def write(branch: Branch, rules: NetconfRules, operation_of: OperationOf | None = None) -> str:
    """Return the ``<config>`` element of ``branch``.

    ``operation_of`` says which nodes carry an ``nc:operation``; nothing below such a node is asked for.
    """
    writer = _Writer(rules, operation_of)
    writer.write(branch, () if operation_of is not None else None, _INDENT, "")
    return "".join((_HEAD, *writer.parts, _FOOT))


class _Writer:
    def __init__(self, rules: NetconfRules, operation_of: OperationOf | None) -> None:
        self._rules, self._operation_of = rules, operation_of
        self._rank, self._unranked = rules.rank, len(rules.rank)
        self.parts: list[str] = []

    def write(self, branch: Branch, above: Path | None, indent: str, namespace: str) -> None:
        """Write what stands in one element; ``above`` is None where no operation can be any more."""
        for text in self._ordered(branch):
            step = parse_step(text)
            own, _, name = step.tag[1:].partition("}")
            attributes = "" if own == namespace else f' xmlns="{own}"'
            path = None
            if above is not None and self._operation_of is not None:
                path = (*above, text)
                if (operation := self._operation_of(path)) is not None:
                    attributes += f' nc:operation="{operation}"'
                    path = None
            if step.value is not None:
                self.parts.append(self._leaf(name, attributes, step.value, indent))
            else:
                self._element(step, name, attributes, branch[text], path, indent, own)

    def _element(  # noqa: PLR0913, PLR0917 - one call per element of large changes: no object is made for it
        self, step: Step, name: str, attributes: str, below: Branch, path: Path | None, indent: str, namespace: str
    ) -> None:
        if not below and not step.keys:
            self.parts.append(f"{indent}<{name}{attributes}/>\n")
            return
        self.parts.append(f"{indent}<{name}{attributes}>\n")
        deeper = indent + _INDENT
        for key, value in step.keys:
            self.parts.append(f"{deeper}<{key}>{_escaped(value)}</{key}>\n")
        if below:
            self.write(below, path, deeper, namespace)
        self.parts.append(f"{indent}</{name}>\n")

    def _leaf(self, name: str, attributes: str, value: str, indent: str) -> str:
        if value.startswith("{") and "}" in value:
            # A qualified name; a prefix is made up where the profile has none.
            namespace, _, local = value[1:].partition("}")
            prefix = self._rules.prefixes.get(namespace, "id")
            attributes = f' xmlns:{prefix}="{namespace}"{attributes}'
            value = f"{prefix}:{local}"
        return f"{indent}<{name}{attributes}>{_escaped(value)}</{name}>\n"

    def _ordered(self, branch: Branch) -> Iterator[str]:
        """Yield sibling steps by rank, and naturally within one."""
        if len(branch) == 1:
            yield from branch
            return
        by_rank: dict[int, list[str]] = {}
        for text in branch:
            by_rank.setdefault(self._rank.get(text[: tag_end(text)], self._unranked), []).append(text)
        for rank in sorted(by_rank):
            alike = by_rank[rank]
            if len(alike) > 1:
                alike.sort(key=natural)
            yield from alike


def _escaped(value: str) -> str:
    if "&" in value or "<" in value or ">" in value or "\r" in value:
        return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return value
