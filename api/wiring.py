"""The composition root: builds one platform from its settings and hands everything in as arguments."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import orders.catalog
import templates
from activation.checks import Probes
from activation.contracts import DeviceLocking, Devices
from activation.device_board import DeviceBoard
from activation.drivers.registry import DriverRegistry
from activation.engine import ActivationCore
from activation.intent import load_intents
from activation.observe import running_configuration
from activation.platforms import load_platforms
from activation.reach import Reach
from activation.render import Renderer
from activation.service_activation import RUN
from activation.sessions import DeviceLocks, SessionPool
from activation.settle import GIVE_BACK
from activation.store import MONITORS, SERVICES
from api import tokens
from api.comebacks import Comebacks
from api.drift_patrol import DriftPatrol
from api.errors import StartRefused
from api.far.hearing import HEARD, Hearing
from api.far.model import Layer
from api.far.places import OwnPlaces
from api.far.side import Side, asking, side_of
from api.feasibility import Feasibility
from api.front_door import FrontDoor
from api.http.activation import ActivationDesk
from api.http.catalog import catalog_collections
from api.http.collections import Collection, stored
from api.hub.address import AddressGuard
from api.hub.delivering import delivering
from api.hub.delivery import Patience
from api.hub.fan_out import FanOut
from api.hub.hub import Hub
from api.hub.store import DELIVER
from api.mail.work import FOLLOWED, NOTICE, mailing, notices
from api.migrations.schema import alone
from api.order_tree import OrderTree
from api.runtime.database import Database
from api.runtime.device_locks import SharedDeviceLocks
from api.runtime.presence import Presence
from api.runtime.worker import Worker
from api.settings import Settings
from api.storage import storage
from api.system import Create, System
from api.wiring_activation import activation_desk
from api.wiring_cancel import cancel_creates, interventions, order_lives
from api.wiring_catalog import catalog_creates, catalog_editor, take_in_catalog
from api.wiring_checks import service_checks, service_desk
from api.wiring_drift import drift_watch, owners, repair_desk
from api.wiring_far import layer_creates
from api.wiring_lab import ServedLab, lab_probes, served_lab
from api.wiring_plan import what_if
from api.wiring_review import review_gate
from inventory.device_states import DeviceStates
from inventory.devices import DeviceDirectory
from inventory.documents import Document
from inventory.ledger import Handler, UnitOfWork
from inventory.places import PlaceDirectory
from inventory.reservations import ReservationBook, pool_usage
from inventory.store import DocumentStore
from inventory.tables import products, resources, services
from labs.runtimes.places import topology_file
from orders.catalog.editing import CatalogEditor
from orders.catalog.load import load_catalog
from orders.catalog.store import StoredCatalog
from orders.product.inventory import ProductInventory
from orders.product.layer import ProductOrdering, cancel_product_order_store, product_order_store
from orders.resource.layer import ResourceOrdering, cancel_resource_order_store, resource_order_store
from orders.service.inventory import ServiceInventory
from orders.service.layer import ServiceOrdering, cancel_service_order_store, service_order_store

TEMPLATES = Path(templates.__file__).parent
CATALOG = Path(orders.catalog.__file__).parent / "data"

INVENTORY = {"product": products, "service": services, "resource": resources}

PRODUCT_ORDERING = "/tmf-api/productOrderingManagement/v4"
SERVICE_ORDERING = "/tmf-api/serviceOrdering/v4"
RESOURCE_ORDERING = "/tmf-api/resourceOrderingManagement/v4"
ACTIVATION = "/tmf-api/ServiceActivationAndConfiguration/v4"
PRODUCT_INVENTORY = "/tmf-api/productInventory/v4"
SERVICE_INVENTORY = "/tmf-api/serviceInventory/v4"
RESOURCE_INVENTORY = "/tmf-api/resourceInventoryManagement/v4"


class Part(Enum):
    """What of the platform one process runs."""

    ALL = "serve"
    API = "api"
    WORKER = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The three order layers and the activation core, each knowing only the next one's Protocol."""

    product: ProductOrdering
    service: ServiceOrdering
    resource: ResourceOrdering
    core: ActivationCore
    editor: CatalogEditor
    here: frozenset[Layer] = frozenset(Layer)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the database work of the layers of this process by job kind."""
        return {kind: handler for layer in self._ordering for kind, handler in layer.handlers().items()}

    def routes(self) -> Mapping[str, Sequence[str]]:
        """Return which job kinds follow which event type."""
        found: dict[str, list[str]] = defaultdict(list)
        for layer in self._ordering:
            for event_type, kind in layer.subscriptions().items():
                found[event_type].append(kind)
        return found

    @property
    def _ordering(self) -> Sequence[ProductOrdering | ServiceOrdering | ResourceOrdering]:
        every: Mapping[Layer, ProductOrdering | ServiceOrdering | ResourceOrdering]
        every = {Layer.COM: self.product, Layer.SOM: self.service, Layer.ROM: self.resource}
        return [layer for name, layer in every.items() if name in self.here]


@contextmanager
def running_system(
    settings: Settings,
    part: Part = Part.ALL,
    *,
    drivers: DriverRegistry | None = None,
    platforms: Path = TEMPLATES,
    probes: Probes | None = None,
) -> Iterator[System]:
    """Start the lab and the platform, or one part of it, yield it, and stop both.

    Args:
        settings: how this process runs.
        part: what of the platform it runs.
        drivers: how devices are reached; the installed ones where not given.
        probes: who looks at the traffic; those of the lab where not given.
        platforms: folder of the platforms' templates and of the intents.

    Raises:
        StartRefused: the data folder is held by another process, or cannot be used.
        DatabaseAway: the PostgreSQL server cannot be reached.
        LabError, OrdersError, InventoryError, BadPolicy: a file that was named cannot be used; the message says where.
    """
    _refuse_shared_sqlite(settings, part)
    with ExitStack() as stack:
        files = load_catalog(*catalog_folders(settings))
        side = side_of(settings)
        routes: dict[str, Sequence[str]] = {}
        database = stack.enter_context(storage(settings, routes=routes, fan_out=FanOut()))
        lab = served_lab(settings, database, stack) if part is Part.ALL else None
        devices = DeviceDirectory(transactions=database)
        presence = Presence(database)
        locks = _device_locks(database, presence)
        reached = drivers or DriverRegistry.installed()
        stack.callback(reached.close)
        core = _activation_core(settings, _reach(devices, database, reached, platforms, locks), platforms)
        core.check_with(service_checks(platforms, probes or lab_probes(settings)))
        core.sizes.target_s = settings.commit_target_s
        editor = catalog_editor(platforms)
        take_in_catalog(database, editor, files, is_reader=part is Part.WORKER)
        layers = _layers(editor, core, side)
        back = comebacks(layers) if layers.here == frozenset(Layer) else None
        if back is not None:
            core.return_with(back)
        stack.callback(layers.core.close)
        routes |= layers.routes()
        if mails := notices(settings) if Layer.COM in side.here else None:
            routes[FOLLOWED] = (*routes.get(FOLLOWED, ()), NOTICE)
        if part is not Part.API:
            more: dict[str, Handler] = {
                **({NOTICE: mails} if mails else {}),
                **({GIVE_BACK: back.give_back} if back else {}),
            }
            _start_work(settings, layers, database, presence, stack, more=more)
            stack.enter_context(mailing(settings, database, product_order_store()))
            stack.enter_context(asking(settings, side, database))
        first_token = _first_token(database) if settings.auth and part is not Part.WORKER else None
        desk = activation_desk(settings, database, core, devices, routes, stack)
        whole = _system(settings, database, layers, devices, lab, desk)
        yield replace(whole, side=side, places=side.places or OwnPlaces(transactions=database), first_token=first_token)


def _refuse_shared_sqlite(settings: Settings, part: Part) -> None:
    if part is not Part.ALL and settings.database is None:
        raise StartRefused(
            "several processes share a PostgreSQL database: name it with --database postgresql://…; "
            "on SQLite, 'lastmile serve' runs everything in one process"
        )


def _start_work(
    settings: Settings,
    layers: Layers,
    database: Database,
    presence: Presence,
    stack: ExitStack,
    *,
    more: Mapping[str, Handler],
) -> None:
    runs_devices = Layer.ACTIVATION in layers.here
    if settings.database is None and runs_devices:
        # Alone on the database: what is unfinished is nobody's. Peers roll back what was theirs when they take it over.
        layers.core.recover(database)
    if runs_devices:
        layers.core.load_drivers()
        layers.core.warm()
    handlers = {**layers.handlers(), HEARD: Hearing(routes=layers.routes(), handlers=layers.handlers()), **more}
    wanted = wanted_kinds(settings.kinds, [*handlers, RUN, DELIVER])
    worker = Worker(
        database=database,
        handlers={kind: handler for kind, handler in handlers.items() if kind in wanted},
        device_handlers={},
        desks={RUN: layers.core} if RUN in wanted and runs_devices else {},
        presence=presence,
    )
    worker.start()
    stack.callback(worker.stop)
    if runs_devices and settings.drift_every_s:
        stack.enter_context(DriftPatrol(watch=drift_watch(layers.core, database), every_s=settings.drift_every_s))
    if DELIVER in wanted:
        stack.enter_context(_delivering(settings, database))


def wanted_kinds(named: Sequence[str], known: Sequence[str]) -> frozenset[str]:
    """Return the job kinds that ``named`` means, each a kind or the layer before its dot; all if none is named.

    Raises:
        StartRefused: a name that no kind has; lists the kinds.
    """
    for name in named:
        if not any(name in (kind, kind.partition(".")[0]) for kind in known):
            raise StartRefused(f"unknown job kind {name!r}; known: {', '.join(sorted(known))}")
    return frozenset(kind for kind in known if not named or {kind, kind.partition(".")[0]} & set(named))


def _device_locks(database: Database, presence: Presence) -> DeviceLocking:
    return DeviceLocks() if database.backend.dialect == "sqlite" else SharedDeviceLocks(database, presence)


def _delivering(settings: Settings, database: Database) -> AbstractContextManager[None]:
    return delivering(
        database,
        AddressGuard(allow=settings.hub_allow),
        patience=Patience(attempts=settings.hub_attempts, first_pause_s=settings.hub_first_pause_s),
        timeout_s=settings.hub_timeout_s,
    )


def catalog_folders(settings: Settings) -> Sequence[Path]:
    """Return where the catalog stands: what ships, the folder ``catalog`` beside the lab's topology, and the user's."""
    beside = topology_file(settings.lab, Path()).parent / "catalog" if settings.lab is not None else None
    found = [CATALOG, *([beside] if beside is not None and beside.is_dir() else [])]
    return [*found, *([settings.catalog] if settings.catalog is not None else [])]


def _reach(devices: Devices, database: Database, drivers: DriverRegistry, folder: Path, locks: DeviceLocking) -> Reach:
    platforms = load_platforms(folder)
    sessions = SessionPool(devices, platforms, drivers, DeviceStates(transactions=database))
    return Reach(devices=devices, platforms=platforms, sessions=sessions, locks=locks)


def _activation_core(settings: Settings, reach: Reach, folder: Path) -> ActivationCore:
    return ActivationCore(
        reach=reach,
        intents=load_intents(folder / "intents.yaml"),
        renderer=Renderer(folder, reach.platforms),
        gate=review_gate(settings.review_policy, reach.devices, reach.platforms),
        groups=settings.concurrency,
    )


def _layers(editor: CatalogEditor, core: ActivationCore, side: Side) -> Layers:
    catalog, places = StoredCatalog(editor.store), side.places or PlaceDirectory()
    resource = ResourceOrdering(catalog=catalog, reservations=ReservationBook())
    service = ServiceOrdering(
        catalog=catalog, resources=side.resources or resource, activation=side.activation or core, places=places
    )
    product = ProductOrdering(catalog=catalog, services=side.services or service, places=places)
    return Layers(product=product, service=service, resource=resource, core=core, editor=editor, here=side.here)


def comebacks(layers: Layers) -> Comebacks:
    """Return the inventories as rollbacks bring services back into them."""
    return Comebacks(
        catalog=layers.service.catalog,
        services=ServiceInventory(catalog=layers.service.catalog),
        products=ProductInventory(catalog=layers.product.catalog),
        reservations=ReservationBook(),
        resource_orders=resource_order_store(),
        owners=owners(),
    )


def _system(
    settings: Settings,
    database: Database,
    layers: Layers,
    devices: Devices,
    lab: ServedLab | None,
    desk: ActivationDesk,
) -> System:
    return System(
        settings=settings,
        database=database,
        collections=(*_stored_collections(database), *catalog_collections(database, layers.product.catalog)),
        layer_creates=layer_creates(layers.service, layers.resource),
        creates={**_creates(layers), **catalog_creates(layers.editor)},
        catalog=layers.editor,
        feasibility=Feasibility(
            database=database,
            catalog=layers.service.catalog,
            services=layers.service,
            resources=layers.resource,
            handlers=layers.handlers(),
        ),
        order_lives=order_lives(layers.product, layers.service, layers.resource),
        interventions=interventions(layers.product, layers.service),
        activation=desk,
        what_if=what_if(settings, database, layers.core, layers.handlers(), _creates(layers)).plan,
        order_tree=OrderTree(
            product_orders=product_order_store(),
            service_orders=service_order_store(),
            resource_orders=resource_order_store(),
            monitors=MONITORS,
        ),
        pool_usage=pool_usage,
        devices=devices,
        device_board=DeviceBoard(devices=devices, sessions=layers.core.reach.sessions),
        running_configuration=lambda name: running_configuration(name, devices, layers.core.reach.sessions),
        drift=drift_watch(layers.core, database),
        owners=owners(),
        repairs=repair_desk(layers.core, database),
        services=service_desk(layers.core.reach, layers.core.checks, database, _inventory("product")),
        hub=Hub(transactions=database, guard=AddressGuard(allow=settings.hub_allow)),
        lab=lab.embedded if lab is not None else None,
        served=lab,
        first_token=None,
        side=Side(here=layers.here),
        places=OwnPlaces(transactions=database),
    )


def _stored_collections(database: Database) -> Sequence[Collection]:
    return (
        stored(database, product_order_store(), PRODUCT_ORDERING),
        stored(database, service_order_store(), SERVICE_ORDERING),
        stored(database, resource_order_store(), RESOURCE_ORDERING),
        stored(database, cancel_product_order_store(), PRODUCT_ORDERING),
        stored(database, cancel_service_order_store(), SERVICE_ORDERING),
        stored(database, cancel_resource_order_store(), RESOURCE_ORDERING),
        stored(database, SERVICES, ACTIVATION, "service"),
        stored(database, MONITORS, ACTIVATION),
        stored(database, _inventory("product"), PRODUCT_INVENTORY),
        stored(database, _inventory("service"), SERVICE_INVENTORY),
        stored(database, _inventory("resource"), RESOURCE_INVENTORY),
    )


def _creates(layers: Layers) -> Mapping[str, Create]:
    service_orders, resource_orders = service_order_store(), resource_order_store()
    door = FrontDoor(
        product_orders=product_order_store(),
        service_orders=service_orders,
        resource_orders=resource_orders,
        services=_inventory("service"),
        resources=_inventory("resource"),
        is_whole=layers.here == frozenset(Layer),
    )

    def create_service_order(uow: UnitOfWork, body: Document) -> Document:
        order = service_orders.get(uow, layers.service.place(uow, body)).document
        door.check_service_order(uow, order)
        return order

    def create_resource_order(uow: UnitOfWork, body: Document) -> Document:
        order = resource_orders.get(uow, layers.resource.place(uow, body)).document
        door.check_resource_order(uow, order)
        return order

    return {
        "productOrder": layers.product.place,
        "serviceOrder": create_service_order,
        "resourceOrder": create_resource_order,
        **cancel_creates(layers.product, layers.service, layers.resource, door),
    }


def _inventory(kind: str) -> DocumentStore:
    return DocumentStore(table=INVENTORY[kind], kind=kind, domain="inventory")


def _first_token(database: Database) -> str | None:
    with database.begin() as uow:
        alone(uow.connection)
        return None if tokens.exists(uow.connection) else tokens.create(uow, name="admin", role="admin")
