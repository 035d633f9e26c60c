"""The history of what the inventories hold: ``{collection}/{id}/history``, and each version as it was."""

from typing import Any

from fastapi import APIRouter

from api.http.collections import Collection
from api.http.layers import served
from api.resource_history import ResourceHistory
from api.system import System
from inventory.tables import metadata as inventory_tables


def add_histories(router: APIRouter, system: System) -> None:
    """Add ``GET`` of the history of products, services and resources, and of one version."""
    for collection in served(system):
        if collection.store is not None and collection.store.table.metadata is inventory_tables:
            _add_history(router, collection, system)


def _add_history(router: APIRouter, collection: Collection, system: System) -> None:
    history, kind = ResourceHistory(), collection.name

    def read_history(key: str) -> list[dict[str, Any]]:
        with system.database.read() as connection:
            return history.read(connection, kind, key)

    def read_version(key: str, version: int) -> dict[str, Any]:
        with system.database.read() as connection:
            return dict(history.version(connection, kind, key, version))

    path = collection.path + "/{key}/history"
    router.add_api_route(path, read_history, methods=["GET"])
    router.add_api_route(path + "/{version}", read_version, methods=["GET"])
