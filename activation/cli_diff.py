"""The minimal command line edit between two sets of nodes: remediation by hier_config under the platform's rules."""

from collections.abc import Iterable, Iterator, Mapping

from hier_config import HConfig, HConfigChild
from hier_config.platforms.driver_base import HConfigDriverBase, HConfigDriverRules

from activation.cli_tree import ordered, slot
from activation.notation import Branch, Nodes, grow, parents
from activation.platforms import CliRules, begins


class _PlatformDriver(HConfigDriverBase):
    """hier_config's view of a platform whose rules are data."""

    def __init__(self, rules: CliRules) -> None:
        super().__init__()
        self._cli = rules

    @property
    def negation_prefix(self) -> str:
        return self._cli.negation

    @staticmethod
    def _instantiate_rules() -> HConfigDriverRules:
        return HConfigDriverRules()

    def idempotent_for(self, config: HConfigChild, other_children: Iterable[HConfigChild]) -> HConfigChild | None:
        if (entry := self._cli.value_of(config.text)) is None:
            return None
        return next((other for other in other_children if self._cli.value_of(other.text) == entry), None)

    def negate_with(self, config: HConfigChild) -> str | None:
        return special_removal(config.text, self._cli)


def special_removal(line: str, rules: CliRules) -> str | None:
    """Return the command that removes ``line`` where it is not simply the negated line, else None."""
    if (ranged := rules.range_of(line)) is not None:
        return ranged.remove.format(value=line.removeprefix(f"{ranged.line} "))
    if (entry := rules.value_of(line)) is not None:
        return (rules.values[entry] or f"{rules.negation}{entry}").format(line=line)
    return None


def removal(line: str, rules: CliRules) -> str:
    """Return the command that removes ``line``."""
    if (special := special_removal(line, rules)) is not None:
        return special
    return line.removeprefix(rules.negation) if line.startswith(rules.negation) else f"{rules.negation}{line}"


def creation(line: str, rules: CliRules) -> str:
    """Return the command that creates ``line``."""
    ranged = rules.range_of(line)
    return line if ranged is None else ranged.add.format(value=line.removeprefix(f"{ranged.line} "))


def edit(before: Nodes, after: Nodes, rules: CliRules) -> str:
    """Return the lines that turn ``before`` into ``after``, each section entered and left; empty when equal.

    What is referred to is created before, and removed after, what refers to it.
    """
    driver = _PlatformDriver(rules)
    always = frozenset(path for node in before | after for path in parents(node)) - before - after
    old, new = before | always, after | always
    delta = _tree(old, driver, rules).config_to_get_to(_tree(new, driver, rules))
    return "".join(f"{line}\n" for line in _Script(old, new, rules).lines(delta))


def _tree(nodes: Nodes, driver: HConfigDriverBase, rules: CliRules) -> HConfig:
    root = HConfig(driver)
    _fill(root, grow(nodes), rules, 0)
    return root


def _fill(target: HConfig | HConfigChild, branch: Branch, rules: CliRules, depth: int) -> None:
    for line in ordered(branch, rules, depth):
        _fill(target.add_child(line), branch[line], rules, depth + 1)


class _Script:
    """Writes hier_config's remediation as commands."""

    def __init__(self, before: Nodes, after: Nodes, rules: CliRules) -> None:
        self._rules = rules
        self._before = grow(before)
        staying = {slot(path, rules) for path in after if len(path) == 1}
        vanishing = (path for path in before if len(path) == 1 and slot(path, rules) not in staying)
        self._removed: Mapping[str, str] = {removal(path[0], rules): path[0] for path in vanishing}

    def lines(self, delta: HConfig) -> Iterator[str]:
        for child in sorted(delta.children, key=self._position):
            yield from self._emptied(child.text)
            yield from self._section(child, 0)

    def _position(self, child: HConfigChild) -> tuple[bool, int]:
        removed = self._removed.get(child.text)
        return (True, -self._rules.rank(removed)) if removed is not None else (False, self._rules.rank(child.text))

    def _emptied(self, command: str) -> Iterator[str]:
        """Return the lines that empty a section which the platform does not let go while it holds anything."""
        section = self._removed.get(command, "")
        held = self._before[section] if section else {}
        if not held or not any(begins(section, start) for start in self._rules.empty_first):
            return
        yield section
        for line in reversed(ordered(held, self._rules, 1)):
            yield f"{' ' * self._rules.indent}{removal(line, self._rules)}"
        yield self._rules.exit

    def _section(self, child: HConfigChild, depth: int) -> Iterator[str]:
        indent = " " * self._rules.indent * depth
        yield indent + creation(child.text, self._rules)
        for line in child.children:
            yield from self._section(line, depth + 1)
        if child.children or self._rules.enters(child.text):
            yield indent + self._rules.exit
