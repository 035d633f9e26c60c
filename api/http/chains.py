"""The whole chain of an order, whichever processes have a part in it; and what is known of places."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter

from api.far.chain import CHAINS, merged, read_below
from api.far.model import Layer
from api.far.places import PLACES
from api.system import System

ORDER_TREE: Final = "/lastmile/v1/orderTree"


def add_chains(router: APIRouter, system: System) -> None:
    """Add the order tree, this process's part of a chain with what is below it, and places."""
    wires = [system.side.wires[layer] for layer in sorted(system.side.wires)]

    def read_tree(key: str) -> Mapping[str, Any]:
        with system.database.read() as connection:
            tree = dict(system.order_tree.read(connection, key))
        if not wires:
            return tree
        order = {name: tree.pop(name) for name in ("id", "productOrder")}
        return {**order, **merged([tree, *read_below(wires, str(key))])}

    def read_chain(key: str) -> Mapping[str, Any]:
        with system.database.read() as connection:
            own = system.order_tree.chain(connection, key)
        return merged([own, *read_below(wires, key)])

    def read_place(key: str) -> Mapping[str, Any]:
        return {"id": key, "attributes": dict(system.places.read(key)), "@type": "PlaceAttributes"}

    if Layer.COM in system.side.here:
        router.add_api_route(f"{ORDER_TREE}/{{key}}", read_tree, methods=["GET"])
    router.add_api_route(f"{CHAINS}/{{key}}", read_chain, methods=["GET"])
    router.add_api_route(f"{PLACES}/{{key}}", read_place, methods=["GET"])
