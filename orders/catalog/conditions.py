"""What a condition can come to: tried with every value that its names may have. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Final

from orders.catalog.characteristics import CharacteristicSpecification
from orders.catalog.expressions import Expression, Reference
from orders.errors import MappingError

MOST_TRIALS: Final = 10_000
Domain = tuple[Any, ...]


class Absent:
    """What stands in a domain for no value at all."""

    def __str__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


def outcomes(condition: Expression, domains: Mapping[Reference, Domain]) -> frozenset[bool] | None:
    """Return whether the condition can hold and can fail; None: a name can have too many values to try all."""
    names = sorted(condition.references)
    if any(name not in domains for name in names):
        return None
    trials = 1
    for name in names:
        trials *= len(domains[name])
    if trials > MOST_TRIALS:
        return None
    return frozenset(_tried(condition, names, [domains[name] for name in names]))


def domains_of(prefix: str, characteristics: Iterable[CharacteristicSpecification]) -> dict[Reference, Domain]:
    """Return the values that those characteristics can have which have few."""
    found = ((each, _values(each)) for each in characteristics if not each.is_list)
    return {(prefix, each.name): values for each, values in found if values}


def _values(specification: CharacteristicSpecification) -> Domain:
    if specification.value_type == "boolean":
        return (False, True)
    if specification.allowed:
        return specification.allowed
    low, high = specification.minimum, specification.maximum
    if specification.value_type == "integer" and low is not None and high is not None and high - low < MOST_TRIALS:
        return tuple(range(int(low), int(high) + 1))
    return ()


def _tried(condition: Expression, names: list[Reference], domains: list[Domain]) -> Iterator[bool]:
    for values in product(*domains):
        context: dict[str, dict[str, Any]] = {}
        for name, value in zip(names, values, strict=True):
            values_of = context.setdefault(name[0], {})
            if value is not ABSENT:
                values_of[name[-1]] = value
        try:
            yield bool(condition.evaluate(context))
        except MappingError:
            # It fails for these values: that is neither holding nor not holding.
            continue
