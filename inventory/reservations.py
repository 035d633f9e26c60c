"""Reservations: take a free value for a place, keep it as a TMF639 resource, give it back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection

from inventory.documents import Document, characteristics
from inventory.errors import OwnerConflict, ValueTaken
from inventory.ledger import UnitOfWork
from inventory.memo import Memo
from inventory.model import Allocation, Premises, ReservationRequest, ResourceId
from inventory.network import NetworkStore
from inventory.pool_store import PoolStore, PoolUsage
from inventory.pools import PoolKey, pon_key
from inventory.port_choice import chosen_port
from inventory.reservation_rows import ReservationRows
from inventory.resources import HOSTED_BY, hosted_by, reserved_document, resource_store
from inventory.store import DocumentStore, Row
from inventory.topology import AccessPath, access_path

VALUE_NAMES: Final[Mapping[str, str]] = {"pon": "onuId", "vlan": "vlanId", "address": "address"}
"""The characteristic of a resource that says its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where a reservation is for: the place and the way its traffic goes."""

    place: Premises
    path: AccessPath


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """One value taken from its pool.

    Attributes:
        device: the element that the value is configured on first of all; an import cannot drop it meanwhile.
        name: what an operator calls it.
    """

    key: PoolKey
    value: int
    device: str
    name: str
    characteristics: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A reservation that was given back.

    Attributes:
        document: the resource as it was.
        owner: who had reserved it.
    """

    document: Document
    allocation: Allocation
    pool: str
    owner: str
    correlation_id: str

    @property
    def key(self) -> PoolKey:
        """The pool that its value is of."""
        if self.allocation != "pon":
            return PoolKey(allocation=self.allocation, name=self.pool)
        known = characteristics(self.document, "resourceCharacteristic")
        return pon_key(str(known["olt"]), str(known["ponPort"]))

    @property
    def value(self) -> int:
        """Its value."""
        shown = characteristics(self.document, "resourceCharacteristic")[VALUE_NAMES[self.allocation]]
        return int(IPv4Address(shown)) if self.allocation == "address" else int(shown)

    @property
    def device(self) -> str:
        """The element that the value is configured on first of all."""
        related = self.document.get("resourceRelationship") or ()
        return str(next((each["id"] for each in related if each["relationshipType"] == HOSTED_BY), ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationBook:
    """The pools and the reserved resources, as :class:`orders.resource.contracts.Reservations` wants them."""

    network: NetworkStore = field(default_factory=NetworkStore)
    pools: PoolStore = field(default_factory=PoolStore)
    resources: DocumentStore = field(default_factory=resource_store)

    def reserve(self, uow: UnitOfWork, request: ReservationRequest) -> Document:
        """Take the lowest free value, store it as a TMF639 resource and return that; idempotent by ``request.owner``.

        Raises:
            PoolExhausted: no free value.
            PortUnfit: the request names a port that cannot be had; says which can.
            NotServed: no way leads from the place's OLT over one switch to a router.
            UnknownResource: no such place or pool.
            OwnerConflict: the owner holds a resource of another specification or for another place.
        """
        held = self._held(uow, request)
        if held is not None:
            return held
        site = self._site(uow, request.place_id, request.olt)
        taken = self._take(uow, request, site)
        resource_id = ResourceId(str(uuid4()))
        document = reserved_document(resource_id, taken.name, request, site.place, taken.characteristics)
        document = {**document, "resourceRelationship": [hosted_by(taken.device)]}
        _write(uow, resource_id, request, taken)
        row = Row(
            id=resource_id,
            state=document["resourceStatus"],
            external_id=request.owner,
            correlation_id=request.correlation_id,
            document=document,
        )
        self.resources.insert(uow, row)
        return document

    def check_port(self, uow: UnitOfWork, place_id: str, *, olt: str, pon_port: str) -> None:
        """Let pass a port that the place could be put on instead of its own; ``olt`` may be empty: the place's.

        Raises:
            PortUnfit: it cannot be had; names those that can.
            UnknownResource: no such place.
        """
        chosen = olt or self.network.premises(uow.reader, place_id).olt
        chosen_port(uow, self.network, self.pools, chosen, pon_port)

    def release(self, uow: UnitOfWork, resource_id: str) -> None:
        """Return the resource's value to its pool and remove the resource; nothing happens where none is reserved."""
        held = uow.sheet(ReservationRows)
        found = held.of_resource(resource_id)
        if found is None:
            return
        held.remove(resource_id)
        self.pools.give_back(uow, PoolKey(allocation=found["allocation"], name=found["pool"]), found["value"])
        self.resources.remove(uow, self.resources.get(uow, resource_id))

    def reserve_again(self, uow: UnitOfWork, former: Former) -> bool:
        """Reserve a resource anew that was given back, under its own id; False where it is reserved already.

        Raises:
            ValueTaken: its value is another's by now, or its pool does not have it any more.
        """
        resource_id, held = str(former.document["id"]), uow.sheet(ReservationRows)
        if held.of_resource(resource_id) is not None:
            return False
        key, value = former.key, former.value
        if not self.pools.take_value(uow, key, value):
            holder = held.of_value(key.allocation, key.name, value) or ""
            raise ValueTaken(key.name, str(former.document.get("name", value)), holder)
        place_id = str(former.document["place"]["id"])
        values = {"resource_id": resource_id, "allocation": key.allocation, "pool": key.name, "value": value}
        about = {"device": former.device, "place_id": place_id, "owner": former.owner, "reserved_at": uow.now}
        held.add(values | about)
        row = Row(
            id=resource_id,
            state=former.document["resourceStatus"],
            external_id=former.owner,
            correlation_id=former.correlation_id,
            document=former.document,
        )
        self.resources.insert(uow, row)
        return True

    def _held(self, uow: UnitOfWork, request: ReservationRequest) -> Document | None:
        resource_id = uow.sheet(ReservationRows).of_owner(request.owner)
        if resource_id is None:
            return None
        document = self.resources.get(uow, resource_id).document
        held = (document["resourceSpecification"]["id"], document["place"]["id"])
        asked = (request.specification_id, request.place_id)
        if held != asked:
            raise OwnerConflict(request.owner, "{} for {}".format(*held), "{} for {}".format(*asked))
        return document

    def _site(self, uow: UnitOfWork, place_id: str, instead: str) -> _Site:
        def read() -> _Site:
            place = self.network.premises(uow.reader, place_id)
            olt = instead or place.olt
            around = memo.once(("around", olt), lambda: self.network.surroundings(uow.reader, olt))
            return _Site(place=place, path=access_path(place_id, olt, around))

        memo = uow.sheet(Memo)
        return memo.once(("site", place_id, instead), read)

    def _take(self, uow: UnitOfWork, request: ReservationRequest, site: _Site) -> _Taken:
        match request.allocation:
            case "pon":
                return self._take_onu_id(uow, site, request.pon_port)
            case "vlan":
                return self._take_vlan_id(uow, request.pool, site)
            case "address":
                return self._take_address(uow, request.pool, site)

    def _take_onu_id(self, uow: UnitOfWork, site: _Site, instead: str) -> _Taken:
        olt, name = site.path.olt, instead or site.place.pon_port
        if instead:
            port = chosen_port(uow, self.network, self.pools, olt, name)
        else:
            port = uow.sheet(Memo).once(("pon", olt, name), lambda: self.network.pon_port(uow.reader, olt, name))
        key = pon_key(port.olt, port.name)
        onu_id = self.pools.take(uow, key)
        characteristics = {
            "olt": port.olt,
            "ponPort": port.name,
            "channelPartition": port.channel_partition,
            "channelPair": port.channel_pair,
            "onuId": onu_id,
            "uplinkInterface": site.path.olt_uplink,
        }
        name = f"{port.olt} {port.name} ONU {onu_id}"
        return _Taken(key=key, value=onu_id, device=port.olt, name=name, characteristics=characteristics)

    def _take_vlan_id(self, uow: UnitOfWork, pool: str, site: _Site) -> _Taken:
        source = uow.sheet(Memo).once(("vlan", pool), lambda: self.network.vlan_pool(uow.reader, pool))
        key = PoolKey(allocation="vlan", name=source.name)
        vlan_id = self.pools.take(uow, key)
        characteristics = {
            "vlanId": vlan_id,
            "switch": site.path.switch,
            "accessInterface": site.path.access_interface,
            "uplinkInterface": site.path.uplink_interface,
        }
        name = f"VLAN {vlan_id}"
        return _Taken(key=key, value=vlan_id, device=site.path.switch, name=name, characteristics=characteristics)

    def _take_address(self, uow: UnitOfWork, pool: str, site: _Site) -> _Taken:
        source = uow.sheet(Memo).once(("address", pool), lambda: self.network.address_pool(uow.reader, pool))
        key = PoolKey(allocation="address", name=source.name)
        value = self.pools.take(uow, key)
        address, prefix_length = str(IPv4Address(value)), IPv4Network(source.prefix).prefixlen
        characteristics = {
            "address": address,
            "prefixLength": prefix_length,
            "gateway": source.gateway,
            "router": site.path.router,
            "routerInterface": site.path.router_interface,
        }
        name = f"{address}/{prefix_length}"
        return _Taken(key=key, value=value, device=site.path.router, name=name, characteristics=characteristics)


def pool_usage(connection: Connection) -> list[PoolUsage]:
    """Return every pool with its kind, size, and how many values are taken and free; sorted by kind and name."""
    return PoolStore().usage(connection)


def _write(uow: UnitOfWork, resource_id: ResourceId, request: ReservationRequest, taken: _Taken) -> None:
    values = {
        "resource_id": resource_id,
        "allocation": taken.key.allocation,
        "pool": taken.key.name,
        "value": taken.value,
        "device": taken.device,
        "place_id": request.place_id,
        "owner": request.owner,
        "reserved_at": uow.now,
    }
    uow.sheet(ReservationRows).add(values)
