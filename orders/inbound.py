"""The TMF shapes that every order body shares, and one way to check a body against them.

Unknown attributes are allowed and kept: a TMF server returns what its client sent.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from inventory.documents import Document
from orders.catalog.model import Entry
from orders.catalog.shelf import OFFERED, Shelf, is_offered
from orders.dependencies import Node, Relation, dependency_problems
from orders.errors import InvalidOrder, Problem
from orders.items import Placed, walked
from orders.problems import problems_of

MAX_DEPTH: Final = 32
Action = Literal["add", "modify", "delete", "noChange"]
ModelT = TypeVar("ModelT", bound="Inbound")
BodyT = TypeVar("BodyT", bound="ItemBody")


def _date_time(text: str) -> str:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("an ISO 8601 date-time") from None
    if parsed.tzinfo is None:
        raise ValueError("an ISO 8601 date-time with an offset or Z")
    return text


DateTime = Annotated[str, AfterValidator(_date_time)]
Text = Annotated[str, Field(min_length=1)]


def _no_items(items: list[Any]) -> list[Any]:
    if items:
        raise ValueError("no item inside an item; order each as an item of its own")
    return items


NoNestedItems = Annotated[list[Any], AfterValidator(_no_items)]
"""TMF652 lets no item hold items; they are refused rather than ignored."""


class Inbound(BaseModel):
    """Base of the incoming shapes: no type is bent to fit, what is not declared is kept."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, alias_generator=to_camel)

    type_name: str | None = Field(default=None, alias="@type")
    base_type: str | None = Field(default=None, alias="@baseType")
    schema_location: str | None = Field(default=None, alias="@schemaLocation")
    referred_type: str | None = Field(default=None, alias="@referredType")


class ReferenceBody(Inbound):
    """A reference to something by its id; those that lastmile looks up are refused where they are unknown."""

    id: str
    href: str | None = None
    name: str | None = None


class SpecificationBody(ReferenceBody):
    """A reference to a catalog entry; without ``version`` the one that is offered."""

    version: Text | None = None


class PartyBody(ReferenceBody):
    """A related party."""

    role: str | None = None


class PlaceBody(Inbound):
    """A place; which attributes are needed depends on the order."""

    id: Text | None = None
    href: str | None = None
    name: str | None = None
    role: Text


class BareNoteBody(Inbound):
    """A note of TMF640 and TMF652, which may say nothing."""

    id: str | None = None
    author: str | None = None
    date: DateTime | None = None
    text: str | None = None


class NoteBody(Inbound):
    """A note."""

    id: str | None = None
    author: str | None = None
    date: DateTime | None = None
    text: str


class CharacteristicBody(Inbound):
    """A named value of any JSON type."""

    name: Text
    value_type: str | None = None
    value: Any


class RelationshipBody(Inbound):
    """How one item relates to another (:mod:`orders.dependencies`)."""

    id: str | None = None
    relationship_type: str | None = None

    def relation(self, path: str) -> Relation:
        """Return what it says; ``path`` is where it stands."""
        return Relation(kind=self.relationship_type or "", target=self.id, path=f"{path}.id")


class OrderBody(Inbound):
    """What the three kinds of order share."""

    external_id: Text | None = None
    category: str | None = None
    description: str | None = None
    requested_completion_date: DateTime | None = None
    requested_start_date: DateTime | None = None
    related_party: list[PartyBody] = Field(default_factory=list)


class ItemBody(Inbound):
    """What the three kinds of order item share."""

    id: Text
    action: str
    quantity: int | None = None

    @property
    def inner(self) -> Sequence[Self]:
        """The items inside it."""
        return ()

    @property
    def relationships(self) -> tuple[str, Sequence[RelationshipBody]]:
        """What it says of other items, and the attribute where that stands."""
        return "", ()


def parse(model: type[ModelT], body: object) -> tuple[ModelT, Document]:
    """Return ``body`` as ``model``, and as the document to store: without nulls, parties complete.

    Raises:
        InvalidOrder: with every attribute of a wrong type, at any depth that TMF defines.
    """
    _refuse_unstorable(body)
    cleaned = _without_nulls(body)
    try:
        checked = model.model_validate(cleaned)
    except ValidationError as error:
        raise InvalidOrder(problems_of(error)) from None
    return checked, _with_complete_parties(cleaned)


