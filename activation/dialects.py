"""The two notations, each bound to the rules of one platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from activation import cli_diff, cli_tree, netconf_diff, netconf_step, netconf_tree
from activation.model import Path
from activation.netconf_text import Writer
from activation.notation import EVERYTHING, NONE, Nodes, Notation, Scope, Sections, Texts, by_slot, grow
from activation.platforms import CliRules, NetconfRules, Platform
from activation.unified import Marked


class NetconfNotation:
    """XML under a schema profile."""

    def __init__(self, rules: NetconfRules) -> None:
        self.rules = rules
        self._writer = Writer(rules)

    def parse(self, text: str, scope: Scope = EVERYTHING) -> Nodes:
        """Return the nodes of a ``<config>`` element or of its children."""
        return frozenset(self.read(text, scope).values())

    def read(self, text: str, scope: Scope = EVERYTHING) -> Mapping[Path, Path]:
        """Return these nodes by slot."""
        if scope.covers is None:
            return self.rules.shapes.nodes(text, (), self._read)
        return netconf_tree.read(text, self.rules, scope)

    def sections(self, text: str) -> Sections:
        """Return these nodes, and what is known of the topmost list entries."""
        return self.rules.shapes.sections(text, (), self._read, self._writer.body)

    def _read(self, text: str) -> Mapping[Path, Path]:
        return netconf_tree.read(text, self.rules, EVERYTHING)

    def show(self, nodes: Nodes) -> str:
        """Return the canonical ``<config>`` element."""
        return self._writer.write(grow(nodes)) if nodes else ""

    def slot(self, path: Path) -> Path:
        """Return the path without the leaf's value."""
        return netconf_tree.slot(path, self.rules)

    def unit(self, slot: Path) -> Path:
        """Return the innermost list entry around ``slot``."""
        return netconf_step.unit(slot)

    def edit(self, before: Nodes, after: Nodes, *, strict: bool) -> str:
        """Return the ``<config>`` for edit-config."""
        return netconf_diff.write_edit(before, after, self._writer, self.rules, {}, strict=strict)

    def texts(self, before: Nodes, after: Nodes, bodies: Mapping[Path, str] = NONE) -> Texts:
        """Return all texts of a change; what is new as a whole, or gone, is written once."""
        bodies = dict(bodies)
        there = netconf_diff.write_edit(before, after, self._writer, self.rules, bodies, strict=True)
        back = netconf_diff.write_edit(after, before, self._writer, self.rules, bodies, strict=False)
        old, new = grow(before), grow(after)
        return Texts(
            edit=there,
            inverse=back,
            before=self._writer.write(old, bodies) if old else "",
            after=self._writer.write(new, bodies) if new else "",
            compared=self._writer.compare(old, new, bodies),
        )

    def compare(self, before: Nodes, after: Nodes, bodies: Mapping[Path, str] = NONE) -> Sequence[Marked]:
        """Return the lines of both ``<config>`` elements as one."""
        return self._writer.compare(grow(before), grow(after), bodies)


@dataclass(frozen=True, slots=True)
class CliNotation:
    """Lines under a platform's command line rules."""

    rules: CliRules

    def parse(self, text: str, scope: Scope = EVERYTHING) -> Nodes:
        """Return the nodes of running-config lines."""
        return cli_tree.parse(text, self.rules, scope)

    def read(self, text: str, scope: Scope = EVERYTHING) -> Mapping[Path, Path]:
        """Return these nodes by slot."""
        return by_slot(self, self.parse(text, scope))

    def sections(self, text: str) -> Sections:
        """Return these nodes; nothing is known of their sections."""
        return Sections.unknown(self.read(text))

    def show(self, nodes: Nodes) -> str:
        """Return the canonical lines."""
        return cli_tree.show(nodes, self.rules)

    def slot(self, path: Path) -> Path:
        """Return the path with a single-value line cut down to its entry."""
        return cli_tree.slot(path, self.rules)

    def unit(self, slot: Path) -> Path:
        """Return the section around ``slot``."""
        return cli_tree.unit(slot)

    def edit(self, before: Nodes, after: Nodes, *, strict: bool) -> str:  # noqa: ARG002  # commands know no "must exist"
        """Return the commands; they lead to ``after`` from a state in between, too."""
        return cli_diff.edit(before, after, self.rules)

    def texts(self, before: Nodes, after: Nodes, bodies: Mapping[Path, str] = NONE) -> Texts:  # noqa: ARG002  # it knows none
        """Return all texts of a change."""
        return Texts(
            edit=self.edit(before, after, strict=True),
            inverse=self.edit(after, before, strict=False),
            before=self.show(before),
            after=self.show(after),
            compared=self.compare(before, after),
        )

    def compare(self, before: Nodes, after: Nodes, bodies: Mapping[Path, str] = NONE) -> Sequence[Marked]:  # noqa: ARG002  # as above
        """Return the lines of both as one."""
        return list(cli_tree.compare(grow(before), grow(after), self.rules))


def notation_for(platform: Platform) -> Notation:
    """Return the notation of ``platform``."""
    if platform.dialect == "netconf":
        return NetconfNotation(platform.netconf_rules)
    return CliNotation(platform.cli_rules)
