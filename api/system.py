"""One wired platform as the faces see it; :mod:`api.wiring` builds it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activation.contracts import Devices
from activation.device_board import DeviceBoard
from activation.drift_watch import DriftWatch
from api.far.places import PlaceSource
from api.far.side import Side
from api.feasibility import Feasibility
from api.http.activation import ActivationDesk
from api.http.collections import Collection, LayerCreate
from api.hub.hub import Hub
from api.order_tree import OrderTree
from api.owners import Owners
from api.repair_desk import RepairDesk
from api.runtime.database import Database
from api.service_desk import ServiceDesk
from api.settings import Settings
from api.wiring_lab import ServedLab
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore
from labs.embedded.lab import EmbeddedLab, RunningNode
from orders.catalog.editing import CatalogEditor
from orders.interventions import Intervention
from orders.life import OrderLife

Create = Callable[[UnitOfWork, Document], Document]
Intervene = Callable[[UnitOfWork, str, Intervention], Document]


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What the HTTP application and the command line need.

    Attributes:
        collections: every TMF collection that can be read.
        creates: how a new resource of a collection is made, by collection name.
        layer_creates: the same for the layer above, where that is another process.
        catalog: changes the catalog.
        feasibility: says what could be delivered where.
        order_lives: what clients do with orders that are placed, by collection name.
        interventions: what people ask of orders under way, by the kind of order.
        activation: TMF640's own door.
        what_if: what an order or a service would do that does not exist; nothing of it stays.
        device_board: how the devices behave.
        running_configuration: reads a device's running configuration through its driver.
        drift: compares devices with what their services want.
        owners: says who stands behind a service.
        repairs: takes re-apply, adopt, redeploy and roll-back.
        services: finds services and has them tested.
        hub: the subscriptions of other systems.
        lab: the embedded lab, where one runs here.
        served: the lab whose devices are managed, wherever it runs.
        first_token: the admin token, only at the very first start of a data folder.
        side: which layers are in this process, and where those below them are.
        places: what is known of places.
    """

    settings: Settings
    database: Database
    collections: Sequence[Collection]
    creates: Mapping[str, Create]
    layer_creates: Mapping[str, LayerCreate]
    catalog: CatalogEditor
    feasibility: Feasibility
    order_lives: Mapping[str, OrderLife]
    interventions: Mapping[str, tuple[DocumentStore, Intervene]]
    activation: ActivationDesk
    what_if: Callable[[Document], Document]
    order_tree: OrderTree
    pool_usage: Callable[[Any], Any]
    devices: Devices
    device_board: DeviceBoard
    running_configuration: Callable[[str], str]
    drift: DriftWatch
    owners: Owners
    repairs: RepairDesk
    services: ServiceDesk
    hub: Hub
    lab: EmbeddedLab | None
    served: ServedLab | None
    first_token: str | None
    side: Side
    places: PlaceSource

    @property
    def nodes(self) -> Sequence[RunningNode]:
        """The lab's managed nodes; none where no lab is served."""
        if self.lab is not None:
            return self.lab.nodes()
        return self.served.nodes if self.served is not None else ()
