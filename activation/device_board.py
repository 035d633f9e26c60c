"""What an engineer sees of the devices, and what he may do: release one from quarantine, trust a changed host key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from activation.contracts import Devices
from activation.errors import NothingToTrust
from activation.sessions import SessionPool
from inventory.device_states import released, trusted
from inventory.model import Device, DeviceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One device as it stands.

    Attributes:
        condition: ``ok``, ``failing`` (the last calls went unanswered), ``quarantined``, or ``keyChanged``.
        open_sessions: sessions of this process with the device.
        idle_sessions: those of them that wait for work.
    """

    device: Device
    state: DeviceState
    condition: str
    open_sessions: int
    idle_sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBoard:
    """All devices with how they behave."""

    devices: Devices
    sessions: SessionPool
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def all(self) -> Sequence[Shown]:
        """Return every device, sorted by name."""
        return [self._shown(device) for device in self.devices.devices()]

    def one(self, name: str) -> Shown:
        """Return the device called ``name``.

        Raises:
            UnknownResource: nobody is called so; the message lists the known devices.
        """
        return self._shown(self.devices.device(name))

    def release(self, name: str) -> Shown:
        """Let the device be asked again at once, and return it.

        Raises:
            UnknownResource: nobody is called so.
        """
        device = self.devices.device(name)
        self.sessions.records.change(name, released)
        return self._shown(device)

    def trust(self, name: str, fingerprint: str) -> Shown:
        """Make the key that the device showed last the known one, and return the device.

        ``fingerprint`` says which key is meant; empty: whichever was refused last.

        Raises:
            UnknownResource: nobody is called so.
            NothingToTrust: no key was refused, or another one; the network file names the key.
        """
        device, state = self.devices.device(name), self.sessions.records.state(name)
        if device.host_key:
            raise NothingToTrust(name, f"its key stands in the network file ({device.host_key}); change it there")
        if not state.offered_key:
            raise NothingToTrust(name, f"no key was refused; known is {state.host_key or 'none yet'}")
        if fingerprint not in {"", state.offered_key}:
            raise NothingToTrust(name, f"the key refused last is {state.offered_key}, not {fingerprint}")
        self.sessions.records.change(name, trusted)
        return self._shown(device)

    def _shown(self, device: Device) -> Shown:
        state = self.sessions.records.state(device.name)
        return Shown(
            device=device,
            state=state,
            condition=condition(state, self.now()),
            open_sessions=self.sessions.sessions(device.name),
            idle_sessions=self.sessions.idle(device.name),
        )


def condition(state: DeviceState, now: datetime) -> str:
    """Return in a word how the device is."""
    if state.offered_key:
        return "keyChanged"
    if state.quarantined_until is not None and now < state.quarantined_until:
        return "quarantined"
    return "failing" if state.failures else "ok"
