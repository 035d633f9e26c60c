"""What stands around the order layers in their tests: an activation core and pools without devices or network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from activation.contracts import CANCELLED
from activation.errors import PlanError
from inventory.documents import Document, characteristic_list
from inventory.errors import NotServed, PoolExhausted, PortUnfit
from inventory.ledger import Event, UnitOfWork
from inventory.model import ReservationRequest

REFUSAL = {"code": "EditRefused", "reason": "no space left", "message": "olt1: stage: no space left", "device": "olt1"}
PORTS = ("pon1", "pon2")
PLACES = frozenset({"ADDR-1015", "ADDR-1016", "ADDR-1017"})


@dataclass(slots=True, kw_only=True)
class FakeActivation:
    """A :class:`activation.contracts.ServiceActivation` that answers each request with its monitor's end at once.

    Attributes:
        refuses: verbs that end InError.
        raises: verbs that are refused before a monitor is made.
        requests: every request in order: verb and TMF640 service (terminate: its id).
        errors: what a monitor that ends InError says.
        muted: publish no end; :meth:`tell` does it.
        under_way: requests that are on the devices: too late to withdraw them.
        unfit: serial numbers of ONTs whose services end InError.
    """

    refuses: set[str] = field(default_factory=set)
    raises: set[str] = field(default_factory=set)
    errors: tuple[Document, ...] = (REFUSAL,)
    muted: bool = False
    requests: list[tuple[str, Any]] = field(default_factory=list)
    monitors: dict[str, str] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    under_way: set[str] = field(default_factory=set)
    unfit: set[str] = field(default_factory=set)

    def create(self, uow: UnitOfWork, service: Document, *, external_id: str, correlation_id: str) -> str:
        return self._take(uow, "create", service, external_id, correlation_id)

    def modify(self, uow: UnitOfWork, service: Document, *, external_id: str, correlation_id: str) -> str:
        return self._take(uow, "modify", service, external_id, correlation_id)

    def terminate(self, uow: UnitOfWork, service_id: str, *, external_id: str, correlation_id: str) -> str:
        return self._take(uow, "terminate", service_id, external_id, correlation_id)

    def declare(
        self, uow: UnitOfWork, service_id: str, service: Document | None, *, external_id: str, correlation_id: str
    ) -> str:
        return self._take(uow, "declare", service or service_id, external_id, correlation_id)

    def cancel(self, uow: UnitOfWork, external_id: str, *, reason: str) -> None:
        if external_id in self.monitors and external_id not in self.ended and external_id not in self.under_way:
            self.tell(uow, external_id, "InError", errors=({"code": CANCELLED, "reason": reason, "message": reason},))

    def _take(self, uow: UnitOfWork, verb: str, service: object, external_id: str, correlation_id: str) -> str:
        if verb in self.raises:
            raise PlanError(f"no {verb} today")
        if external_id not in self.monitors:
            self.requests.append((verb, service))
            self.monitors[external_id] = correlation_id
            if not self.muted:
                is_bad = verb in self.refuses or bool(_serials(service) & self.unfit)
                self.tell(uow, external_id, "InError" if is_bad else "Completed")
        return f"monitor-{external_id}"

    def tell(
        self, uow: UnitOfWork, external_id: str, state: str, *, errors: tuple[Document, ...] | None = None
    ) -> None:
        """Publish the end of a monitor."""
        self.ended.append(external_id)
        said = self.errors if errors is None else errors
        more = {"errorMessage": [*said]} if state == "InError" else {}
        document: dict[str, Any] = {"id": f"monitor-{external_id}", "externalId": external_id, "state": state, **more}
        uow.publish(
            Event(
                event_type="MonitorStateChangeEvent",
                domain="activation",
                resource_kind="monitor",
                resource_id=document["id"],
                correlation_id=self.monitors.get(external_id, external_id),
                document=document,
            )
        )


def _serials(service: Any) -> set[str]:
    characteristics = service.get("serviceCharacteristic", ()) if isinstance(service, Mapping) else ()
    return {each["value"] for each in characteristics if each["name"] == "ontSerialNumber"}


@dataclass(slots=True, kw_only=True)
class FakePlaces:
    """A :class:`orders.places.Places` that knows what a test tells it."""

    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def attributes(self, uow: UnitOfWork, place_id: str) -> Mapping[str, Any]:
        assert uow.now is not None
        return self.known.get(place_id, {})


@dataclass(slots=True, kw_only=True)
class FakeReservations:
    """A :class:`orders.resource.contracts.Reservations` on three counters.

    Attributes:
        held: reserved resources by id.
        sizes: how many values each allocation has.
    """

    sizes: Mapping[str, int] = field(default_factory=lambda: {"pon": 64, "vlan": 100, "address": 100})
    held: dict[str, Document] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    requests: list[ReservationRequest] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    def reserve(self, uow: UnitOfWork, request: ReservationRequest) -> Document:
        assert uow.now is not None
        if request.owner in self.owners:
            return self.held[self.owners[request.owner]]
        if request.place_id not in PLACES:
            raise NotServed(request.place_id, "no PON passes it")
        taken = [each for each in self.held.values() if each["resourceSpecification"]["id"] == request.specification_id]
        if len(taken) >= self.sizes[request.allocation]:
            raise PoolExhausted(request.pool or "pon1", self.sizes[request.allocation])
        self.requests.append(request)
        resource = _resource(request, len(taken), f"res-{len(self.requests)}")
        self.held[resource["id"]] = resource
        self.owners[request.owner] = resource["id"]
        return resource

    def check_port(self, uow: UnitOfWork, place_id: str, *, olt: str, pon_port: str) -> None:
        assert uow.now is not None
        assert place_id in PLACES
        if pon_port not in PORTS:
            raise PortUnfit(olt or "olt1", pon_port, "there is no such port", PORTS)

    def release(self, uow: UnitOfWork, resource_id: str) -> None:
        assert uow.now is not None
        if self.held.pop(resource_id, None) is not None:
            self.released.append(resource_id)


def _resource(request: ReservationRequest, number: int, resource_id: str) -> Document:
    values: dict[str, dict[str, Any]] = {
        "pon": {
            "olt": request.olt or "olt1",
            "ponPort": request.pon_port or "pon1",
            "channelPartition": "cpart1",
            "channelPair": "cpair1",
            "onuId": 1 + number,
            "uplinkInterface": "uplink1",
        },
        "vlan": {
            "vlanId": 1042 + number,
            "switch": "sw1",
            "accessInterface": "Ethernet1",
            "uplinkInterface": "Ethernet2",
        },
        "address": {
            "address": f"10.42.1.{15 + number}",
            "prefixLength": 24,
            "gateway": "10.42.1.1",
            "router": "r1",
            "routerInterface": "eth1",
        },
    }
    return {
        "id": resource_id,
        "href": f"/tmf-api/resourceInventoryManagement/v4/resource/{resource_id}",
        "name": f"{request.specification_name} {number}",
        "resourceSpecification": {"id": request.specification_id, "name": request.specification_name},
        "resourceCharacteristic": characteristic_list(values[request.allocation]),
        "resourceStatus": "reserved",
        "@type": "LogicalResource",
    }
