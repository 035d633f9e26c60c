"""Drivers by name: an object with its own dict, filled from the entry point group ``activation.drivers``."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Final, Protocol, runtime_checkable

from activation.contracts import Driver, DriverFactory, PlatformRules
from activation.errors import DeviceUnreachable
from inventory.model import Device

GROUP: Final = "activation.drivers"


@dataclass(slots=True)
class _Installed:
    """A driver of an installed distribution: the libraries behind drivers take a second and 30 MB to import.

    The entry point names a function, or a class whose instance is the factory: one per registry, for what its sessions
    share.
    """

    point: EntryPoint
    factory: DriverFactory | None = None
    guard: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, device: Device, rules: PlatformRules) -> Driver:
        """Connect and return the session."""
        return self.load()(device, rules)

    def load(self) -> DriverFactory:
        """Import the driver, the first time, and return it."""
        with self.guard:
            if self.factory is None:
                self.factory = _made(self.point.load())
            return self.factory

    def close(self) -> None:
        """Close what the driver's sessions share."""
        factory: object = self.factory
        if isinstance(factory, Closes):
            factory.close()


def _made(found: type[DriverFactory] | DriverFactory) -> DriverFactory:
    return found() if isinstance(found, type) else found


@runtime_checkable
class Closes(Protocol):
    """A factory whose sessions share something that ends with the registry."""

    def close(self) -> None:
        """End it."""
        ...


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

    def load(self, names: Iterable[str]) -> None:
        """Import the drivers called so, those that are there: the first session does not wait for that."""
        for factory in (self.factories.get(name) for name in sorted(frozenset(names))):
            if isinstance(factory, _Installed):
                factory.load()

    def open(self, device: Device, rules: PlatformRules) -> Driver:
        """Connect to ``device`` with the driver that it, or else its platform, names.

        Raises:
            DeviceUnreachable: no connection, or no such driver; the message lists the known drivers.
        """
        wanted = device.driver or rules.driver
        factory = self.factories.get(wanted)
        if factory is None:
            known = ", ".join(sorted(self.factories)) or "none"
            who = "the device" if device.driver else f"platform {rules.name!r}"
            raise DeviceUnreachable(
                device.name, "connect", f"{who} asks for the unknown driver {wanted!r}; known: {known}"
            )
        return factory(device, rules)

    def close(self) -> None:
        """End what sessions of one driver share, such as an event loop; call it after the last session."""
        for factory in self.factories.values():
            if isinstance(factory, Closes):
                factory.close()
