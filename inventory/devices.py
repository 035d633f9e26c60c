"""Devices by name, as the activation core looks them up."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from inventory.ledger import Transactions
from inventory.model import Device
from inventory.network import NetworkStore

FRESH_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDirectory:
    """Looks devices up in the database, on a connection of its own that never waits for a writer.

    Every change asks for the same few devices several times: what was read is used for a second.
    """

    transactions: Transactions
    network: NetworkStore = field(default_factory=NetworkStore)
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, tuple[float, Device]] = field(default_factory=dict)

    def device(self, name: str) -> Device:
        """Return the device called ``name``.

        Raises:
            UnknownResource: nobody is called so; the message lists the known devices.
        """
        read_at_s, device = self._known.get(name, (0.0, None))
        if device is None or self.clock() - read_at_s > FRESH_S:
            with self.transactions.read() as connection:
                device = self.network.device(connection, name)
            self._known[name] = (self.clock(), device)
        return device

    def devices(self) -> tuple[Device, ...]:
        """Return every device, sorted by name."""
        with self.transactions.read() as connection:
            return self.network.devices(connection)
