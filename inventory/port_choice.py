"""A PON port that people choose instead of the place's own: whether it can be had, and which ones can."""

from inventory.errors import NotServed, PortUnfit
from inventory.ledger import UnitOfWork
from inventory.model import PonPort
from inventory.network import NetworkStore
from inventory.pool_store import PoolStore
from inventory.pools import PoolKey, pon_key
from inventory.topology import access_path


def chosen_port(uow: UnitOfWork, network: NetworkStore, pools: PoolStore, olt: str, name: str) -> PonPort:
    """Return the PON port ``name`` of ``olt``.

    Raises:
        PortUnfit: there is none, it has no free ONU id, or no way leads from its OLT; names the ports that can be had.
    """
    try:
        access_path(name, olt, network.surroundings(uow.reader, olt))
    except NotServed as error:
        raise PortUnfit(olt, name, str(error), _legal(uow, network, pools, "")) from None
    ports = {port.name: port for port in network.pon_ports_of(uow.reader, olt)}
    if name not in ports:
        raise PortUnfit(olt, name, "there is no such port", _legal(uow, network, pools, olt))
    if not _free(uow, pools, olt, name):
        raise PortUnfit(olt, name, "no ONU id is free", _legal(uow, network, pools, olt))
    return ports[name]


def _free(uow: UnitOfWork, pools: PoolStore, olt: str, name: str) -> int:
    return pools.free(uow.connection, [pon_key(olt, name)]).get(pon_key(olt, name), 0)


def _legal(uow: UnitOfWork, network: NetworkStore, pools: PoolStore, olt: str) -> tuple[str, ...]:
    """Return the ports with free ONU ids, of one OLT or (empty) of all, and how many each has."""
    found = network.pon_ports_of(uow.reader, olt) if olt else network.pon_ports(uow.reader)
    keys: dict[PoolKey, str] = {pon_key(port.olt, port.name): f"{port.olt} {port.name}" for port in found}
    free = pools.free(uow.connection, keys)
    return tuple(f"{said} ({free[key]} free)" for key, said in keys.items() if free.get(key))
