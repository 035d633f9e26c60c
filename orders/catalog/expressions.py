"""Catalog expressions: sandboxed Jinja2, compiled once when the catalog is loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from orders.errors import MappingError

_ENVIRONMENT: Final = ImmutableSandboxedEnvironment(undefined=StrictUndefined)

Reference = tuple[str, ...]
"""A dotted name an expression reads, e.g. ``("resource", "vlan", "vlanId")``."""


OWN: Final = ("id", "name", "role")
"""What an order itself says of a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A compiled expression.

    Attributes:
        path: where it stands in the catalog, for messages.
        references: every dotted name it reads.
    """

    source: str
    path: str
    references: frozenset[Reference]
    _call: Callable[..., Any] = field(repr=False, compare=False)

    def evaluate(self, context: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON values of any type
        """Return the expression's native value in ``context``.

        Raises:
            MappingError: a name has no value, or the expression fails on the values there are.
        """
        try:
            value = self._call(**context)
        except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
            raise MappingError(self.path, self.source, str(error)) from error
        if isinstance(value, Undefined):
            raise MappingError(self.path, self.source, "it names something that is not there")
        return value


def compile_expression(source: str, path: str) -> Expression:
    """Return ``source`` compiled.

    Raises:
        TemplateError: it is no Jinja2 expression.
    """
    tree = _ENVIRONMENT.parse("{{ (" + source + ") }}")
    call = _ENVIRONMENT.compile_expression(source, undefined_to_none=False)
    return Expression(source=source, path=path, references=_references(tree), _call=call)


def _references(tree: nodes.Template) -> frozenset[Reference]:
    found = {_dotted(node) for node in tree.find_all((nodes.Getattr, nodes.Name))}
    names = found - {()}
    # `a.b.c` is also met as `a.b` and `a`: the longest one says it all.
    return frozenset(name for name in names if not any(_extends(other, name) for other in names))


def _extends(longer: Reference, shorter: Reference) -> bool:
    return len(longer) > len(shorter) and longer[: len(shorter)] == shorter


def _dotted(node: nodes.Node) -> Reference:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        head = _dotted(node.node)
        return (*head, node.attr) if head else ()
    return ()


def place_context(place: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what catalog expressions read as ``place``: the place as ordered, with what is known of it."""
    return {**attributes, **{key: place.get(key) for key in OWN}}
