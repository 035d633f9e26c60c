"""What the demo shows where packets move: the service as its customer has it, how fast, and that it is gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console

from activation.checks import Probes
from api.client import Client
from api.paths import SERVICE_TESTS
from api.service_commands import table
from inventory.documents import characteristics

SPEEDS: Final = {"downstream": "the ordered speed downstream", "upstream": "the ordered speed upstream"}

Check = tuple[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packets:
    """Looks at the traffic, and draws what it sees."""

    console: Console
    client: Client
    probes: Probes

    def tested(self, product: str, name: str) -> list[Check]:
        """Test the product's service from the configuration to the traffic; ``name`` is what was ordered."""
        with self.console.status("testing the service; measuring its speed takes seconds"):
            found = self.client.post(f"{SERVICE_TESTS}/{product}", {})
        self.console.print(table(found))
        self.console.print()
        measured = {each["name"]: each.get("measured", "nothing") for each in found["result"]}
        speeds = ", ".join(f"{measured[check]} {way}" for way, check in SPEEDS.items() if check in measured)
        passed = sum(each["state"] == "passed" for each in found["result"])
        return [
            (f"{passed} of {len(found['result'])} checks passed", passed == len(found["result"])),
            (f"{name} measured: {speeds}", bool(speeds) and found["state"] == "passed"),
        ]

    def dark(self, added: Mapping[str, Any], serial_number: str) -> list[Check]:
        """Look for what the subscriber of a ceased service still gets."""
        known: dict[str, Any] = {"ont": serial_number}
        for order in added["resourceOrder"]:
            for item in order["orderItem"]:
                known |= characteristics(item.get("resource", {}), "resourceCharacteristic")
        with self.console.status("looking for what still gets through"):
            core, lease = self.probes.run("ping-core", known), self.probes.run("dhcp-lease", known)
        return [
            (f"the core is out of reach: {core.detail}", not core.is_good),
            (f"the line is dark: {lease.detail}", not lease.is_good),
        ]
