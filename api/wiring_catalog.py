"""The stored catalog, put together: what its entries are checked against, who stands on them, what the files say."""

import logging
from collections.abc import Mapping
from pathlib import Path

from pydantic.alias_generators import to_camel

from activation.intent import load_intents
from api.catalog_usage import CatalogUsage
from api.runtime.database import Database
from api.system import Create
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.tables import products, resources, services
from orders.catalog.editing import CatalogEditor
from orders.catalog.files_taken_in import take_in_files
from orders.catalog.lint import Surroundings
from orders.catalog.model import Catalog
from orders.catalog.store import CatalogStore
from orders.catalog.stored import declared_entries
from orders.product.tables import product_orders
from orders.resource.tables import resource_orders
from orders.service.tables import service_orders

_log = logging.getLogger(__name__)


def catalog_editor(platforms: Path) -> CatalogEditor:
    """Return what changes the catalog; ``platforms`` is the folder of the intents."""
    tables = {
        "product": products,
        "service": services,
        "resource": resources,
        "productOrder": product_orders,
        "serviceOrder": service_orders,
        "resourceOrder": resource_orders,
    }
    return CatalogEditor(
        store=CatalogStore(), usage=CatalogUsage(tables=tables), around=Surroundings(intents=known_intents(platforms))
    )


def known_intents(platforms: Path) -> dict[str, frozenset[str]]:
    """Return the variables that each intent takes, camelCase, by its name."""
    return {
        name: frozenset(to_camel(variable) for variable in spec.variables)
        for name, spec in load_intents(platforms / "intents.yaml").items()
    }


def take_in_catalog(database: Database, editor: CatalogEditor, files: Catalog, *, is_reader: bool) -> None:
    """Take in what the files say at the start of a process; one that only reads the catalog does so where it is empty.

    Raises:
        CatalogError: the files do not fit what was changed over the API.
    """
    if is_reader:
        with database.read() as connection:
            if editor.store.revision(connection):
                return
    with database.begin() as uow:
        for each in take_in_files(uow, editor.store, declared_entries(files), editor.usage):
            _log.warning("catalog: %s", each)


def catalog_creates(editor: CatalogEditor) -> Mapping[str, Create]:
    """Return how a new entry of each kind is made."""

    def create(kind: str) -> Create:
        def make(uow: UnitOfWork, body: Document) -> Document:
            return editor.create(uow, kind, body)

        return make

    return {kind: create(kind) for kind in editor.store.stores}
