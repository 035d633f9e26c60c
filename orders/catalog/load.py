"""Reads the catalog's YAML files into frozen values, or says everything that is wrong with them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from orders.catalog.book import Book
from orders.catalog.build import Builder
from orders.catalog.files import KINDS, CatalogFile, EntryShape, dumped
from orders.catalog.model import Catalog, Entry, EntryKey
from orders.catalog.references import check_references
from orders.catalog.shelf import Shelf, shelf
from orders.errors import CatalogError, Problem
from orders.problems import problems_of

EntryT = TypeVar("EntryT", bound=Entry)
SECTIONS = tuple(CatalogFile.model_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A catalog as far as it could be read, and everything that is wrong with it."""

    book: Book
    problems: tuple[Problem, ...]


def load_catalog(*folders: Path) -> Catalog:
    """Return the catalog that the ``*.yaml`` files of all ``folders`` describe together.

    Raises:
        CatalogError: unreadable or ill-shaped files, a version given twice, bad expressions, references that lead
            nowhere, or a service that is made of itself; all of it, each with file and path.
    """
    examined = examine(*folders)
    if examined.problems:
        raise CatalogError(examined.problems)
    return examined.book.catalog


def examine(*folders: Path) -> Examined:
    """Return what the ``*.yaml`` files of all ``folders`` hold, and all that is wrong with them."""
    problems: list[Problem] = []
    shapes: dict[str, CatalogFile] = {}
    unread: set[str] = set()
    for folder in folders:
        for path in _files(folder, problems):
            # Two folders may have a file of the same name; messages then tell them apart.
            name = f"{folder.parent.name}/{path.name}" if path.name in shapes else path.name
            shapes[name] = _read(path, problems, unread)
    return examine_shapes(shapes, problems, unread)


def examine_shapes(
    shapes: Mapping[str, CatalogFile], problems: Sequence[Problem] = (), unread: Iterable[str] = ()
) -> Examined:
    """Return the catalog of all ``shapes`` (by the name of where each stands), and all that is wrong with it."""
    builder = Builder()
    builder.problems += problems
    catalog = Catalog(
        offerings=_shelf(shapes, "product_offerings", builder.offering, builder.problems),
        product_specifications=_shelf(shapes, "product_specifications", builder.product, builder.problems),
        customer_services=_shelf(shapes, "customer_facing_services", builder.customer_service, builder.problems),
        resource_services=_shelf(shapes, "resource_facing_services", builder.resource_service, builder.problems),
        resource_specifications=_shelf(shapes, "resource_specifications", builder.resource, builder.problems),
        declared=dict(_declared(shapes)),
    )
    book = Book(catalog=catalog, places=builder.places, unread=frozenset(unread))
    return Examined(book=book, problems=(*builder.problems, *check_references(book)))


def _files(folder: Path, problems: list[Problem]) -> Sequence[Path]:
    files = sorted(folder.glob("*.yaml"))
    if not files:
        problems.append(Problem(path=str(folder), wrong="holds no catalog", legal="a folder with *.yaml files"))
    return files


def _read(path: Path, problems: list[Problem], unread: set[str]) -> CatalogFile:
    """Return the file's entries; those that are ill-shaped are left out and noted in ``unread``."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return CatalogFile.model_validate(content)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        problems.append(Problem(path=path.name, wrong=f"is no YAML: {error}"))
    except ValidationError as error:
        problems += problems_of(error, prefix=f"{path.name}: ")
        rest, left_out = _without_wrong_entries(content, error)
        unread |= left_out
        return CatalogFile.model_validate(rest)
    return CatalogFile()


def _without_wrong_entries(content: object, error: ValidationError) -> tuple[dict[str, Any], set[str]]:
    wrong = {tuple(found["loc"][:2]) for found in error.errors()}
    rest: dict[str, Any] = {}
    left_out: set[str] = set()
    for section in (str(CatalogFile.model_fields[name].alias) for name in SECTIONS):
        entries = content.get(section) if isinstance(content, Mapping) else None
        if not isinstance(entries, list):
            continue
        rest[section] = [each for number, each in enumerate(entries) if (section, number) not in wrong]
        bad = [each for number, each in enumerate(entries) if (section, number) in wrong]
        left_out |= {str(each.get("id")) for each in bad if isinstance(each, Mapping)}
    return rest, left_out


def _shelf(
    shapes: Mapping[str, CatalogFile], section: str, build: Callable[[Any, str], EntryT], problems: list[Problem]
) -> Shelf[EntryT]:
    """Return what ``build`` makes of each entry of one section over all files."""
    found: list[EntryT] = []
    places: dict[tuple[str, str], str] = {}
    for place, shape in _numbered(shapes, section):
        key = (shape.id, shape.version)
        if key in places:
            wrong = f"id {shape.id!r} is already taken by {places[key]}, in the same version {shape.version}"
            problems.append(Problem(path=place, wrong=wrong, legal="another version, or another id"))
        places[key] = place
        found.append(build(shape, place))
    return shelf(found)


def _numbered(shapes: Mapping[str, CatalogFile], section: str) -> Iterator[tuple[str, EntryShape]]:
    for file, shape in shapes.items():
        wire_name = CatalogFile.model_fields[section].alias
        for number, entry in enumerate(getattr(shape, section)):
            yield f"{file}: {wire_name}[{number}]", entry


def _declared(shapes: Mapping[str, CatalogFile]) -> Iterator[tuple[EntryKey, Mapping[str, Any]]]:
    for section in SECTIONS:
        kind = KINDS[str(CatalogFile.model_fields[section].alias)]
        for _, shape in _numbered(shapes, section):
            yield (kind, shape.id, shape.version), dumped(shape)
