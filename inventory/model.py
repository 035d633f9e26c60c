"""Values of the inventory: devices, links, premises, pools and reservations. All frozen, all free of I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType

ResourceId = NewType("ResourceId", str)
Allocation = Literal["pon", "vlan", "address"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One managed device: who it is, what it speaks, how to log in. The password stays out of ``repr``.

    Attributes:
        platform: folder name below ``templates/``, e.g. ``"bbf_olt"``, ``"arista_eos"``, ``"frr"``.
        role: ``"olt"``, ``"switch"`` or ``"router"``.
        port: TCP port of the protocol that the platform's driver speaks (NETCONF or SSH).
        password_from: where the password stands instead: ``env:NAME`` or ``file:PATH``, read at each login.
        driver: another driver than the platform's; empty: the platform's.
        ssh_profile: another set of SSH algorithms than the platform's, e.g. ``"legacy"``.
        host_key: the SHA-256 fingerprint that the device must show; empty: trusted on first use.
        max_sessions: how many sessions it takes from this platform at once.
        logins_per_minute: how many new ones within a minute.
    """

    name: str
    platform: str
    role: str
    address: str
    port: int
    username: str
    password: str = field(repr=False)
    timeout_s: float = 10.0
    password_from: str = ""
    driver: str = ""
    ssh_profile: str = ""
    host_key: str = ""
    max_sessions: int = 4
    logins_per_minute: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """How a device has behaved.

    Attributes:
        host_key: the fingerprint it showed first; it must show it again.
        offered_key: another one, which was refused.
        failures: calls in a row that it did not answer.
        quarantined_until: nobody asks it before.
    """

    name: str
    host_key: str = ""
    offered_key: str = ""
    failures: int = 0
    quarantined_until: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cable between two interfaces, in the devices' own interface names."""

    a_device: str
    a_interface: str
    b_device: str
    b_interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PonPort:
    """One PON of an OLT and the ONU ids it can serve (both ends included)."""

    olt: str
    name: str
    channel_partition: str
    channel_pair: str
    first_onu_id: int
    last_onu_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """A place that can be ordered for, and the PON that passes it.

    Attributes:
        attributes: what catalog conditions read as ``place.<name>``, e.g. ``technology`` and ``region``.
    """

    place_id: str
    name: str
    olt: str
    pon_port: str
    attributes: Mapping[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VlanPool:
    """Subscriber VLAN ids (both ends included)."""

    name: str
    first_vlan_id: int
    last_vlan_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPool:
    """Subscriber IPv4 addresses of one prefix (both ends included) behind one gateway."""

    name: str
    prefix: str
    first: str
    last: str
    gateway: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """All that must be known of a network before the first order."""

    devices: tuple[Device, ...] = ()
    links: tuple[Link, ...] = ()
    pon_ports: tuple[PonPort, ...] = ()
    premises: tuple[Premises, ...] = ()
    vlan_pools: tuple[VlanPool, ...] = ()
    address_pools: tuple[AddressPool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationRequest:
    """Take one value of ``allocation`` for the place.

    Attributes:
        specification_id: TMF634 resource specification of the resource to store, e.g. ``"vlan"``.
        specification_name: its name.
        pool: the pool's name; empty for ``allocation="pon"``, where the place decides.
        place_id: premises the resource serves.
        olt: the OLT instead of the place's; empty: the place's.
        pon_port: the PON port instead of the place's; empty: the place's.
        owner: who holds it, unique per reservation; the same owner gets the same resource again.
        correlation_id: goes into the events.
    """

    specification_id: str
    specification_name: str
    allocation: Allocation
    pool: str
    place_id: str
    owner: str
    correlation_id: str
    olt: str = ""
    pon_port: str = ""
