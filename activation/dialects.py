"""The two notations, each bound to the rules of one platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from activation import cli_diff, cli_tree, netconf_diff, netconf_tree
from activation.model import Path
from activation.netconf_text import Bodies, Writer
from activation.notation import EVERYTHING, Nodes, Notation, Scope, Texts, by_slot, grow
from activation.platforms import CliRules, NetconfRules, Platform
from activation.unified import Marked


class NetconfNotation:
    """XML under a schema profile."""

    def __init__(self, rules: NetconfRules) -> None:
        self.rules = rules
        self._writer = Writer(rules)

    def parse(self, text: str, scope: Scope = EVERYTHING) -> Nodes:
        """Return the nodes of a ``<config>`` element or of its children."""
        return netconf_tree.parse(text, self.rules, scope)

    def read(self, text: str, scope: Scope = EVERYTHING) -> Mapping[Path, Path]:
        """Return these nodes by slot."""
        return netconf_tree.read(text, self.rules, scope)

    def show(self, nodes: Nodes) -> str:
        """Return the canonical ``<config>`` element."""
        return self._writer.write(grow(nodes)) if nodes else ""

    def slot(self, path: Path) -> Path:
        """Return the path without the leaf's value."""
        return netconf_tree.slot(path, self.rules)

    def unit(self, slot: Path) -> Path:
        """Return the innermost list entry around ``slot``."""
        return netconf_tree.unit(slot)

    def edit(self, before: Nodes, after: Nodes, *, strict: bool) -> str:
        """Return the ``<config>`` for edit-config."""
        return netconf_diff.write_edit(before, after, self._writer, self.rules, {}, strict=strict)

    def texts(self, before: Nodes, after: Nodes) -> Texts:
        """Return all texts of a change; what is new as a whole, or gone, is written once."""
        bodies: Bodies = {}
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

    def compare(self, before: Nodes, after: Nodes) -> Sequence[Marked]:
        """Return the lines of both ``<config>`` elements as one."""
        return self._writer.compare(grow(before), grow(after))


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

    def texts(self, before: Nodes, after: Nodes) -> Texts:
        """Return all texts of a change."""
        return Texts(
            edit=self.edit(before, after, strict=True),
            inverse=self.edit(after, before, strict=False),
            before=self.show(before),
            after=self.show(after),
            compared=self.compare(before, after),
        )

    def compare(self, before: Nodes, after: Nodes) -> Sequence[Marked]:
        """Return the lines of both as one."""
        return list(cli_tree.compare(grow(before), grow(after), self.rules))


def notation_for(platform: Platform) -> Notation:
    """Return the notation of ``platform``."""
    if platform.dialect == "netconf":
        return NetconfNotation(platform.netconf_rules)
    return CliNotation(platform.cli_rules)
