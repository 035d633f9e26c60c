"""What-if, put together from the layers."""

from collections.abc import Mapping

from activation.engine import ActivationCore
from activation.store import MONITORS, SERVICES
from api.activation_face import ActivationFace
from api.runtime.database import Database
from api.settings import Settings
from api.system import Create
from api.what_if import WhatIf
from api.wiring_review import review_gate
from inventory.documents import Document
from inventory.ledger import Handler, UnitOfWork
from orders.product.layer import product_order_store
from orders.service.layer import service_order_store


def what_if(
    settings: Settings,
    database: Database,
    core: ActivationCore,
    handlers: Mapping[str, Handler],
    creates: Mapping[str, Create],
) -> WhatIf:
    """Return what answers questions about orders and services that do not exist."""
    face = ActivationFace(core=core, device=core.reach.devices.device)

    def ask_for_service(uow: UnitOfWork, body: Document) -> Document:
        """Take in a service: one that exists is changed as by PATCH, any other is created as by POST."""
        service_id = str(body.get("id", ""))
        known = SERVICES.find(uow, service_id) is not None
        accepted = face.change(uow, service_id, body) if known else face.create(uow, {"state": "active", **body})
        return MONITORS.get(uow, accepted.monitor_id).document

    return WhatIf(
        database=database,
        core=core,
        gate=review_gate(settings.review_policy, core.reach.devices, core.reach.platforms),
        handlers=handlers,
        creates={**creates, "service": ask_for_service},
        orders={"productOrder": product_order_store(), "serviceOrder": service_order_store()},
    )