def common_problems(items: Sequence[BodyT], key: str) -> Iterator[Problem]:
    """Yield what is wrong with order items whatever their kind: ids given twice, several pieces, circles."""
    seen: set[str] = set()
    twice = False
    for placed in walked(items, key):
        item = placed.item
        if item.id in seen:
            twice = True
            yield Problem(path=f"{placed.path}.id", wrong=f"{item.id!r} is given twice", legal="one item per id")
        if item.quantity not in (None, 1):
            legal = "1; order several items for several pieces"
            yield Problem(path=f"{placed.path}.quantity", wrong=f"{item.quantity} is not supported", legal=legal)
        seen.add(item.id)
    if not seen:
        yield Problem(path=key, wrong="is empty", legal="one item or more")
    elif not twice:
        yield from dependency_problems(nodes_of(items, key))


def nodes_of(items: Sequence[BodyT], key: str) -> tuple[Node, ...]:
    """Return the items with what they say of each other."""
    return tuple(_node(placed) for placed in walked(items, key))


def _node(placed: Placed[BodyT]) -> Node:
    attribute, relationships = placed.item.relationships
    return Node(
        id=placed.item.id,
        action=placed.item.action,
        above=placed.above,
        relations=tuple(
            each.relation(f"{placed.path}.{attribute}[{number}]") for number, each in enumerate(relationships)
        ),
    )


def values_of(characteristics: Iterable[CharacteristicBody], path: str) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Return ``{name: value}`` and what is wrong with the list itself: names given twice."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for number, each in enumerate(characteristics):
        if each.name in values:
            problems.append(Problem(path=f"{path}[{number}].name", wrong=f"{each.name!r} is given twice"))
        values[each.name] = each.value
    return values, tuple(problems)


def offer_problems(known: Shelf[Entry], wanted: SpecificationBody, path: str) -> Iterator[Problem]:
    """Yield why what ``wanted`` names cannot be ordered anew: not there, not in that version, or not offered."""
    versions = known.versions.get(wanted.id, ())
    if not versions:
        yield Problem(path=f"{path}.id", wrong=f"{wanted.id!r} does not exist", legal=", ".join(sorted(known)))
        return
    offered = ", ".join(each.version for each in versions if is_offered(each, known.now)) or "none"
    named = known.named(wanted.id, wanted.version or "")
    if named is None:
        wrong = f"{wanted.id!r} has no version {wanted.version!r}"
        yield Problem(path=f"{path}.version", wrong=wrong, legal=offered)
    elif not is_offered(named, known.now):
        wrong = f"{wanted.id!r} in version {named.version} is not offered: it is {_standing(named)}"
        yield Problem(path=f"{path}.version" if wanted.version else f"{path}.id", wrong=wrong, legal=offered)


def _standing(entry: Entry) -> str:
    if entry.lifecycle_status not in OFFERED:
        return entry.lifecycle_status
    days = [f"from {entry.valid_from.isoformat()}"] if entry.valid_from else []
    return " ".join(["offered", *days, *([f"until {entry.valid_to.isoformat()}"] if entry.valid_to else [])])


def refuse(problems: Iterable[Problem]) -> None:
    """Do nothing where there are no problems.

    Raises:
        InvalidOrder: with all of them.
    """
    found = tuple(problems)
    if found:
        raise InvalidOrder(found)


def _refuse_unstorable(body: object) -> None:
    if _deeper_than(body, MAX_DEPTH):
        raise InvalidOrder([Problem(path="(body)", wrong="is nested too deeply", legal=f"{MAX_DEPTH} levels")])
    try:
        json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, TypeError) as error:
        raise InvalidOrder([Problem(path="(body)", wrong=f"is no JSON: {error}", legal="JSON in UTF-8")]) from None


def _deeper_than(body: object, limit: int) -> bool:
    level = [body]
    for _ in range(limit + 1):
        level = [child for value in level for child in _children(value)]
        if not level:
            return False
    return True


def _children(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, Mapping):
        # A characteristic must have a value; null is one.
        kept = {"value"} if "name" in value else set()
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None or key in kept}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _with_complete_parties(document: dict[str, Any]) -> Document:
    # TMF's own samples leave out @referredType and @type, which its schemas demand.
    if "relatedParty" not in document:
        return document
    complete = [{"@type": "RelatedParty", "@referredType": "Party"} | party for party in document["relatedParty"]]
    return {**document, "relatedParty": complete}
