"""Drivers by name: an object with its own dict, filled from the entry point group ``activation.drivers``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from activation.contracts import Driver, DriverFactory, PlatformRules
from activation.errors import DeviceUnreachable
from inventory.model import Device

GROUP: Final = "activation.drivers"


@dataclass(frozen=True, slots=True)
class _Installed:
    """A driver of an installed distribution: the libraries behind drivers take a second and 30 MB to import."""

    point: EntryPoint

    def __call__(self, device: Device, rules: PlatformRules) -> Driver:
        """Connect and return the session."""
        factory: DriverFactory = self.point.load()
        return factory(device, rules)


@dataclass(frozen=True, slots=True)
class DriverRegistry:
    """Which factory opens sessions for which driver name (``driver:`` of ``templates/<platform>/platform.yaml``)."""

    factories: Mapping[str, DriverFactory] = field(default_factory=dict)

    @classmethod
    def installed(cls) -> "DriverRegistry":
        """Return the drivers that installed distributions offer; each is imported when it is first used."""
        return cls({point.name: _Installed(point) for point in entry_points(group=GROUP)})

    def including(self, name: str, factory: DriverFactory) -> "DriverRegistry":
        """Return these drivers and one more; the new one wins over an old one of the same name."""
        return DriverRegistry({**self.factories, name: factory})

    def open(self, device: Device, rules: PlatformRules) -> Driver:
        """Connect to ``device`` with the driver its platform names.

        Raises:
            DeviceUnreachable: no connection, or no such driver; the message lists the known drivers.
        """
        factory = self.factories.get(rules.driver)
        if factory is None:
            known = ", ".join(sorted(self.factories)) or "none"
            reason = f"platform {rules.name!r} asks for the unknown driver {rules.driver!r}; known: {known}"
            raise DeviceUnreachable(device.name, "connect", reason)
        return factory(device, rules)
