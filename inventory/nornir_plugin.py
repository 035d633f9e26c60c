"""Nornir's view of our devices: an inventory plugin."""

from collections.abc import Iterable

from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory, ParentGroups
from nornir.core.inventory import Group as NornirGroup

from inventory.model import Device


class DeviceInventory:
    """A Nornir inventory plugin over :class:`inventory.model.Device`; a device's role is its group."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self._devices = tuple(devices)

    def load(self) -> Inventory:
        """Return one Nornir host per device."""
        groups = Groups({role: NornirGroup(role) for role in sorted({device.role for device in self._devices})})
        hosts = Hosts({device.name: _host(device, groups) for device in self._devices})
        return Inventory(hosts=hosts, groups=groups, defaults=Defaults())


def _host(device: Device, groups: Groups) -> Host:
    return Host(
        name=device.name,
        hostname=device.address,
        port=device.port,
        username=device.username,
        password=device.password,
        platform=device.platform,
        groups=ParentGroups([groups[device.role]]),
        data={"timeout_s": device.timeout_s},
    )
