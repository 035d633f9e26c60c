"""The network in the database: devices, links, PONs, premises and pools, replaced as a whole at each import."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Select, Table, bindparam, delete, insert, or_, select

from inventory.errors import BadNetwork, StillReserved, UnknownResource
from inventory.ledger import UnitOfWork
from inventory.memo import Memo
from inventory.model import AddressPool, Device, Link, Network, PonPort, Premises, VlanPool
from inventory.network_check import check_network
from inventory.pool_store import PoolStore
from inventory.pools import PoolKey, pools_of
from inventory.resources import device_document, resource_store
from inventory.store import DocumentStore, Row
from inventory.tables import address_pools, devices, links, pon_ports, premises, reservations, vlan_pools
from inventory.topology import Surroundings

_V = TypeVar("_V", Device, Link, PonPort, Premises, VlanPool, AddressPool)
_KINDS: Final = {
    "device": "device",
    "pon_port": "PON port",
    "premises": "premises",
    "vlan_pool": "VLAN pool",
    "address_pool": "address pool",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStore:
    """Reads and replaces the network.

    Device passwords stand in the ``device`` table as they came: they are the lab's published credentials. They never
    reach a document, an event or a ``repr``; keeping them in an external secret store belongs to credential management.
    """

    pools: PoolStore = field(default_factory=PoolStore)
    resources: DocumentStore = field(default_factory=resource_store)

    def load(self, uow: UnitOfWork, network: Network) -> None:
        """Make ``network`` the network; reservations stay. Loading the same network again changes nothing.

        Raises:
            BadNetwork: it contradicts itself; names every problem.
            StillReserved: it lacks devices, pools or values that live reservations stand on; names them.
        """
        problems = check_network(network)
        if problems:
            raise BadNetwork("network", problems)
        needed = _still_needed(uow.connection, network)
        if needed:
            raise StillReserved(needed)
        before = self.devices(uow.connection)
        _replace(uow.connection, network)
        self.pools.rebuild(uow, pools_of(network))
        uow.sheet(Memo).forget()
        self._publish_devices(uow, before, network.devices)

    def devices(self, connection: Connection) -> tuple[Device, ...]:
        """Return every device, sorted by name."""
        return _all(connection, devices, Device)

    def device(self, connection: Connection, name: str) -> Device:
        """Return the device called ``name``.

        Raises:
            UnknownResource: nobody is called so; the message lists the known devices.
        """
        return _one(connection, devices, Device, {"name": name})

    def links(self, connection: Connection) -> tuple[Link, ...]:
        """Return every link."""
        return _all(connection, links, Link)

    def pon_ports(self, connection: Connection) -> tuple[PonPort, ...]:
        """Return every PON port, sorted by OLT and name."""
        return _all(connection, pon_ports, PonPort)

    def pon_ports_of(self, connection: Connection, olt: str) -> tuple[PonPort, ...]:
        """Return the PON ports of one OLT, sorted by name."""
        wanted = select(pon_ports).where(pon_ports.c.olt == olt).order_by(pon_ports.c.name)
        return tuple(PonPort(**row) for row in connection.execute(wanted).mappings())

    def pon_port(self, connection: Connection, olt: str, name: str) -> PonPort:
        """Return one PON port.

        Raises:
            UnknownResource: the OLT has no such port.
        """
        return _one(connection, pon_ports, PonPort, {"olt": olt, "name": name})

    def premises(self, connection: Connection, place_id: str) -> Premises:
        """Return the premises with this id.

        Raises:
            UnknownResource: no premises have it.
        """
        return _one(connection, premises, Premises, {"place_id": place_id})

    def all_premises(self, connection: Connection) -> tuple[Premises, ...]:
        """Return all premises, sorted by id."""
        return _all(connection, premises, Premises)

    def vlan_pool(self, connection: Connection, name: str) -> VlanPool:
        """Return one pool of VLAN ids.

        Raises:
            UnknownResource: no VLAN pool is called so.
        """
        return _one(connection, vlan_pools, VlanPool, {"name": name})

    def address_pool(self, connection: Connection, name: str) -> AddressPool:
        """Return one pool of addresses.

        Raises:
            UnknownResource: no address pool is called so.
        """
        return _one(connection, address_pools, AddressPool, {"name": name})

    def network(self, connection: Connection) -> Network:
        """Return the whole network."""
        return Network(
            devices=self.devices(connection),
            links=self.links(connection),
            pon_ports=self.pon_ports(connection),
            premises=self.all_premises(connection),
            vlan_pools=_all(connection, vlan_pools, VlanPool),
            address_pools=_all(connection, address_pools, AddressPool),
        )

    def surroundings(self, connection: Connection, olt: str) -> Surroundings:
        """Return the links one and two steps away from ``olt``, and the roles of the devices they join."""
        near = _links_of(connection, [olt])
        switches = [name for name, role in _roles(connection, near).items() if role == "switch"]
        wider = _links_of(connection, [olt, *switches])
        return Surroundings(roles=_roles(connection, wider), links=wider)

    def _publish_devices(self, uow: UnitOfWork, before: Sequence[Device], after: Sequence[Device]) -> None:
        for name in sorted({device.name for device in before} - {device.name for device in after}):
            self.resources.remove(uow, self.resources.get(uow, name))
        for device in after:
            document = device_document(device)
            row = self.resources.find(uow, device.name)
            if row is None:
                state = document["resourceStatus"]
                new = Row(id=device.name, state=state, correlation_id=device.name, document=document)
                self.resources.insert(uow, new)
            elif row.document != document:
                self.resources.save(uow, row, replace(row, document=document))


def _replace(connection: Connection, network: Network) -> None:
    contents: tuple[tuple[Table, Sequence[Any]], ...] = (
        (devices, network.devices),
        (links, network.links),
        (pon_ports, network.pon_ports),
        (premises, network.premises),
        (vlan_pools, network.vlan_pools),
        (address_pools, network.address_pools),
    )
    for table, values in contents:
        connection.execute(delete(table))
        if values:
            connection.execute(insert(table), [asdict(value) for value in values])


def _still_needed(connection: Connection, network: Network) -> tuple[str, ...]:
    known_devices = {device.name for device in network.devices}
    known_pools = pools_of(network)
    missing: Counter[str] = Counter()
    here = reservations.c
    for allocation, pool, value, device in connection.execute(
        select(here.allocation, here.pool, here.value, here.device)
    ):
        span = known_pools.get(PoolKey(allocation=allocation, name=pool))
        if device not in known_devices:
            missing[f"device {device!r}"] += 1
        if span is None:
            missing[f"{allocation} pool {pool!r}"] += 1
        elif not span.holds(value):
            missing[f"values of {allocation} pool {pool!r} that it would no longer hold"] += 1
    return tuple(f"{what} ({count} live)" for what, count in sorted(missing.items()))


def _links_of(connection: Connection, names: Sequence[str]) -> list[Link]:
    here = links.c
    wanted = select(links).where(or_(here.a_device.in_(names), here.b_device.in_(names)))
    return [Link(**row) for row in connection.execute(wanted).mappings()]


def _roles(connection: Connection, around: Sequence[Link]) -> dict[str, str]:
    names = {name for link in around for name in (link.a_device, link.b_device)}
    here = devices.c
    found = connection.execute(select(here.name, here.role).where(here.name.in_(names)))
    return {row.name: row.role for row in found}


def _all(connection: Connection, table: Table, value: type[_V]) -> tuple[_V, ...]:
    found = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
    return tuple(value(**row) for row in found)


def _one(connection: Connection, table: Table, value: type[_V], key: Mapping[str, str]) -> _V:
    found = connection.execute(_by_key(table, tuple(key)), dict(key)).mappings().first()
    if found is None:
        raise UnknownResource(_KINDS[table.name], "/".join(key.values()), _known(connection, table, tuple(key)))
    return value(**found)


@lru_cache
def _by_key(table: Table, columns: tuple[str, ...]) -> Select[Any]:
    return select(table).where(*(table.c[name] == bindparam(name) for name in columns))


def _known(connection: Connection, table: Table, columns: Sequence[str]) -> list[str]:
    names = [table.c[column] for column in columns]
    few = select(*names).order_by(*names).limit(UnknownResource.SHOWN + 1)
    return ["/".join(row) for row in connection.execute(few)]
