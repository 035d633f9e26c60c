"""Reads the catalog's YAML files into frozen values, or says everything that is wrong with them."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from orders.catalog.build import Builder
from orders.catalog.files import CatalogFile, EntryShape
from orders.catalog.model import Catalog, Entry
from orders.catalog.references import check_references
from orders.errors import CatalogError, Problem
from orders.problems import problems_of

EntryT = TypeVar("EntryT", bound=Entry)


def load_catalog(*folders: Path) -> Catalog:
    """Return the catalog that the ``*.yaml`` files of all ``folders`` describe together.

    Raises:
        CatalogError: unreadable or ill-shaped files, an id given twice, bad expressions, references that lead
            nowhere, or a service that is made of itself; each with file and path.
    """
    shapes: dict[str, CatalogFile] = {}
    for folder in folders:
        read = _read_all(folder)
        # Two folders may have a file of the same name; messages then tell them apart.
        shapes |= {f"{folder.parent.name}/{name}" if name in shapes else name: shape for name, shape in read.items()}
    builder = Builder()
    catalog = Catalog(
        offerings=_entries(shapes, "product_offerings", builder.offering),
        product_specifications=_entries(shapes, "product_specifications", builder.product),
        customer_services=_entries(shapes, "customer_facing_services", builder.customer_service),
        resource_services=_entries(shapes, "resource_facing_services", builder.resource_service),
        resource_specifications=_entries(shapes, "resource_specifications", builder.resource),
    )
    _refuse(builder.problems)
    _refuse(check_references(catalog, builder.places))
    return catalog


def _read_all(folder: Path) -> Mapping[str, CatalogFile]:
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise CatalogError([Problem(path=str(folder), wrong="holds no catalog", legal="a folder with *.yaml files")])
    problems: list[Problem] = []
    shapes = {path.name: _read(path, problems) for path in files}
    _refuse(problems)
    return shapes


def _read(path: Path, problems: list[Problem]) -> CatalogFile:
    try:
        return CatalogFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problems.append(Problem(path=path.name, wrong=f"is no YAML: {error}"))
    except ValidationError as error:
        problems += problems_of(error, prefix=f"{path.name}: ")
    return CatalogFile()


def _entries(
    shapes: Mapping[str, CatalogFile], section: str, build: Callable[[Any, str], EntryT]
) -> Mapping[str, EntryT]:
    """Return what ``build`` makes of each entry of one section over all files, by id."""
    found: dict[str, EntryT] = {}
    places: dict[str, str] = {}
    problems: list[Problem] = []
    for place, shape in _numbered(shapes, section):
        if shape.id in places:
            problems.append(Problem(path=place, wrong=f"id {shape.id!r} is already taken by {places[shape.id]}"))
        places[shape.id] = place
        found[shape.id] = build(shape, place)
    _refuse(problems)
    return found


def _numbered(shapes: Mapping[str, CatalogFile], section: str) -> Iterable[tuple[str, EntryShape]]:
    for file, shape in shapes.items():
        wire_name = CatalogFile.model_fields[section].alias
        for number, entry in enumerate(getattr(shape, section)):
            yield f"{file}: {wire_name}[{number}]", entry


def _refuse(problems: Iterable[Problem]) -> None:
    found = tuple(problems)
    if found:
        raise CatalogError(found)
