"""Review policy: which changes need people, and how many. Read from a YAML file; deciding is pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from activation.errors import BadPolicy
from activation.model import Action


class Requirement(StrEnum):
    """Who has to say yes before a plan is pushed; each is stronger than the one before."""

    AUTO = "auto"
    """Nobody."""
    ONE_APPROVER = "oneApprover"
    """One reviewer; it may be whoever ordered."""
    FOUR_EYES = "fourEyes"
    """One reviewer who is not the one who ordered."""


_STRENGTH: Final = tuple(Requirement)


def stronger(first: Requirement, second: Requirement) -> Requirement:
    """Return the requirement that asks for more."""
    return max(first, second, key=_STRENGTH.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What is known of a change before it is planned."""

    action: str
    specifications: frozenset[str]
    devices: frozenset[str]
    roles: frozenset[str]
    platforms: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What only the plan tells.

    Attributes:
        shared_services: other services on nodes that the change touches.
        removed_lines: lines of the diff that take something away.
        unowned_nodes: nodes that change although no service put them there.
    """

    shared_services: int
    removed_lines: int
    unowned_nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the policy says of one change, and which rule says so."""

    requirement: Requirement
    rule: str


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _is_action(value: str) -> str:
    if value not in get_args(Action):
        raise ValueError(f"{value!r} is no action; legal: {', '.join(get_args(Action))}")
    return value


Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed), Field(min_length=1)]
Actions = Annotated[tuple[Annotated[str, BeforeValidator(_is_action)], ...], BeforeValidator(_listed)]
AtLeast = Annotated[int, Field(ge=1)]


class When(BaseModel):
    """The conditions of a rule: all of them must hold, of the names in one of them any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    specification: Names | None = None
    action: Actions | None = None
    device: Names | None = None
    role: Names | None = None
    platform: Names | None = None
    min_devices: AtLeast | None = None
    min_shared_services: AtLeast | None = None
    min_removed_lines: AtLeast | None = None
    min_unowned_nodes: AtLeast | None = None

    def may_fit(self, change: Foreseen) -> bool:
        """Say whether nothing that is known before planning speaks against it."""
        named = (
            (self.specification, change.specifications),
            (self.action, {change.action}),
            (self.device, change.devices),
            (self.role, change.roles),
            (self.platform, change.platforms),
        )
        return all(_meets(wanted, found) for wanted, found in named) and len(change.devices) >= (self.min_devices or 0)

    def fits(self, change: Foreseen, risk: Risk) -> bool:
        """Say whether all conditions hold."""
        counted = (
            (self.min_shared_services, risk.shared_services),
            (self.min_removed_lines, risk.removed_lines),
            (self.min_unowned_nodes, risk.unowned_nodes),
        )
        return self.may_fit(change) and all(found >= (least or 0) for least, found in counted)

    @property
    def needs_the_plan(self) -> bool:
        """Whether it takes a plan to know."""
        return any((self.min_shared_services, self.min_removed_lines, self.min_unowned_nodes))


class Rule(BaseModel):
    """One rule; without conditions it holds for everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    when: When = When()
    require: Requirement


class ReviewPolicy(BaseModel):
    """The rules in order: the first that fits decides; ``otherwise`` where none does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = ()
    otherwise: Requirement = Requirement.AUTO

    def ruling(self, change: Foreseen, risk: Risk) -> Ruling:
        """Return what the policy says of a planned change."""
        found = next((rule for rule in self.rules if rule.when.fits(change, risk)), None)
        if found is None:
            return Ruling(requirement=self.otherwise, rule="otherwise")
        return Ruling(requirement=found.require, rule=found.name)

    @property
    def is_silent(self) -> bool:
        """Whether nobody is ever asked."""
        return all(each is Requirement.AUTO for each in (self.otherwise, *(rule.require for rule in self.rules)))

    def may_need_people(self, change: Foreseen) -> bool:
        """Say whether the change might need anybody's approval once it is planned."""
        for rule in self.rules:
            if rule.when.may_fit(change):
                if rule.require is not Requirement.AUTO:
                    return True
                if not rule.when.needs_the_plan:
                    return False
        return self.otherwise is not Requirement.AUTO


NOBODY_ASKED: Final = ReviewPolicy()


def load_policy(path: Path, *, platforms: Collection[str]) -> ReviewPolicy:
    """Return the policy in the file ``path``.

    Raises:
        BadPolicy: the file cannot be used; names every place and what is legal there.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadPolicy(f"{path}: {error}") from error
    if not isinstance(data, Mapping):
        raise BadPolicy(f"{path}: must hold a mapping; legal: rules, otherwise")
    try:
        policy = ReviewPolicy.model_validate(data)
    except ValidationError as error:
        raise BadPolicy(f"{path}: " + "; ".join(map(_words, error.errors(include_url=False)))) from error
    if problems := [*_unknown_platforms(policy, platforms), *_same_names(policy)]:
        raise BadPolicy(f"{path}: " + "; ".join(problems))
    return policy


def _meets(wanted: Collection[str] | None, found: Collection[str]) -> bool:
    return wanted is None or not set(wanted).isdisjoint(found)


def _words(found: Mapping[str, Any]) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in found["loc"]]
    place = "".join(steps).removeprefix(".") or "(file)"
    if found["type"] == "extra_forbidden":
        known = When if ".when." in f".{place}" else Rule if place.startswith("rules[") else ReviewPolicy
        return f"{place} is not known; legal: {', '.join(known.model_fields)}"
    return f"{place}: {found['msg'].removeprefix('Value error, ')}"


def _unknown_platforms(policy: ReviewPolicy, platforms: Collection[str]) -> Iterable[str]:
    for number, rule in enumerate(policy.rules):
        for name in rule.when.platform or ():
            if name not in platforms:
                yield f"rules[{number}].when.platform: {name!r}; legal: {', '.join(sorted(platforms))}"


def _same_names(policy: ReviewPolicy) -> Iterable[str]:
    names = [rule.name for rule in policy.rules]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"rules: the name {name!r} is given twice; legal: one name per rule"
