"""The inventory for plain Nornir: ``InitNornir(inventory={"plugin": "lastmile", "options": {"data": "…"}})``."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from nornir.core.inventory import ConnectionOptions, Inventory

from api.settings import Settings
from api.storage import existing_storage
from inventory.errors import NoSecret
from inventory.model import Device
from inventory.network import NetworkStore
from inventory.nornir_plugin import DeviceInventory
from inventory.secrets import with_password
from labs.kinds import names_of


class LastmileInventory:
    """A Nornir inventory plugin over a lastmile database; a running platform is not disturbed.

    A host's group is its role, its platform is lastmile's; nornir-netmiko and nornir-napalm get their own names for it.
    A password whose place is empty is left out: who only lists hosts needs none.
    """

    def __init__(self, data: str | None = None, database: str | None = None) -> None:
        self._data, self._database = Path(data) if data is not None else None, database

    def load(self) -> Inventory:
        """Return one Nornir host per device.

        Raises:
            StartRefused: there is no database, or its schema is not this code's.
            DatabaseAway: the PostgreSQL server cannot be reached.
        """
        settings = Settings.read(os.environ, data=self._data, database=self._database)
        with existing_storage(settings) as opened, opened.read() as connection:
            devices = NetworkStore().devices(connection)
        return _named_for_others(DeviceInventory(_with_passwords(devices)).load())


def _with_passwords(devices: Iterable[Device]) -> Iterable[Device]:
    for device in devices:
        found = device
        with suppress(NoSecret):
            found = with_password(device)
        yield found


def _named_for_others(inventory: Inventory) -> Inventory:
    for host in inventory.hosts.values():
        names = names_of(host.platform or "")
        for plugin, platform in (("netmiko", names.netmiko), ("napalm", names.napalm)):
            if platform:
                host.connection_options[plugin] = ConnectionOptions(platform=platform)
    return inventory
