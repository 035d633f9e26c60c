"""Devices by name, as the activation core looks them up."""

from dataclasses import dataclass, field

from inventory.ledger import Transactions
from inventory.model import Device
from inventory.network import NetworkStore


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDirectory:
    """Looks devices up in the database, on a connection of its own that never waits for a writer."""

    transactions: Transactions
    network: NetworkStore = field(default_factory=NetworkStore)

    def device(self, name: str) -> Device:
        """Return the device called ``name``.

        Raises:
            UnknownResource: nobody is called so; the message lists the known devices.
        """
        with self.transactions.read() as connection:
            return self.network.device(connection, name)

    def devices(self) -> tuple[Device, ...]:
        """Return every device, sorted by name."""
        with self.transactions.read() as connection:
            return self.network.devices(connection)
