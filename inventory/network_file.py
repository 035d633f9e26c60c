"""The network file: what lastmile must know of a network besides its topology, as YAML beside it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import yaml
from pydantic import AfterValidator, Field, ValidationError

from inventory.device_access import NamedAccess, with_access
from inventory.errors import BadNetwork
from inventory.file_part import Part, problem
from inventory.model import AddressPool, Device, Network, PonPort, Premises, VlanPool
from inventory.network_check import check_network

_N = TypeVar("_N", int, IPv4Address)
_Name = Annotated[str, Field(min_length=1)]


def _no_name_of_an_order(name: str) -> str:
    if name in {"id", "name", "role"}:
        raise ValueError(f"{name} is what an order itself says of a place; legal: any other name")
    return name


_Attribute = Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9]*$"), AfterValidator(_no_name_of_an_order)]


class _Ends(Part, Generic[_N]):
    first: _N = Field(alias="from")
    last: _N = Field(alias="to")


class _PonPort(Part):
    olt: _Name
    name: _Name
    channel_partition: _Name
    channel_pair: _Name
    onu_ids: _Ends[int]

    def value(self) -> PonPort:
        return PonPort(
            olt=self.olt,
            name=self.name,
            channel_partition=self.channel_partition,
            channel_pair=self.channel_pair,
            first_onu_id=self.onu_ids.first,
            last_onu_id=self.onu_ids.last,
        )


class _Premises(Part):
    id: _Name
    name: _Name
    olt: _Name
    pon_port: _Name
    attributes: Mapping[_Attribute, str | int | bool] = Field(default_factory=dict)

    def value(self) -> Premises:
        attributes = dict(self.attributes)
        return Premises(place_id=self.id, name=self.name, olt=self.olt, pon_port=self.pon_port, attributes=attributes)


class _VlanPool(Part):
    name: _Name
    vlan_ids: _Ends[int]

    def value(self) -> VlanPool:
        return VlanPool(name=self.name, first_vlan_id=self.vlan_ids.first, last_vlan_id=self.vlan_ids.last)


class _AddressPool(Part):
    name: _Name
    prefix: IPv4Network
    addresses: _Ends[IPv4Address]
    gateway: IPv4Address

    def value(self) -> AddressPool:
        return AddressPool(
            name=self.name,
            prefix=str(self.prefix),
            first=str(self.addresses.first),
            last=str(self.addresses.last),
            gateway=str(self.gateway),
        )


class _NetworkFile(Part):
    pon_ports: tuple[_PonPort, ...] = ()
    premises: tuple[_Premises, ...] = ()
    vlan_pools: tuple[_VlanPool, ...] = ()
    address_pools: tuple[_AddressPool, ...] = ()
    devices: tuple[NamedAccess, ...] = ()

    def value(self) -> Network:
        return Network(
            pon_ports=tuple(port.value() for port in self.pon_ports),
            premises=tuple(place.value() for place in self.premises),
            vlan_pools=tuple(pool.value() for pool in self.vlan_pools),
            address_pools=tuple(pool.value() for pool in self.address_pools),
        )


def load_network_file(path: Path, devices: Collection[Device] = (), *, absent: Collection[str] = ()) -> Network:
    """Return the file's PON ports, premises and pools, and ``devices`` with the access that the file gives them.

    Args:
        path: the file.
        devices: the topology has them, and the links, too.
        absent: devices that the file may speak of though they are not among ``devices``.

    Raises:
        BadNetwork: the file cannot be read, is no YAML, or holds what is not legal; names file, place and legal values.
    """
    try:
        file = _NetworkFile.model_validate(_content(path))
    except ValidationError as error:
        raise BadNetwork(str(path), tuple(problem(detail) for detail in error.errors())) from error
    network = file.value()
    problems = (*check_network(network), *_access_problems(file.devices, devices, absent))
    if problems:
        raise BadNetwork(str(path), problems)
    return replace(network, devices=with_access(devices, file.devices, path.parent))


def _access_problems(
    said: tuple[NamedAccess, ...], devices: Collection[Device], absent: Collection[str]
) -> Iterator[str]:
    known = {device.name for device in devices}
    for index, access in enumerate(said):
        if access.name in {other.name for other in said[:index]}:
            yield f"devices[{index}]: {access.name!r} stands there twice"
        if devices and access.name not in known and access.name not in absent:
            yield f"devices[{index}]: no device is called {access.name!r}; known: {', '.join(sorted(known))}"


def _content(path: Path) -> Any:  # noqa: ANN401 - YAML can hold anything; the model says what is legal
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadNetwork(str(path), (f"cannot be read: {error}",)) from error
    except yaml.YAMLError as error:
        raise BadNetwork(str(path), (f"is not YAML: {error}",)) from error
    return {} if content is None else content
