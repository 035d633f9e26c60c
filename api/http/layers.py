"""Which API belongs to which layer: a process serves those of its own."""

from collections.abc import Collection as AnyOf
from collections.abc import Mapping, Sequence
from typing import Final

from api.far.model import Layer
from api.http.collections import Collection
from api.system import System

OWNERS: Final[Mapping[str, Layer]] = {
    "/tmf-api/productOrderingManagement/v4": Layer.COM,
    "/tmf-api/productInventory/v4": Layer.COM,
    "/tmf-api/serviceOrdering/v4": Layer.SOM,
    "/tmf-api/serviceInventory/v4": Layer.SOM,
    "/tmf-api/resourceOrderingManagement/v4": Layer.ROM,
    "/tmf-api/resourceInventoryManagement/v4": Layer.ROM,
    "/tmf-api/ServiceActivationAndConfiguration/v4": Layer.ACTIVATION,
}
"""The layer of each API's base path; what is not in it, the catalogs among it, each process has for itself."""


def is_served(base: str, here: AnyOf[Layer]) -> bool:
    """Say whether a process with these layers serves the API at ``base``."""
    return base not in OWNERS or OWNERS[base] in here


def served(system: System) -> Sequence[Collection]:
    """Return the collections that this process serves."""
    return [each for each in system.collections if is_served(each.base, system.side.here)]
