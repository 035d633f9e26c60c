"""What a characteristic may be: type, range, pattern, allowed values, how many. Pure."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from orders.errors import Problem

ValueType = Literal["string", "integer", "number", "boolean"]
Value: TypeAlias = str | int | float | bool
_TYPES: Final[Mapping[ValueType, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacteristicSpecification:
    """What one characteristic may be.

    Attributes:
        minimum: smallest legal value, included; numbers only, like ``maximum``.
        pattern: regular expression the whole string must match.
        allowed: the only legal values; empty means any.
        is_list: whether its value is a list, each element as said here.
        min_values: how many elements a list has at least.
        max_values: how many at most; None: any number.
    """

    name: str
    value_type: ValueType
    description: str = ""
    required: bool = False
    default: Value | tuple[Value, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    allowed: tuple[Value, ...] = ()
    unit: str = ""
    is_list: bool = False
    min_values: int = 0
    max_values: int | None = 1

    def accepts(self, value: object) -> bool:
        """Say whether ``value`` is legal here."""
        return not any(True for _ in self.problems(value, ""))

    def problems(self, value: object, path: str) -> Iterator[Problem]:
        """Yield what is wrong with ``value``, which stands at ``path``; an element of a list with its number."""
        if not self.is_list:
            if not self._accepts_one(value):
                yield Problem(path=path, wrong=f"{value!r} is not legal", legal=self.legal())
            return
        if not isinstance(value, list | tuple):
            yield Problem(path=path, wrong=f"{value!r} is no list", legal=self.legal())
            return
        if len(value) < self.min_values or (self.max_values is not None and len(value) > self.max_values):
            yield Problem(path=path, wrong=f"has {len(value)} values", legal=self.legal())
        for number, each in enumerate(value):
            if not self._accepts_one(each):
                yield Problem(path=f"{path}[{number}]", wrong=f"{each!r} is not legal", legal=self.legal())

    def legal(self) -> str:
        """Return in words what is legal here, for messages."""
        words: list[str] = [f"{self._count()} of {self.value_type}" if self.is_list else self.value_type]
        words += [f">= {self.minimum:g}"] if self.minimum is not None else []
        words += [f"<= {self.maximum:g}"] if self.maximum is not None else []
        words += [f"matching {self.pattern}"] if self.pattern is not None else []
        words += ["one of " + ", ".join(map(str, self.allowed))] if self.allowed else []
        return " ".join(words) + (f", in {self.unit}" if self.unit else "")

    def _count(self) -> str:
        if self.max_values is None:
            return f"a list of {self.min_values} or more values" if self.min_values else "a list of values"
        return f"a list of {self.min_values} to {self.max_values} values"

    def _accepts_one(self, value: object) -> bool:
        if not self._fits_type(value):
            return False
        if isinstance(value, str):
            return self._allows(value) and (self.pattern is None or re.fullmatch(self.pattern, value) is not None)
        return self._allows(value) and self._in_range(value)

    def _fits_type(self, value: object) -> bool:
        # Python's bool is an int; JSON's is not.
        if isinstance(value, bool):
            return self.value_type == "boolean"
        return isinstance(value, _TYPES[self.value_type]) and not (
            isinstance(value, float) and not math.isfinite(value)
        )

    def _allows(self, value: object) -> bool:
        return not self.allowed or value in self.allowed

    def _in_range(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


def check_values(
    specifications: Sequence[CharacteristicSpecification], values: Mapping[str, object], path: str
) -> tuple[Problem, ...]:
    """Return what is wrong with a full set of characteristic ``values``: unknown, missing or illegal ones."""
    known = {each.name: each for each in specifications}
    unknown = [
        Problem(path=f"{path}.{name}", wrong="is no characteristic of this specification", legal=", ".join(known))
        for name in values
        if name not in known
    ]
    return (*unknown, *(problem for each in specifications for problem in _check_one(each, values, path)))


def _check_one(
    specification: CharacteristicSpecification, values: Mapping[str, object], path: str
) -> Iterable[Problem]:
    name = specification.name
    if name in values:
        yield from specification.problems(values[name], f"{path}.{name}")
    elif specification.required:
        yield Problem(path=f"{path}.{name}", wrong="is missing", legal=specification.legal())


def with_defaults(specifications: Iterable[CharacteristicSpecification], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` with the default of each characteristic that is absent and has one."""
    defaults = {each.name: _json(each.default) for each in specifications if each.default is not None}
    return defaults | dict(values)


def _json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
