"""The whole catalog as one file, out and in: what ``lastmile catalog export`` and ``import`` ask for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter
from pydantic import ValidationError

from api.http.collections import Body
from api.http.requests import Acting
from api.system import System
from inventory.ledger import UnitOfWork
from orders.catalog.files import CatalogFile
from orders.catalog.shelf import version_key
from orders.catalog.stored import StoredEntry, entries_of, file_of
from orders.errors import InvalidEntry, Problem
from orders.problems import problems_of

CATALOG: Final = "/lastmile/v1/catalog"
_FILES: Final = "files"


def add_catalog_files(router: APIRouter, system: System) -> None:
    """Add ``GET`` of the whole catalog, and ``POST`` of catalog files, all taken or none."""

    def read_all() -> Mapping[str, Any]:
        with system.database.read() as connection:
            entries = system.catalog.store.entries(connection)
        return file_of(sorted(entries, key=lambda entry: version_key(entry.version)))

    def take_in(actor: Acting, body: Body, *, dry_run: bool = False) -> Mapping[str, Any]:
        entries = _read(body)
        if dry_run:
            found: dict[str, Mapping[str, Any]] = {}
            with system.database.rehearse() as rehearsal, rehearsal.begin() as unit:
                found["told"] = _taken(system, unit, entries)
            return found["told"]
        with system.database.begin(actor=actor.name) as uow:
            return _taken(system, uow, entries)

    router.add_api_route(CATALOG, read_all, methods=["GET"])
    router.add_api_route(CATALOG, take_in, methods=["POST"])


def _taken(system: System, uow: UnitOfWork, entries: Sequence[StoredEntry]) -> Mapping[str, Any]:
    return system.catalog.take_in(uow, entries)


def _read(body: Mapping[str, Any]) -> tuple[StoredEntry, ...]:
    files = body.get(_FILES)
    if not isinstance(files, Mapping) or not files:
        raise InvalidEntry([Problem(path=_FILES, wrong="is missing", legal="{name of a file: what stands in it}")])
    problems: list[Problem] = []
    found: dict[tuple[str, str, str], StoredEntry] = {}
    for name, content in files.items():
        try:
            file = CatalogFile.model_validate(content)
        except ValidationError as error:
            problems += problems_of(error, prefix=f"{name}: ")
            continue
        for entry in entries_of(file):
            if entry.key in found:
                problems.append(Problem(path=str(name), wrong=f"{entry.name} is given twice"))
            found[entry.key] = entry
    if problems:
        raise InvalidEntry(problems)
    return tuple(found.values())
