"""Platforms as data: what ``templates/<platform>/platform.yaml`` says about a kind of device."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from activation.drift_policy import DriftRule
from activation.errors import PlanError
from activation.history import HistoryRules
from activation.model import Dialect
from activation.netconf_shapes import Shapes
from activation.terminal import TerminalRules

SchemaPath = tuple[str, ...]
"""A schema node from the root down, as ``{namespace}name`` steps."""

MAX_RANGE_VALUES: Final = 4094
"""A range list names VLANs; anything longer is not one."""

RULES_FILE: Final = "platform.yaml"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(slots=True)
class SchemaNode:
    """A schema node with what the profile says of it.

    Attributes:
        keys: the ``{namespace}name`` of each key where it is a list.
        is_multiple: whether it is a leaf-list.
        is_qualified: whether its value is a qualified name.
        is_presence: whether it means something when it is empty.
    """

    keys: tuple[str, ...] | None = None
    is_multiple: bool = False
    is_qualified: bool = False
    is_presence: bool = False
    _below: "dict[str, SchemaNode]" = field(default_factory=dict)

    def child(self, tag: str) -> "SchemaNode":
        """Return the node ``tag`` below; one of which the profile says nothing where it does not name it."""
        return self._below.get(tag, _UNSAID)

    def grown(self, path: SchemaPath) -> "SchemaNode":
        """Return the node at ``path`` below, made where it is missing."""
        node = self
        for tag in path:
            node = node._below.setdefault(tag, SchemaNode())
        return node


_UNSAID: Final = SchemaNode()


class NetconfRules(_Data):
    """The schema profile of a NETCONF platform; schema nodes are written ``/prefix:name/prefix:name``.

    Attributes:
        namespaces: the prefixes used below and for identities in edits.
        lists: list node to its keys, in the order of the YANG ``key`` statement.
        leaf_lists: leaf-list nodes; every value of one is a node of its own.
        identityrefs: leaves whose values are qualified names.
        presence: presence containers and empty leaves; every other empty element means nothing.
        order: node names in the order they are written; names not listed come last, alphabetically.
    """

    namespaces: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    leaf_lists: tuple[str, ...] = ()
    identityrefs: tuple[str, ...] = ()
    presence: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    def schema_path(self, text: str) -> SchemaPath:
        """Return the steps of ``/prefix:name/prefix:name``.

        Raises:
            PlanError: a prefix that ``namespaces`` does not declare.
        """
        return tuple(self.qualified(step) for step in text.strip("/").split("/"))

    def qualified(self, prefixed: str) -> str:
        """Return ``{namespace}name`` for ``prefix:name``.

        Raises:
            PlanError: a prefix that ``namespaces`` does not declare.
        """
        prefix, _, name = prefixed.partition(":")
        if prefix not in self.namespaces or not name:
            known = ", ".join(sorted(self.namespaces))
            raise PlanError(f"schema profile: {prefixed!r} is no <prefix>:<name>; known prefixes: {known}")
        return f"{{{self.namespaces[prefix]}}}{name}"

    @cached_property
    def keys(self) -> Mapping[SchemaPath, tuple[str, ...]]:
        """Keys by list node."""
        return {self.schema_path(path): keys for path, keys in self.lists.items()}

    @cached_property
    def multiple(self) -> frozenset[SchemaPath]:
        """The leaf-list nodes."""
        return frozenset(map(self.schema_path, self.leaf_lists))

    @cached_property
    def qualified_values(self) -> frozenset[SchemaPath]:
        """The leaves whose values are qualified names."""
        return frozenset(map(self.schema_path, self.identityrefs))

    @cached_property
    def meaningful_when_empty(self) -> frozenset[SchemaPath]:
        """The presence containers and empty leaves."""
        return frozenset(map(self.schema_path, self.presence))

    @cached_property
    def tree(self) -> SchemaNode:
        """All of that as a tree, for reading."""
        root = SchemaNode()
        for path, names in self.keys.items():
            namespace = path[-1][: path[-1].index("}") + 1]
            root.grown(path).keys = tuple(namespace + name for name in names)
        for path in self.multiple:
            root.grown(path).is_multiple = True
        for path in self.qualified_values:
            root.grown(path).is_qualified = True
        for path in self.meaningful_when_empty:
            root.grown(path).is_presence = True
        return root

    @cached_property
    def shapes(self) -> Shapes:
        """The shapes of this platform's texts, as far as they were seen."""
        return Shapes()

    @cached_property
    def rank(self) -> Mapping[str, int]:
        """Position in the writing order by ``{namespace}name``."""
        return {self.qualified(name): position for position, name in enumerate(self.order)}

    @cached_property
    def prefixes(self) -> Mapping[str, str]:
        """Prefix by namespace."""
        return {namespace: prefix for prefix, namespace in self.namespaces.items()}


