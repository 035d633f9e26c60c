"""Turns the YAML shapes into catalog values; what cannot be turned is collected, with its place."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from jinja2 import TemplateError

from orders.catalog.characteristics import CharacteristicSpecification
from orders.catalog.expressions import Expression, compile_expression
from orders.catalog.files import (
    BundlePartShape,
    CharacteristicShape,
    CustomerServiceShape,
    EligibilityShape,
    EntryShape,
    OfferingShape,
    ProductShape,
    RequirementShape,
    ResourceServiceShape,
    ResourceShape,
    UseShape,
)
from orders.catalog.model import (
    BundlePart,
    CustomerService,
    Eligibility,
    Entry,
    ManualTask,
    Offering,
    ProductSpecification,
    Requirement,
    ResourceService,
    ResourceSpecification,
    Use,
    ref_of_text,
)
from orders.errors import Problem

PlaceKey = tuple[type[Entry], str, str]
"""One version of one entry: its type, id and version."""


def key_of(entry: Entry) -> PlaceKey:
    """Return the key of the entry among all."""
    return type(entry), entry.id, entry.version


class Builder:
    """Builds entries one by one.

    Attributes:
        problems: what was wrong so far.
        places: where each version of each entry stands, for messages.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.places: dict[PlaceKey, str] = {}

    def offering(self, shape: OfferingShape, place: str) -> Offering:
        """Return the offering that ``shape`` describes."""
        self.places[Offering, shape.id, shape.version] = place
        rules = (self._eligibility(each, f"{place}.eligibility[{n}]") for n, each in enumerate(shape.eligibility))
        return Offering(
            **_head(shape),
            specification=ref_of_text(shape.product_specification),
            fixed=shape.fixes,
            eligibility=tuple(rule for rule in rules if rule is not None),
            bundles=tuple(_part(each) for each in shape.bundles),
        )

    def product(self, shape: ProductShape, place: str) -> ProductSpecification:
        """Return the product specification that ``shape`` describes."""
        self.places[ProductSpecification, shape.id, shape.version] = place
        return ProductSpecification(
            **_head(shape),
            characteristics=self._characteristics(shape.characteristics, place),
            realized_by=self._use(shape.realized_by, f"{place}.realizedBy") if shape.realized_by is not None else None,
            migrates_to=tuple(shape.migrates_to),
        )

    def customer_service(self, shape: CustomerServiceShape, place: str) -> CustomerService:
        """Return the customer-facing service that ``shape`` describes."""
        self.places[CustomerService, shape.id, shape.version] = place
        uses = (self._use(each, f"{place}.supportedBy[{n}]") for n, each in enumerate(shape.supported_by))
        return CustomerService(
            **_head(shape),
            characteristics=self._characteristics(shape.characteristics, place),
            supported_by=tuple(uses),
            migrates_to=tuple(shape.migrates_to),
            relies_on=tuple(shape.relies_on),
            point_of_no_return=shape.point_of_no_return,
            on_failure=shape.on_failure,
            manual_tasks=tuple(self._manual_tasks(shape, place)),
        )

    def _manual_tasks(self, shape: CustomerServiceShape, place: str) -> Iterator[ManualTask]:
        known = [each.name for each in shape.characteristics]
        names = [each.name for each in shape.manual_tasks]
        for number, each in enumerate(shape.manual_tasks):
            path = f"{place}.manualTasks[{number}]"
            if names.count(each.name) > 1:
                self.problems.append(Problem(path=f"{path}.name", wrong=f"{each.name!r} is given twice"))
            for asked in set(each.asks) - set(known):
                wrong = f"{asked!r} is no characteristic of this specification"
                self.problems.append(Problem(path=f"{path}.asks", wrong=wrong, legal=", ".join(known)))
            yield ManualTask(
                name=each.name,
                instruction=each.instruction,
                role=each.role,
                before=each.before,
                asks=tuple(each.asks),
                escalate_after_h=each.escalate_after_h,
            )

    def resource_service(self, shape: ResourceServiceShape, place: str) -> ResourceService:
        """Return the resource-facing service that ``shape`` describes."""
        self.places[ResourceService, shape.id, shape.version] = place
        requires = (self._requirement(each, f"{place}.requires[{n}]") for n, each in enumerate(shape.requires))
        return ResourceService(
            **_head(shape),
            characteristics=self._characteristics(shape.characteristics, place),
            requires=tuple(requires),
        )

    def resource(self, shape: ResourceShape, place: str) -> ResourceSpecification:
        """Return the resource specification that ``shape`` describes."""
        self.places[ResourceSpecification, shape.id, shape.version] = place
        if (shape.allocation == "pon") == bool(shape.pool):
            legal = "none for allocation pon, a pool's name for vlan and address"
            self.problems.append(Problem(path=f"{place}.pool", wrong=f"{shape.pool!r} is not legal", legal=legal))
        return ResourceSpecification(
            **_head(shape),
            allocation=shape.allocation,
            pool=shape.pool,
            characteristics=self._characteristics(shape.characteristics, place),
        )

    def _use(self, shape: UseShape, place: str) -> Use:
        compiled = {
            name: self._expression(source, f"{place}.characteristics.{name}")
            for name, source in shape.characteristics.items()
        }
        return Use(
            specification=ref_of_text(shape.specification),
            when=self._condition(shape.when, place),
            characteristics={name: expression for name, expression in compiled.items() if expression is not None},
        )

    def _requirement(self, shape: RequirementShape, place: str) -> Requirement:
        return Requirement(specification=ref_of_text(shape.specification), when=self._condition(shape.when, place))

    def _eligibility(self, shape: EligibilityShape, place: str) -> Eligibility | None:
        when = self._condition(shape.when, place)
        return None if when is None else Eligibility(when=when, reason=shape.reason)

    def _condition(self, source: str | None, place: str) -> Expression | None:
        return self._expression(source, f"{place}.when") if source is not None else None

    def _expression(self, source: str, place: str) -> Expression | None:
        try:
            return compile_expression(source, place)
        except TemplateError as error:
            legal = "a Jinja2 expression"
            self.problems.append(Problem(path=place, wrong=f"{source!r} does not compile: {error}", legal=legal))
            return None

    def _characteristics(
        self, shapes: Iterable[CharacteristicShape], place: str
    ) -> tuple[CharacteristicSpecification, ...]:
        built: dict[str, CharacteristicSpecification] = {}
        for number, shape in enumerate(shapes):
            path = f"{place}.characteristics[{number}]"
            if shape.name in built:
                self.problems.append(Problem(path=path, wrong=f"name {shape.name!r} is given twice"))
            built[shape.name] = self._characteristic(shape, path)
        return tuple(built.values())

    def _characteristic(self, shape: CharacteristicShape, place: str) -> CharacteristicSpecification:
        most = None if shape.max_values == "*" else shape.max_values
        if most is not None and (most < 1 or most < shape.min_values):
            legal = "minValues or more, at least 1, or '*'"
            self.problems.append(Problem(path=f"{place}.maxValues", wrong=f"{most} is not legal", legal=legal))
        built = CharacteristicSpecification(
            **shape.model_dump(exclude={"allowed", "default", "max_values", "min_values"}),
            allowed=tuple(shape.allowed),
            default=tuple(shape.default) if isinstance(shape.default, list) else shape.default,
            is_list=most != 1 or shape.min_values > 1,
            min_values=shape.min_values,
            max_values=most,
        )
        if self._compiles(shape.pattern, place):
            self.problems += _self_contradictions(built, place)
        return built

    def _compiles(self, pattern: str | None, place: str) -> bool:
        try:
            re.compile(pattern or "")
        except re.error as error:
            self.problems.append(Problem(path=f"{place}.pattern", wrong=f"{pattern!r} does not compile: {error}"))
            return False
        return True


def _self_contradictions(built: CharacteristicSpecification, place: str) -> Iterator[Problem]:
    if built.minimum is not None and built.maximum is not None and built.minimum > built.maximum:
        yield Problem(path=f"{place}.min", wrong=f"{built.minimum:g} is above max {built.maximum:g}")
    one = replace(built, is_list=False)
    for value in built.allowed:
        yield from one.problems(value, place)
    if built.default is not None:
        yield from built.problems(built.default, place)


def _part(shape: BundlePartShape) -> BundlePart:
    upper = shape.upper_limit if shape.upper_limit is not None else max(1, shape.lower_limit)
    default = shape.default if shape.default is not None else shape.lower_limit
    return BundlePart(offering=shape.offering, lower=shape.lower_limit, upper=upper, default=default)


def _head(shape: EntryShape) -> Mapping[str, Any]:
    return {
        "id": shape.id,
        "name": shape.name,
        "version": shape.version,
        "description": shape.description,
        "lifecycle_status": shape.lifecycle_status,
        "valid_from": shape.valid_for.start_date_time,
        "valid_to": shape.valid_for.end_date_time,
    }
