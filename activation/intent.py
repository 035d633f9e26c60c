"""Intents: what a service may ask of a device, declared in ``templates/intents.yaml`` and checked here."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, Self

import yaml
from jinja2 import StrictUndefined, TemplateRuntimeError, TemplateSyntaxError
from jinja2.environment import TemplateExpression
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from activation.errors import ActivationError, BadIntent
from activation.model import Intent, ServiceId

_EXPRESSIONS = SandboxedEnvironment(undefined=StrictUndefined)
ACTIVE: Final = "active"
"""The variable that every template has: whether the service is in service, or only configured."""


class Variable(BaseModel):
    """What one variable may hold; ``pattern`` has to match the whole string."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["string", "integer", "ipv4"]
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        if self.type == "string" and self.pattern is None:
            raise ValueError("a string needs a pattern: what it holds ends up in a device's configuration")
        if self.type == "integer" and (self.minimum is None or self.maximum is None):
            raise ValueError("an integer needs minimum and maximum")
        return self

    @property
    def legal(self) -> str:
        """Words for what may stand here."""
        words = {
            "string": f"a string that matches {self.pattern}",
            "integer": f"an integer from {self.minimum} to {self.maximum}",
            "ipv4": "an IPv4 address",
        }
        return words[self.type]

    def accepts(self, value: object) -> bool:
        """Say whether ``value`` may stand here."""
        if self.type == "integer":
            return type(value) is int and (self.minimum or 0) <= value <= (self.maximum or 0)
        if not isinstance(value, str):
            return False
        return _is_ipv4(value) if self.type == "ipv4" else re.fullmatch(self.pattern or "", value) is not None


class Unique(BaseModel):
    """Variables whose values, together, only one live service may have: on its device, or in the whole network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variables: tuple[str, ...] = Field(min_length=1)
    within: Literal["device", "network"] = "network"


class IntentSpec(BaseModel):
    """One intent: ``device`` is the variable that names the device; ``computed`` are expressions over the others.

    Attributes:
        unique: what no two live services may share.
        asynchronous: whether a client gets the monitor at once, because its devices take long.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    device: str
    variables: Mapping[str, Variable]
    computed: Mapping[str, str] = Field(default_factory=dict)
    unique: tuple[Unique, ...] = ()
    asynchronous: bool = False

    @cached_property
    def wire_names(self) -> Mapping[str, str]:
        """The names of the variables by what they are called on the wire."""
        return {camel_case(name): name for name in self.variables}

    @model_validator(mode="after")
    def _names_its_device(self) -> Self:
        if self.device not in self.variables:
            raise ValueError(f"device: {self.device!r} is no variable; known: {', '.join(sorted(self.variables))}")
        if ACTIVE in {*self.variables, *self.computed}:
            raise ValueError(f"{ACTIVE} is given to every template by itself; legal: another name")
        if unknown := sorted({name for each in self.unique for name in each.variables} - self.variables.keys()):
            known = ", ".join(sorted(self.variables))
            raise ValueError(f"unique: {', '.join(map(repr, unknown))} is no variable; known: {known}")
        return self


def load_intents(path: Path) -> Mapping[str, IntentSpec]:
    """Return the intents in the file ``path`` by service specification id.

    Raises:
        ActivationError: the file cannot be understood; names each problem.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        specs = {name: IntentSpec.model_validate({"name": name, **body}) for name, body in data.items()}
    except (yaml.YAMLError, ValidationError, TypeError, AttributeError) as error:
        raise ActivationError(f"{path}: {error}") from error
    return MappingProxyType(specs)


def build_intent(
    spec: IntentSpec, service_id: ServiceId, characteristics: Mapping[str, Any], *, active: bool = True
) -> Intent:
    """Return the intent that a service's ``characteristics`` (camelCase, as posted) describe.

    ``active`` says whether the service is in service, or only configured.

    Raises:
        BadIntent: names every missing, unknown and ill-typed characteristic and what is legal.
    """
    if problems := tuple(_problems(spec, characteristics)):
        raise BadIntent(spec.name, problems)
    variables = {name: characteristics[wire_name] for wire_name, name in spec.wire_names.items()}
    return Intent(
        service_id=service_id,
        name=spec.name,
        device=variables[spec.device],
        variables=MappingProxyType(variables | _computed(spec, variables) | {ACTIVE: active}),
    )


def camel_case(name: str) -> str:
    """Return the wire's name of a variable: ``onu_id`` → ``onuId``."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _problems(spec: IntentSpec, characteristics: Mapping[str, Any]) -> Iterator[str]:
    wire_names = spec.wire_names
    for wire_name, name in wire_names.items():
        variable = spec.variables[name]
        if wire_name not in characteristics:
            yield f"{wire_name} is missing; legal: {variable.legal}"
        elif not variable.accepts(value := characteristics[wire_name]):
            yield f"{wire_name} is {value!r}; legal: {variable.legal}"
    for unknown in sorted(set(characteristics) - set(wire_names)):
        yield f"{unknown} is unknown; known: {', '.join(sorted(wire_names))}"


@lru_cache
def _compiled(computed: tuple[tuple[str, str], ...]) -> TemplateExpression:
    """Return all expressions as one, whose value is a mapping: an evaluation costs more than what it evaluates."""
    for _, text in computed:
        _EXPRESSIONS.compile_expression(text)  # Each is one by itself: together they must not come to something else.
    pairs = ", ".join(f"{name!r}: ({text})" for name, text in computed)
    return _EXPRESSIONS.compile_expression(f"{{{pairs}}}", undefined_to_none=False)


def _computed(spec: IntentSpec, variables: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return dict(_compiled(tuple(spec.computed.items()))(**variables) or {})
    except (TemplateSyntaxError, TemplateRuntimeError, ArithmeticError, TypeError) as error:
        raise BadIntent(spec.name, (f"computed variables: {error}",)) from error


def _is_ipv4(value: str) -> bool:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return False
    return True
