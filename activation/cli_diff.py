"""The minimal command line edit between two sets of nodes: remediation by hier_config under the platform's rules."""

from collections.abc import Iterable, Iterator, Mapping

from hier_config import HConfig, HConfigChild
from hier_config.platforms.driver_base import HConfigDriverBase, HConfigDriverRules

from activation.cli_tree import ordered, slot
from activation.notation import Branch, Nodes, grow, natural, parents
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
        if (entry := self._cli.identity(config.text)) is None:
            return None
        return next((other for other in other_children if self._cli.identity(other.text) == entry), None)

    def negate_with(self, config: HConfigChild) -> str | None:
        return special_removal(config.text, self._cli)


def special_removal(line: str, rules: CliRules) -> str | None:
    """Return the command that removes ``line`` where it is not simply the negated line, else None."""
    if (keyed := rules.keyed_of(line)) is not None:
        return keyed.remove.format(**keyed.said(line) or {})
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
    lines = _TwoPasses(old, new, rules).lines(delta) if rules.removals_last else _Script(old, new, rules).lines(delta)
    return "".join(f"{line}\n" for line in lines)


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
            yield from (indent + line for line in self._rules.closing(child.text))


class _TwoPasses:
    """Writes hier_config's remediation as commands that create and change first, and remove then, backwards."""

    def __init__(self, before: Nodes, after: Nodes, rules: CliRules) -> None:
        self._rules = rules
        self._before, self._after = grow(before), grow(after)

    def lines(self, delta: HConfig) -> Iterator[str]:
        yield from self._created(delta.children, self._before, 0)
        yield from self._removed(delta.children, self._before, self._after, 0)

    def _created(self, children: Iterable[HConfigChild], before: Branch, depth: int) -> Iterator[str]:
        going = {removal(line, self._rules) for line in before}
        indent = " " * self._rules.indent * depth
        for child in sorted(children, key=lambda each: (self._rules.rank(each.text, depth), natural(each.text))):
            if child.text in going:
                continue
            inner = list(self._created(child.children, before.get(child.text, {}), depth + 1))
            if inner or child.text not in before:
                yield from (indent + line for line in self._made(child.text, before))
                yield from inner
                yield from self._left(child.text, indent)

    def _made(self, line: str, before: Branch) -> tuple[str, ...]:
        """Return the commands that create a line, or make it of what is there."""
        keyed, identity = self._rules.keyed_of(line), self._rules.identity(line)
        old = next((each for each in before if each != line and self._rules.identity(each) == identity), None)
        if keyed is None or old is None or self._rules.enters(line):
            return (creation(line, self._rules),)
        return keyed.changes(old, line) or (removal(old, self._rules), line)

    def _removed(self, children: Iterable[HConfigChild], before: Branch, after: Branch, depth: int) -> Iterator[str]:
        wanted = {child.text: child for child in children}
        indent = " " * self._rules.indent * depth
        for line in reversed(ordered(before, self._rules, depth)):
            command = removal(line, self._rules)
            if line not in after and command in wanted:
                yield indent + command
            elif line in after and line in wanted:
                inner = list(self._removed(wanted[line].children, before[line], after[line], depth + 1))
                if inner:
                    yield indent + line
                    yield from inner
                    yield from self._left(line, indent)

    def _left(self, line: str, indent: str) -> Iterator[str]:
        if self._rules.enters(line):
            yield from (indent + each for each in self._rules.closing(line))