class RangeRule(_Data):
    """A line that lists values (``1000,1042-1045``) and is changed one value at a time.

    Attributes:
        line: what stands before the values.
        add: the command that adds ``{value}``.
        remove: the command that removes ``{value}``.
    """

    line: str
    add: str
    remove: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the line as a device prints it and as a template writes it."""
        return re.compile(rf"{re.escape(self.line)} (?:add )?(?P<values>none|\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)")

    def values(self, line: str) -> tuple[str, ...] | None:
        """Return the values that ``line`` lists, or None when it is not such a line.

        Raises:
            PlanError: a range that runs backwards or names more values than can exist.
        """
        if not line.startswith(self.line) or (match := self.pattern.fullmatch(line)) is None:
            return None
        listed = match["values"]
        return () if listed == "none" else tuple(v for part in listed.split(",") for v in _expand(part, line))


def _expand(part: str, line: str) -> tuple[str, ...]:
    first, _, last = part.partition("-")
    low, high = int(first), int(last or first)
    if not 0 <= high - low < MAX_RANGE_VALUES:
        raise PlanError(f"{line!r}: {part} is no range of at most {MAX_RANGE_VALUES} ascending values")
    return tuple(map(str, range(low, high + 1)))


class KeyedRule(_Data):
    """A line that words in its middle identify (``ont add 3 7 ... desc "x"``), with its own ways to change and go.

    Attributes:
        line: matches the whole line; its named groups stand for ``{name}`` in the others.
        identity: what does not change as long as it is the same thing.
        remove: the command that removes it.
        change: for each group that can be changed in place, the command that does it. Where another differs, the old
            line is removed and the new one created.
    """

    line: re.Pattern[str]
    identity: str
    remove: str
    change: Mapping[str, str] = Field(default_factory=dict)

    def said(self, line: str) -> Mapping[str, str] | None:
        """Return what ``line`` says by group, or None when it is not such a line."""
        match = self.line.fullmatch(line)
        return {name: value or "" for name, value in match.groupdict().items()} if match is not None else None

    def changes(self, old: str, new: str) -> tuple[str, ...] | None:
        """Return the commands that make ``new`` of ``old``, or None where it has to be removed first."""
        before, after = self.said(old) or {}, self.said(new) or {}
        differ = [name for name in after if before.get(name) != after[name]]
        if not differ or not self.change.keys() >= set(differ):
            return None
        return tuple(self.change[name].format(**after) for name in differ)


class CliRules(_Data):
    """How a command line platform writes, changes and removes its configuration.

    Attributes:
        indent: spaces per level in the running configuration.
        comment: what a line without meaning begins with.
        ignore: lines that are no configuration (``end``), compared as a whole.
        exit: the command that leaves a section.
        sections: beginnings of lines that enter a section, even an empty one.
        permanent: patterns of sections that are always there, shown or not, such as physical interfaces.
        closes_sections: whether the running configuration ends a section with ``exit``.
        negation: what turns a line into its removal.
        values: what single-value lines begin with; a new value replaces the old one. An entry may carry the
            removal (``{line}`` is the whole line) where the platform wants another than ``<negation><entry>``.
        ranges: lines that list values.
        order: beginnings of top-level lines in the order they can be created; removal runs backwards.
        empty_first: beginnings of sections whose lines have to go before the section can.
        keyed: lines that words in their middle identify.
        closings: what ends sections that begin so, instead of ``exit``.
        inner_order: the same as ``order`` for the lines within sections.
        removals_last: whether everything is created and changed before anything is removed, also within sections.
    """

    indent: int = Field(ge=1, le=8)
    comment: str = "!"
    ignore: frozenset[str] = frozenset()
    exit: str = "exit"
    sections: tuple[str, ...] = ()
    permanent: tuple[re.Pattern[str], ...] = ()
    closes_sections: bool = False
    negation: str = "no "
    values: Mapping[str, str | None] = Field(default_factory=dict)
    ranges: tuple[RangeRule, ...] = ()
    order: tuple[str, ...] = ()
    empty_first: tuple[str, ...] = ()
    keyed: tuple[KeyedRule, ...] = ()
    closings: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    inner_order: tuple[str, ...] = ()
    removals_last: bool = False

    def identity(self, line: str) -> str | None:
        """Return what identifies ``line`` where that is less than all of it, else None."""
        keyed = self.keyed_of(line)
        return keyed.identity.format(**keyed.said(line) or {}) if keyed is not None else self.value_of(line)

    def keyed_of(self, line: str) -> KeyedRule | None:
        """Return the rule of the keyed line that ``line`` is, else None."""
        return next((rule for rule in self.keyed if rule.said(line) is not None), None)

    def closing(self, line: str) -> tuple[str, ...]:
        """Return what ends the section that ``line`` enters."""
        return next((lines for start, lines in self.closings.items() if begins(line, start)), (self.exit,))

    def value_of(self, line: str) -> str | None:
        """Return the entry of ``values`` that ``line`` belongs to, the longest if several, else None."""
        return max((v for v in self.values if begins(line, v)), key=len, default=None)

    def range_of(self, line: str) -> RangeRule | None:
        """Return the rule of the range list that ``line`` belongs to, else None."""
        return next((rule for rule in self.ranges if rule.values(line) is not None), None)

    def spelt_out(self, line: str) -> tuple[str, ...]:
        """Return ``line`` as one line per value if it is a range list, else as it is.

        Raises:
            PlanError: a range that makes no sense.
        """
        for rule in self.ranges:
            if (values := rule.values(line)) is not None:
                return tuple(f"{rule.line} {value}" for value in values)
        return (line,)

    def enters(self, line: str) -> bool:
        """Say whether typing ``line`` leads into a section."""
        return any(begins(line, start) for start in self.sections)

    def is_permanent(self, line: str) -> bool:
        """Say whether ``line`` names a section that nobody creates or removes."""
        return any(pattern.fullmatch(line) for pattern in self.permanent)

    def rank(self, line: str, depth: int = 0) -> int:
        """Return the position of a line in the creation order of its siblings."""
        order = self.inner_order if depth else self.order
        return next((at for at, start in enumerate(order) if begins(line, start)), len(order))


def begins(line: str, words: str) -> bool:
    """Say whether ``line`` is ``words`` or goes on after them."""
    return line.startswith(words) and line[len(words) : len(words) + 1] in ("", " ")


class Platform(_Data):
    """One platform; satisfies :class:`activation.contracts.PlatformRules`.

    Attributes:
        name: the folder's name.
        driver: entry point in the group ``activation.drivers``.
        options: what the driver gets to know, such as napalm's or netmiko's name for the platform.
        terminal: how its command line is talked to.
        drift: what is to become of deviations, by place; the first rule that applies counts.
        history: how the device tells who changed it; None where it does not.
    """

    name: str
    dialect: Dialect
    driver: str
    options: Mapping[str, object] = Field(default_factory=dict)
    netconf: NetconfRules | None = None
    cli: CliRules | None = None
    terminal: TerminalRules = TerminalRules()
    drift: tuple[DriftRule, ...] = ()
    history: HistoryRules | None = None

    @model_validator(mode="after")
    def _has_its_rules(self) -> Self:
        rules: dict[Dialect, object] = {"netconf": self.netconf, "cli": self.cli}
        if rules[self.dialect] is None:
            raise ValueError(f"dialect {self.dialect} needs a section {self.dialect!r}")
        return self

    @property
    def netconf_rules(self) -> NetconfRules:
        """The schema profile.

        Raises:
            PlanError: the platform does not speak NETCONF.
        """
        if self.netconf is None:
            raise PlanError(f"platform {self.name} has no schema profile; its dialect is {self.dialect}")
        return self.netconf

    @property
    def cli_rules(self) -> CliRules:
        """The command line rules.

        Raises:
            PlanError: the platform has no command line rules.
        """
        if self.cli is None:
            raise PlanError(f"platform {self.name} has no command line rules; its dialect is {self.dialect}")
        return self.cli


def load_platforms(folder: Path) -> Mapping[str, Platform]:
    """Return every platform in ``folder`` by name.

    Raises:
        PlanError: a ``platform.yaml`` that cannot be understood; names the file and each problem.
    """
    files = sorted(folder.glob(f"*/{RULES_FILE}"))
    if not files:
        raise PlanError(f"no platform in {folder}: expected <platform>/{RULES_FILE}")
    return MappingProxyType({file.parent.name: _load(file) for file in files})


def _load(file: Path) -> Platform:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        return Platform.model_validate({"name": file.parent.name, **data})
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        raise PlanError(f"{file}: {error}") from error
