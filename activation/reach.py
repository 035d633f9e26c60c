"""What the core reaches devices with: who they are, how their platforms write, sessions with them, and their locks."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from activation.contracts import DeviceLocking, Devices
from activation.errors import ActivationError
from activation.model import DeviceEdit
from activation.platforms import Platform
from activation.sessions import DeviceLocks, Leases, SessionPool
from activation.transact import Participants
from inventory.errors import InventoryError, UnknownResource
from inventory.model import Device


@dataclass(slots=True, kw_only=True)
class Reach:
    """The devices, and everything that is needed to talk to them."""

    devices: Devices
    platforms: Mapping[str, Platform]
    sessions: SessionPool
    locks: DeviceLocking = field(default_factory=DeviceLocks)

    def platform(self, device: str) -> Platform:
        """Return the platform of the device called ``device``.

        Raises:
            UnknownResource: nobody is called so.
        """
        return self.platforms[self.devices.device(device).platform]

    def named(self, names: Iterable[str]) -> Mapping[str, Device]:
        """Return these devices by name.

        Raises:
            UnknownResource: one of them is not in the inventory.
        """
        return {name: self.devices.device(name) for name in names}

    def changed_by(self, edits: Iterable[DeviceEdit]) -> Mapping[str, Device]:
        """Return the devices of ``edits``, those that left the inventory meanwhile among them."""
        return {edit.device: self._device_of(edit) for edit in edits}

    @contextmanager
    def participants(self, devices: Mapping[str, Device]) -> Iterator[Participants]:
        """Open a transaction's sessions for the length of the block; after trouble of this side's they are closed."""
        leases = Leases(self.sessions)
        try:
            yield Participants(devices=devices, platforms=self.platforms, leases=leases)
        except (ActivationError, InventoryError):
            leases.release()
            raise
        except BaseException:
            # Not a device's doing: the journal could not be written, say. Nobody cleaned up on the devices.
            leases.abandon()
            raise
        leases.release()

    def _device_of(self, edit: DeviceEdit) -> Device:
        try:
            return self.devices.device(edit.device)
        except UnknownResource:
            # To be asked all the same, and to fail as one that cannot be reached.
            return Device(
                name=edit.device, platform=edit.platform, role="", address="", port=0, username="", password=""
            )
