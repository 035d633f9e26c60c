"""Wiring of drift: what compares devices with what their services want."""

from activation.check_sync import SyncCheck
from activation.drift_watch import DriftWatch
from activation.engine import ActivationCore
from activation.store import SERVICES
from api.owners import Owners
from api.repair_desk import RepairDesk
from api.runtime.database import Database
from orders.product.layer import product_order_store


def drift_watch(core: ActivationCore, database: Database) -> DriftWatch:
    """Return what checks the core's devices."""
    return DriftWatch(checks=_checks(core), transactions=database)


def repair_desk(core: ActivationCore, database: Database) -> RepairDesk:
    """Return where repairs are asked for."""
    return RepairDesk(core=core, checks=_checks(core), database=database)


def _checks(core: ActivationCore) -> SyncCheck:
    return SyncCheck(devices=core.reach.devices, platforms=core.reach.platforms, sessions=core.reach.sessions)


def owners() -> Owners:
    """Return what says who stands behind a service."""
    return Owners(activated=SERVICES, product_orders=product_order_store())
