"""Fixtures of the order layers."""

from collections.abc import Callable
from pathlib import Path

import pytest

import orders.catalog
from api.runtime.database import Database
from orders.catalog.load import load_catalog
from orders.catalog.model import Catalog
from tests.orders.chain import Chain, build_chain

CATALOG_FOLDER = Path(orders.catalog.__file__).parent / "data"


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """Return the catalog that the package ships."""
    return load_catalog(CATALOG_FOLDER)


@pytest.fixture
def chain(open_database: Callable[..., Database], catalog: Catalog) -> Chain:
    """Return the three layers with fakes around them."""
    return build_chain(open_database, catalog)
