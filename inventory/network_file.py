"""The network file: what lastmile must know of a network besides its topology, as YAML beside it."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from inventory.errors import BadNetwork
from inventory.model import AddressPool, Network, PonPort, Premises, VlanPool
from inventory.network_check import check_network

_N = TypeVar("_N", int, IPv4Address)
_Name = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _name_the_legal_keys(cls, given: object) -> object:
        legal = [field.alias or name for name, field in cls.model_fields.items()]
        if not isinstance(given, Mapping):
            raise ValueError(f"a mapping must stand here; legal keys: {', '.join(legal)}")  # noqa: TRY004 - pydantic's protocol
        unknown = sorted(str(key) for key in given if key not in legal)
        if unknown:
            raise ValueError(f"unknown key {', '.join(map(repr, unknown))}; legal: {', '.join(legal)}")
        return given


class _Ends(_Part, Generic[_N]):
    first: _N = Field(alias="from")
    last: _N = Field(alias="to")


class _PonPort(_Part):
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


class _Premises(_Part):
    id: _Name
    name: _Name
    olt: _Name
    pon_port: _Name

    def value(self) -> Premises:
        return Premises(place_id=self.id, name=self.name, olt=self.olt, pon_port=self.pon_port)


class _VlanPool(_Part):
    name: _Name
    vlan_ids: _Ends[int]

    def value(self) -> VlanPool:
        return VlanPool(name=self.name, first_vlan_id=self.vlan_ids.first, last_vlan_id=self.vlan_ids.last)


class _AddressPool(_Part):
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


class _NetworkFile(_Part):
    pon_ports: tuple[_PonPort, ...] = ()
    premises: tuple[_Premises, ...] = ()
    vlan_pools: tuple[_VlanPool, ...] = ()
    address_pools: tuple[_AddressPool, ...] = ()

    def value(self) -> Network:
        return Network(
            pon_ports=tuple(port.value() for port in self.pon_ports),
            premises=tuple(place.value() for place in self.premises),
            vlan_pools=tuple(pool.value() for pool in self.vlan_pools),
            address_pools=tuple(pool.value() for pool in self.address_pools),
        )


def load_network_file(path: Path) -> Network:
    """Return the file's PON ports, premises and pools; devices and links are empty, the topology has them.

    Raises:
        BadNetwork: the file cannot be read, is no YAML, or holds what is not legal; names file, place and legal values.
    """
    try:
        network = _NetworkFile.model_validate(_content(path)).value()
    except ValidationError as error:
        raise BadNetwork(str(path), tuple(_problem(detail) for detail in error.errors())) from error
    problems = check_network(network)
    if problems:
        raise BadNetwork(str(path), problems)
    return network


def _content(path: Path) -> Any:  # noqa: ANN401 - YAML can hold anything; the model says what is legal
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadNetwork(str(path), (f"cannot be read: {error}",)) from error
    except yaml.YAMLError as error:
        raise BadNetwork(str(path), (f"is not YAML: {error}",)) from error
    return {} if content is None else content


def _problem(detail: ErrorDetails) -> str:
    where = ""
    for step in detail["loc"]:
        where += f"[{step}]" if isinstance(step, int) else f".{step}"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{where.lstrip('.')}: {message}" if where else message
