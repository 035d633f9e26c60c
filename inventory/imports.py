"""Importing into the network: what would change, and the network that comes out. Free of I/O."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, TypeVar

from inventory.model import AddressPool, Device, Link, Network, PonPort, Premises, VlanPool

_V = TypeVar("_V", Device, Link, PonPort, Premises, VlanPool, AddressPool)
Mark = Literal["+", "~", "-"]
SECRET: Final = frozenset({"password"})
OF_SOURCES: Final = ("platform", "role", "address", "port", "username", "password")
"""What every source knows of a device."""
ACCESS: Final = tuple(field.name for field in fields(Device) if field.name not in {"name", *OF_SOURCES})
"""What some sources know besides; where one says nothing, what is there already is kept."""
USUAL: Final = Device(name="", platform="", role="", address="", port=0, username="", password="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that the import adds (``+``), changes (``~``) or removes (``-``)."""

    mark: Mark
    kind: str
    name: str
    detail: str

    def __str__(self) -> str:
        return f"{self.mark} {self.kind} {self.name}{': ' if self.detail else ''}{self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """The outcome of an import that was not made yet."""

    network: Network
    changes: tuple[Change, ...]


def plan_import(current: Network, source: Network, *, prune: bool = False) -> Import:
    """Return ``current`` with all of ``source`` in it, and how they differ; a second import changes nothing.

    Args:
        current: the network as it is.
        source: what is to be imported; parts it does not have stay as they are.
        prune: remove devices and links that the source does not have.
    """
    changes: list[Change] = []
    note = changes.append
    devices = _merged("device", current.devices, source.devices, _device_name, note, prune=prune)
    gone = {device.name for device in current.devices} - {device.name for device in devices}
    kept = [link for link in current.links if not {link.a_device, link.b_device} & gone]
    taken = {end for link in source.links for end in _ends(link)}
    # A cable of the source takes its interfaces away from the cables that were there.
    same = {frozenset(_ends(link)) for link in source.links}
    free = [link for link in kept if frozenset(_ends(link)) in same or not taken & set(_ends(link))]
    for link in current.links:
        if link not in free:
            note(Change(mark="-", kind="link", name=_link_name(link), detail=""))
    network = Network(
        devices=devices,
        links=_merged("link", free, source.links, _link_name, note, prune=prune and bool(source.links)),
        pon_ports=_merged("PON port", current.pon_ports, source.pon_ports, lambda p: f"{p.olt}/{p.name}", note),
        premises=_merged("premises", current.premises, source.premises, lambda p: p.place_id, note),
        vlan_pools=_merged("VLAN pool", current.vlan_pools, source.vlan_pools, lambda p: p.name, note),
        address_pools=_merged("address pool", current.address_pools, source.address_pools, lambda p: p.name, note),
    )
    return Import(network=network, changes=tuple(changes))


def _merged(
    kind: str,
    before: Iterable[_V],
    source: Sequence[_V],
    name: Callable[[_V], str],
    note: Callable[[Change], None],
    *,
    prune: bool = False,
) -> tuple[_V, ...]:
    found: dict[str, _V] = {name(value): value for value in before}
    wanted: dict[str, _V] = {name(value): value for value in source}
    for key, value in wanted.items():
        old = found.get(key)
        new = value if old is None else _kept(old, value)
        if old is None:
            note(Change(mark="+", kind=kind, name=key, detail=_described(value)))
        elif old != new:
            note(Change(mark="~", kind=kind, name=key, detail=_difference(old, new)))
        found[key] = new
    for key in sorted(set(found) - set(wanted)) if prune else ():
        note(Change(mark="-", kind=kind, name=key, detail=""))
        del found[key]
    return tuple(found.values())


def _kept(old: Any, new: Any) -> Any:  # noqa: ANN401 - two values of one kind
    if isinstance(old, Link) and isinstance(new, Link) and set(_ends(old)) == set(_ends(new)):
        return old
    if not isinstance(old, Device) or not isinstance(new, Device):
        return new
    said = (name for name in ACCESS if getattr(new, name) != getattr(USUAL, name))
    known: Mapping[str, Any] = {name: getattr(new, name) for name in (*OF_SOURCES, *said)}
    return replace(old, **known)


def _described(value: object) -> str:
    return f"{value.platform} {value.role} at {value.address}:{value.port}" if isinstance(value, Device) else ""


def _difference(old: _V, new: _V) -> str:
    return ", ".join(
        f"{field.name} " + ("changes" if field.name in SECRET else f"{before} → {after}")
        for field in fields(old)
        if (before := getattr(old, field.name)) != (after := getattr(new, field.name))
    )


def _device_name(device: Device) -> str:
    return device.name


def _link_name(link: Link) -> str:
    return " - ".join(f"{device}:{interface}" for device, interface in sorted(_ends(link)))


def _ends(link: Link) -> tuple[tuple[str, str], tuple[str, str]]:
    return (link.a_device, link.a_interface), (link.b_device, link.b_interface)
