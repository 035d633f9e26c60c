"""Catalog expressions: native values, no way out of the sandbox, names found before anything runs."""

from typing import Any

import pytest
from jinja2 import TemplateSyntaxError

from orders.catalog.expressions import compile_expression
from orders.errors import MappingError

CONTEXT: dict[str, Any] = {"service": {"mbps": 100, "name": "x"}, "place": {"id": "ADDR-1015", "tags": ["a"]}}
VALUES = [
    ("service.mbps * 1000000", 100_000_000),
    ("service.mbps * 10 // 8", 125),
    ("[service.mbps, 64] | max", 100),
    ("service.mbps | string", "100"),
    ("place.id", "ADDR-1015"),
    ("service.mbps > 50", True),
    ("'fast' if service.mbps > 50 else 'slow'", "fast"),
]
WITHOUT_VALUE = [
    ("service.colour", "not there"),
    ("service.colour + 1", "has no attribute 'colour'"),
    ("service.mbps // 0", "zero"),
    ("service.mbps + service.name", "unsupported operand"),
    ("service.__class__.__mro__", "unsafe"),
    ("place.tags.append('b')", "attribute 'append' of 'list' object is unsafe"),
    ("range(10000000)", "Range too big"),
]
REFERENCES = [
    ("resource.vlan.vlanId | string", {("resource", "vlan", "vlanId")}),
    ("service.a + service.b.c", {("service", "a"), ("service", "b", "c")}),
    ("[x, 1] | max", {("x",)}),
    ("1 + 1", set()),
]


@pytest.mark.parametrize(("source", "expected"), VALUES)
def test_values_are_native(source: str, expected: object) -> None:
    value = compile_expression(source, "here").evaluate(CONTEXT)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(("source", "reason"), WITHOUT_VALUE)
def test_no_value_says_where_and_why(source: str, reason: str) -> None:
    with pytest.raises(MappingError, match=reason) as caught:
        compile_expression(source, "services.yaml: x").evaluate(CONTEXT)
    assert (caught.value.path, caught.value.source) == ("services.yaml: x", source)
    assert CONTEXT["place"]["tags"] == ["a"]


@pytest.mark.parametrize(("source", "expected"), REFERENCES)
def test_references(source: str, expected: set[tuple[str, ...]]) -> None:
    assert compile_expression(source, "here").references == expected


@pytest.mark.parametrize("source", ["", "1 +", "a b", "}} {{"])
def test_no_expression_does_not_compile(source: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        compile_expression(source, "here")
