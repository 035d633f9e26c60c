"""What a device is asked about its operational state, and what its answer has to hold. Data and judgement; pure.

A command line device answers a ``show … json`` command; a NETCONF device answers ``<get>`` with a subtree filter.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self
from xml.sax.saxutils import escape

from lxml import etree
from pydantic import BaseModel, ConfigDict, Field, model_validator

Values = Mapping[str, Any]
Namespaces = Mapping[str, str]
NOTHING: Final = "nothing"
"""What a device says where there is nothing to be found."""


class Expectation(BaseModel):
    """One thing that an answer has to hold. Both fields may name the check's arguments: ``{vlan}``.

    Attributes:
        at: where: the keys and numbers down into JSON, or an XPath with the platform's prefixes.
        equals: what stands there; where not given, anything.
        called: what people call it; where not given, ``at``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str | tuple[str, ...]
    equals: str | None = None
    called: str = ""

    def holds(self, found: Sequence[str], values: Values) -> bool:
        """Say whether what was found there is as it has to be."""
        return bool(found) if self.equals is None else list(found) == [self.equals.format_map(values)]

    def words(self, found: Sequence[str], values: Values) -> str:
        """Return in words what was found, and what was to be there where that is something else."""
        place = self._place(values)
        wanted = "something" if self.equals is None else self.equals.format_map(values)
        shown = ", ".join(found) or NOTHING
        return f"{place}: {shown}" if self.holds(found, values) else f"{place}: {shown} instead of {wanted}"

    def _place(self, values: Values) -> str:
        if self.called:
            return self.called.format_map(values)
        steps = (self.at,) if isinstance(self.at, str) else self.at
        return " / ".join(step.format_map(values) for step in steps)


class Question(BaseModel):
    """What one platform is asked.

    Attributes:
        ask: the command, or the XML that goes into the subtree filter; may name the check's arguments.
        expect: all of it has to hold.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: str
    expect: tuple[Expectation, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        kinds = {isinstance(each.at, str) for each in self.expect}
        if kinds != {self.is_xml}:
            legal = "an XPath" if self.is_xml else "a list of keys"
            raise ValueError(f"{self.ask[:40]!r}: legal for 'at': {legal}")
        return self

    @property
    def is_xml(self) -> bool:
        """Whether the question is a filter for NETCONF."""
        return self.ask.lstrip().startswith("<")

    def text(self, values: Values) -> str:
        """Return the question with its values."""
        written = {name: escape(str(value)) for name, value in values.items()} if self.is_xml else values
        return self.ask.strip().format_map(written)

    def judged(self, answer: str, values: Values, namespaces: Namespaces) -> tuple[bool, str]:
        """Return whether ``answer`` holds what it has to, and what it holds, in words."""
        try:
            found = [self._found(answer, each, values, namespaces) for each in self.expect]
        except (ValueError, etree.LxmlError) as error:
            return False, f"the answer cannot be understood: {error}"
        wrong = [
            each.words(got, values) for each, got in zip(self.expect, found, strict=True) if not each.holds(got, values)
        ]
        right = [each.words(got, values) for each, got in zip(self.expect, found, strict=True)]
        return not wrong, "; ".join(wrong or right)

    def _found(self, answer: str, expected: Expectation, values: Values, namespaces: Namespaces) -> Sequence[str]:
        if isinstance(expected.at, str):
            return _in_xml(answer, expected.at.format_map(values), namespaces)
        return _in_json(answer, [step.format_map(values) for step in expected.at])


def _in_xml(answer: str, xpath: str, namespaces: Namespaces) -> Sequence[str]:
    found = etree.fromstring(answer.encode()).xpath(xpath, namespaces=dict(namespaces))
    return [_shown(each) for each in found] if isinstance(found, list) else [str(found)]


def _shown(node: Any) -> str:  # noqa: ANN401 - whatever an XPath selects
    return (node.text or "").strip() or etree.QName(node).localname if etree.iselement(node) else str(node)


def _in_json(answer: str, steps: Sequence[str]) -> Sequence[str]:
    node = json.loads(answer)
    for step in steps:
        if isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            return ()
    if isinstance(node, dict | list):
        return ["there"]
    return [json.dumps(node) if isinstance(node, bool) else str(node)]
