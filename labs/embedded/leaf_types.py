"""YANG leaf types: text in, canonical value out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple, Protocol


class Identity(NamedTuple):
    """Value of an identityref."""

    namespace: str
    name: str


Value = str | Identity
Nsmap = Mapping[str | None, str]
_WHOLE: Final = re.compile(r"[+-]?[0-9]+")
NO_PREFIXES: Final[Nsmap] = {}


class LeafType(Protocol):
    """Knows what a leaf may hold."""

    @property
    def has_prefix(self) -> bool:
        """Whether its text may hold a prefix, so that ``parse`` needs the namespaces in scope; those are dear."""
        ...

    def parse(self, text: str, nsmap: Nsmap) -> Value:
        """Return the canonical value.

        Raises:
            ValueError: the text is no value of this type; says what is legal.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StringType:
    """Text of limited length and shape."""

    length: tuple[int, int] | None = None
    pattern: re.Pattern[str] | None = None

    has_prefix: ClassVar[bool] = False

    def parse(self, text: str, nsmap: Nsmap) -> Value:
        """Return the text itself."""
        del nsmap
        if self.length is not None and not self.length[0] <= len(text) <= self.length[1]:
            raise ValueError(f"length must be {self.length[0]}..{self.length[1]}")
        if self.pattern is not None and self.pattern.fullmatch(text) is None:
            raise ValueError(f"must match {self.pattern.pattern!r}")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerType:
    """Whole number within a range."""

    lowest: int
    highest: int

    has_prefix: ClassVar[bool] = False

    def parse(self, text: str, nsmap: Nsmap) -> Value:
        """Return the number without sign and leading zeros."""
        del nsmap
        stripped = text.strip()
        if _WHOLE.fullmatch(stripped) is None or not self.lowest <= int(stripped) <= self.highest:
            raise ValueError(f"must be a whole number {self.lowest}..{self.highest}")
        return str(int(stripped))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumType:
    """One of some words."""

    values: tuple[str, ...]

    has_prefix: ClassVar[bool] = False

    def parse(self, text: str, nsmap: Nsmap) -> Value:
        """Return the word."""
        del nsmap
        stripped = text.strip()
        if stripped not in self.values:
            raise ValueError(f"must be one of {', '.join(self.values)}")
        return stripped


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyType:
    """Present or absent, without content."""

    has_prefix: ClassVar[bool] = False

    def parse(self, text: str, nsmap: Nsmap) -> Value:
        """Return the empty text."""
        del nsmap
        if text.strip():
            raise ValueError("must be empty")
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityType:
    """Identity derived from a base."""

    base: str
    legal: frozenset[Identity]

    has_prefix: ClassVar[bool] = True

    def parse(self, text: str, nsmap: Nsmap) -> Value:
        """Return the identity, its prefix resolved."""
        prefix, _, name = text.strip().rpartition(":")
        identity = Identity(nsmap.get(prefix or None, ""), name)
        if identity not in self.legal:
            raise ValueError(f"must be an identity derived from {self.base}")
        return identity


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafrefType:
    """Key of a list entry elsewhere.

    Attributes:
        target: qualified names from the top down to the list.
        points_to: types one of which the referenced interface must have; empty for any.
        points_to_text: the same for an error message.
    """

    target: tuple[str, ...]
    points_to: frozenset[Identity] = frozenset()
    points_to_text: str = ""

    has_prefix: ClassVar[bool] = False

    def parse(self, text: str, nsmap: Nsmap) -> Value:
        """Return the text; whether the entry exists is a question to the whole datastore."""
        del nsmap
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionType:
    """The first member that fits."""

    members: tuple[LeafType, ...]

    @property
    def has_prefix(self) -> bool:
        """Whether a member's text may hold a prefix."""
        return any(member.has_prefix for member in self.members)

    def parse(self, text: str, nsmap: Nsmap) -> Value:
        """Return the value as the first fitting member has it."""
        reasons: list[str] = []
        for member in self.members:
            try:
                return member.parse(text, nsmap)
            except ValueError as refused:
                reasons.append(str(refused))
        raise ValueError("; or ".join(reasons))
