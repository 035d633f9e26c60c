"""Configuration lines as a person or a program types them, applied to a configuration tree.

The rules of a platform are data: one table per mode, in the order the device prints its lines.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from labs.embedded.cli_grammar import Match, Refusal, RefusalKind, Value, choose, match, natural_key
from labs.embedded.cli_tree import ConfigLine, Key, Path, Tree, drop, edited, emptied, find, inside, put

Rewrite = Callable[[str, str | None], str | None]
"""Turns the typed line and the stored one into the line to store; None stores nothing, ValueError refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of line the device knows in one mode.

    Attributes:
        pattern: keywords and ``{value}`` names; what stands before ``|`` identifies the line, the rest is its value.
            A pattern that starts with ``no`` is a line whose absence is the default.
        opens: the mode of the lines inside, for a section.
        prompt: what the prompt shows inside the section; ``{0}`` stands for its first word.
        key: identity of lines that exclude one another.
        entry_order: keep lines as entered instead of sorting them.
        permanent: the section exists as long as the device; removing it empties it.
    """

    pattern: str
    opens: str | None = None
    prompt: str = ""
    closing: str = ""
    group: str = ""
    key: Key | None = None
    entry_order: bool = False
    permanent: Callable[[str], bool] | None = None
    rewrite: Rewrite | None = None

    def identity(self) -> list[str]:
        """Return the words that identify a line."""
        return self.pattern.partition("|")[0].split()

    def whole(self) -> list[str]:
        """Return all words of the line."""
        return self.pattern.replace("|", " ").split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the configuration the next line goes.

    Attributes:
        modes: the mode of the top level and of every section on the path.
        prompts: what the prompt says about every section on the path.
    """

    path: Path = ()
    modes: tuple[str, ...] = ("global",)
    prompts: tuple[str, ...] = ()

    def outward(self) -> "Place":
        """Return the place one section further out; the top level stays."""
        return Place(path=self.path[:-1], modes=self.modes[: max(1, len(self.modes) - 1)], prompts=self.prompts[:-1])

    def at_depth(self, depth: int) -> "Place":
        """Return the place ``depth`` sections inside the top level."""
        return Place(path=self.path[:depth], modes=self.modes[: depth + 1], prompts=self.prompts[:depth])


