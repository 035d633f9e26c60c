"""An XML text taken apart into its markup and the values between, and where among those its leaves' values are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from activation.netconf_marks import RESERVED, mark, marks

LONGEST: Final = 64 * 1024
"""Characters of a text that is looked at; longer ones are no template's."""
_DATA: Final = re.compile(r">([^<]*)<")
# What the reader or the writer treats apart, and what is no XML.
_NO_VALUE: Final = re.compile(f"[&'{{}}>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff{RESERVED}]")
_NAME: Final = re.compile(r"\s*<?([^\s/>]+)")


def parted(text: str) -> tuple[Sequence[str], Sequence[str]] | None:
    """Return the markup of ``text`` and the values between; None where a value might be more than a value."""
    if len(text) > LONGEST or "<!" in text or "<?" in text:
        return None
    parts = _DATA.split(text)
    values = parts[1::2]
    return None if _NO_VALUE.search("\n".join(values)) else (parts[::2], values)


@dataclass(frozen=True, slots=True)
class Fields:
    """Which of the values of a text are those of leaves.

    Attributes:
        filled: where a leaf holds something.
        empty: where a leaf holds nothing.
        prefixes: where a leaf may hold a qualified name: what stands before the colon.
    """

    filled: Sequence[int]
    empty: Sequence[int]
    prefixes: Mapping[int, str]

    @classmethod
    def of(cls, markup: Sequence[str], values: Sequence[str]) -> "Fields":
        """Return the fields of a text; whatever holds a colon may be a qualified name."""
        leaves = [at for at in range(len(values)) if _is_leaf(markup[at], markup[at + 1])]
        bare = {at: values[at].strip() for at in leaves}
        return cls(
            filled=[at for at in leaves if bare[at]],
            empty=[at for at in leaves if not bare[at]],
            prefixes={at: value.rpartition(":")[0] for at, value in bare.items() if ":" in value},
        )

    def with_names(self, steps: Sequence[str]) -> "Fields":
        """Return the fields now that ``steps``, with marks, show which leaves hold qualified names."""
        return replace(self, prefixes={at: self.prefixes.get(at, "") for step in steps for at in _qualified(step)})

    def marked(self, markup: Sequence[str]) -> str:
        """Return the text of ``markup`` with marks in the places of its values."""
        filled = frozenset(self.filled)
        parts = [markup[0]]
        for at, after in enumerate(markup[1:]):
            prefix = f"{self.prefixes[at]}:" if self.prefixes.get(at) else ""
            parts.append(f">{prefix + mark(at) if at in filled else ''}<{after}")
        return "".join(parts)

    def accepted(self, values: Sequence[str]) -> Sequence[str] | None:
        """Return the bare values; None where one is missing, is one too many, or has another prefix."""
        found = list(map(str.strip, values))
        for at, prefix in self.prefixes.items():
            before, _, found[at] = found[at].rpartition(":")
            if before != prefix:
                return None
        if all(map(found.__getitem__, self.filled)) and not any(map(found.__getitem__, self.empty)):
            return found
        return None


def _is_leaf(before: str, after: str) -> bool:
    """Say whether what stands around a value are a start tag and its end tag."""
    return not before.endswith("/") and after.startswith("/") and _name(before) == _name(after[1:])


def _name(tag: str) -> str:
    found = _NAME.match(tag)
    return found[1] if found is not None else ""


def _qualified(step: str) -> Iterator[int]:
    # A qualified name is a namespace in braces and the name behind it, which is what a mark stands for.
    return (at for at in marks(step) if f"}}{mark(at)}" in step)
