"""Wires TMF640's own door: the face, and who waits at it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from activation.contracts import Devices
from activation.service_activation import ServiceActivations
from api.activation_face import ActivationFace
from api.http.activation import ActivationDesk
from api.hub.store import DELIVER
from api.monitor_watch import MonitorWatch
from api.runtime.database import Database
from api.settings import Settings


def activation_desk(
    settings: Settings,
    database: Database,
    core: ServiceActivations,
    devices: Devices,
    routes: Mapping[str, Sequence[str]],
    stack: ExitStack,
) -> ActivationDesk:
    """Return the door, which closes with ``stack``; ``routes`` says which job kinds follow which event."""
    watch = MonitorWatch(database, database.signals, routes.get("MonitorStateChangeEvent", (DELIVER,)))
    stack.callback(watch.close)
    return ActivationDesk(
        face=ActivationFace(core=core, device=devices.device),
        watch=watch,
        database=database,
        patience_s=settings.activation_patience_s,
    )
