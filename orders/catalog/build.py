"""Turns the YAML shapes into catalog values; what cannot be turned is collected, with its place."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import TemplateError

from orders.catalog.expressions import Expression, compile_expression
from orders.catalog.files import (
    CharacteristicShape,
    CustomerServiceShape,
    EntryShape,
    OfferingShape,
    ProductShape,
    RequirementShape,
    ResourceServiceShape,
    ResourceShape,
    UseShape,
)
from orders.catalog.model import (
    CharacteristicSpecification,
    CustomerService,
    Entry,
    Offering,
    ProductSpecification,
    Requirement,
    ResourceService,
    ResourceSpecification,
    Use,
)
from orders.errors import Problem


class Builder:
    """Builds entries one by one.

    Attributes:
        problems: what was wrong so far.
        places: where each entry stands, by type and id, for messages.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.places: dict[tuple[type[Entry], str], str] = {}

    def offering(self, shape: OfferingShape, place: str) -> Offering:
        """Return the offering that ``shape`` describes."""
        self.places[Offering, shape.id] = place
        return Offering(**_head(shape), specification_id=shape.product_specification, fixed=shape.fixes)

    def product(self, shape: ProductShape, place: str) -> ProductSpecification:
        """Return the product specification that ``shape`` describes."""
        self.places[ProductSpecification, shape.id] = place
        return ProductSpecification(
            **_head(shape),
            characteristics=self._characteristics(shape.characteristics, place),
            realized_by=self._use(shape.realized_by, f"{place}.realizedBy"),
        )

    def customer_service(self, shape: CustomerServiceShape, place: str) -> CustomerService:
        """Return the customer-facing service that ``shape`` describes."""
        self.places[CustomerService, shape.id] = place
        uses = (self._use(each, f"{place}.supportedBy[{n}]") for n, each in enumerate(shape.supported_by))
        return CustomerService(
            **_head(shape),
            characteristics=self._characteristics(shape.characteristics, place),
            supported_by=tuple(uses),
            point_of_no_return=shape.point_of_no_return,
        )

    def resource_service(self, shape: ResourceServiceShape, place: str) -> ResourceService:
        """Return the resource-facing service that ``shape`` describes."""
        self.places[ResourceService, shape.id] = place
        requires = (self._requirement(each, f"{place}.requires[{n}]") for n, each in enumerate(shape.requires))
        return ResourceService(
            **_head(shape),
            characteristics=self._characteristics(shape.characteristics, place),
            requires=tuple(requires),
        )

    def resource(self, shape: ResourceShape, place: str) -> ResourceSpecification:
        """Return the resource specification that ``shape`` describes."""
        self.places[ResourceSpecification, shape.id] = place
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
            specification_id=shape.specification,
            characteristics={name: expression for name, expression in compiled.items() if expression is not None},
        )

    def _requirement(self, shape: RequirementShape, place: str) -> Requirement:
        when = self._expression(shape.when, f"{place}.when") if shape.when is not None else None
        return Requirement(specification_id=shape.specification, when=when)

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
        built = CharacteristicSpecification(**shape.model_dump() | {"allowed": tuple(shape.allowed)})
        if not self._compiles(shape.pattern, place):
            return built
        for value in (*built.allowed, *([] if built.default is None else [built.default])):
            if not built.accepts(value):
                self.problems.append(Problem(path=place, wrong=f"{value!r} is not legal", legal=built.legal()))
        return built

    def _compiles(self, pattern: str | None, place: str) -> bool:
        try:
            re.compile(pattern or "")
        except re.error as error:
            self.problems.append(Problem(path=f"{place}.pattern", wrong=f"{pattern!r} does not compile: {error}"))
            return False
        return True


def _head(shape: EntryShape) -> Mapping[str, Any]:
    return {"id": shape.id, "name": shape.name, "version": shape.version, "description": shape.description}