TOP = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What one platform understands in configuration mode.

    Attributes:
        negations: words that turn a line into its removal; help shows the first.
        leaves: what ends a section in a saved configuration begins with this.
        ends: the last line of a saved configuration.
        comment: what a line without meaning begins with.
        ignored: lines of a saved configuration that configure nothing.
        reaches_out: whether a line that means nothing in its own mode is tried in the modes around it.
    """

    modes: Mapping[str, Sequence[Rule]]
    values: Mapping[str, Value]
    negations: tuple[str, ...] = ("no", "default")
    leaves: str = "exit"
    ends: str = "end"
    comment: str = "!"
    ignored: frozenset[str] = frozenset()
    reaches_out: bool = True

    def apply(self, tree: Tree, place: Place, line: str) -> tuple[Tree, Place]:
        """Return the configuration with ``line`` typed at ``place``, and where the next line goes.

        On most devices a line that means nothing in its own mode is tried in the modes around it.

        Raises:
            Refusal: no mode around knows the line; the refusal is that of the mode that understood most of it.
        """
        refusals: list[Refusal] = []
        outermost = -1 if self.reaches_out else len(place.path) - 1
        for depth in range(len(place.path), outermost, -1):
            try:
                return self._apply_at(tree, place.at_depth(depth), line)
            except Refusal as refusal:
                refusals.append(refusal)
        raise max(refusals, key=lambda refusal: refusal.word_index)

    def _apply_at(self, tree: Tree, place: Place, line: str) -> tuple[Tree, Place]:
        rules = self.modes[place.modes[-1]]
        try:
            rule, words = choose([(rule.whole(), rule) for rule in rules], line, self.values)
        except Refusal as refusal:
            removal = self._removal(rules, line)
            if removal is None:
                raise self._counted_without_no(rules, line, refusal) from None
            rule, words, exact = removal
            return self._remove(tree, place, rule, words, exact=exact), place
        return self._put(tree, place, rule, words, line)

    def _put(self, tree: Tree, place: Place, rule: Rule, words: Sequence[str], line: str) -> tuple[Tree, Place]:
        key = rule.key or tuple(words[: len(rule.identity())])
        text: str | None = " ".join(words)
        if rule.rewrite is not None:
            stored = find(inside(tree, place.path) or (), key)
            try:
                text = rule.rewrite(" ".join(words), stored.text if stored else None)
            except ValueError:
                raise Refusal("invalid", line, len(line.split()) - 1) from None
        if text is None:
            return edited(tree, place.path, partial(drop, key=key)), place
        rules = self.modes[place.modes[-1]]
        new = ConfigLine(
            text=text,
            key=key,
            order=(_rank(rules, rule), () if rule.entry_order else natural_key(" ".join(key))),
            group=rule.group or rule.identity()[0],
            section=rule.opens is not None,
            closing=rule.closing,
        )
        changed = edited(tree, place.path, partial(put, line=new))
        if rule.opens is None:
            return changed, place
        inner = Place(
            path=(*place.path, key),
            modes=(*place.modes, rule.opens),
            prompts=(*place.prompts, rule.prompt.format(*words)),
        )
        return changed, inner

    def _removal(self, rules: Sequence[Rule], line: str) -> tuple[Rule, tuple[str, ...], bool] | None:
        negated, _, rest = line.partition(" ")
        wanted = rest if negated in self.negations else f"{self.negations[0]} {line}"
        best: tuple[Rule, Match, bool] | None = None
        for rule in rules:
            for pattern, exact in ((rule.whole(), True), (rule.identity(), False)):
                found = match(pattern, wanted.split(), self.values)
                if found.fits and (best is None or found.abbreviated < best[1].abbreviated):
                    best = (rule, found, exact)
        return None if best is None else (best[0], best[1].words, best[2])

    def _remove(self, tree: Tree, place: Place, rule: Rule, words: Sequence[str], *, exact: bool) -> Tree:
        key = rule.key or tuple(words[: len(rule.identity())])
        stored = find(inside(tree, place.path) or (), key)
        if stored is None or (exact and stored.text != " ".join(words)):
            return tree
        if rule.permanent is not None and rule.permanent(words[-1]):
            return edited(tree, place.path, partial(emptied, key=key))
        return edited(tree, place.path, partial(drop, key=key))

    def _counted_without_no(self, rules: Sequence[Rule], line: str, refusal: Refusal) -> Refusal:
        """Return the refusal that names the word after ``no`` that does not fit, if the line begins with it."""
        negated, _, rest = line.partition(" ")
        if negated != self.negations[0] or not rest:
            return refusal
        words = rest.split()
        furthest = max(len(match(rule.whole(), words, self.values).words) for rule in rules)
        kind: RefusalKind = "incomplete" if furthest == len(words) else "invalid"
        return max(refusal, Refusal(kind, line, furthest + 1), key=lambda each: each.word_index)

    def patterns(self, place: Place) -> list[list[str]]:
        """Return the patterns of the lines known at ``place``, also with ``no`` in front."""
        rules = self.modes[place.modes[-1]]
        return [form for rule in rules for form in (rule.whole(), [self.negations[0], *rule.identity()])]

    def load(self, text: str) -> Tree:
        """Return the tree of a whole configuration.

        Raises:
            Refusal: the text holds a line the platform does not know.
        """
        tree: Tree = ()
        place = TOP
        for line in map(str.strip, text.splitlines()):
            if line == self.ends:
                break
            if line.startswith(self.leaves):
                place = place.outward()
            elif line and line not in self.ignored and not line.startswith(self.comment):
                tree, place = self.apply(tree, place, line)
        return tree


def _rank(rules: Sequence[Rule], rule: Rule) -> int:
    """Return where lines of this kind stand; forms of one line that exclude one another stand together."""
    identity = rule.key or rule.identity()
    return next(rank for rank, each in enumerate(rules) if (each.key or each.identity()) == identity)
