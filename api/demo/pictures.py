"""What the demo draws: the order tree, allocations, diffs, read-back results and the verdict."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from inventory.documents import characteristics
from orders.items import flat

STYLES: Mapping[str, str] = {
    "completed": "green",
    "Completed": "green",
    "failed": "bold red",
    "InError": "bold red",
    "partial": "yellow",
    "inProgress": "cyan",
    "InProgress": "cyan",
    "acknowledged": "dim",
}


def order_tree(tree: Mapping[str, Any]) -> Tree:
    """Return the order with all it caused, each with its state and how long it took."""
    times = _times(tree["history"])
    order = tree["productOrder"]
    top = Tree(_line("TMF622 product order", order, times, _offering(order)))
    for service_order in tree["serviceOrder"]:
        branch = top.add(_line("TMF641 service order", service_order, times, _specification(service_order)))
        for resource_order in tree["resourceOrder"]:
            if str(resource_order.get("externalId", "")).startswith(service_order["id"]):
                branch.add(_line("TMF652 resource order", resource_order, times, _allocated(resource_order)))
        for monitor in tree["monitor"]:
            branch.add(_line("TMF640 activation", monitor, times, _devices(monitor)))
    return top


SHOWN_LINES = 44
"""Longer diffs are cut in the demo; the monitor's ``plan`` has them whole."""


def diffs(tree: Mapping[str, Any]) -> RenderableType:
    """Return the exact change of each device as a coloured diff; devices without a change say so."""
    parts: list[RenderableType] = []
    for device in plan_devices(tree):
        title = Text.assemble(("● ", "cyan"), (device["device"], "bold"), f"  {device['platform']}")
        parts.append(title)
        if device["diff"]:
            lines = device["diff"].rstrip().splitlines()
            code = Syntax("\n".join(lines[:SHOWN_LINES]), "diff", theme="ansi_dark", background_color="default")
            parts.append(Padding(code, (0, 0, 0, 2)))
            parts.append(
                Text(f"  … {len(lines) - SHOWN_LINES} more lines\n" if len(lines) > SHOWN_LINES else "", "dim")
            )
        else:
            parts.append(Padding(Text("no change: nothing is sent to this device", "dim"), (0, 0, 1, 2)))
    return Group(*parts)


def allocations(tree: Mapping[str, Any]) -> Table:
    """Return what was taken from the pools for this order."""
    table = Table("resource", "value", "where", box=None, pad_edge=False, header_style="dim")
    for order in tree["resourceOrder"]:
        for item in order.get("orderItem", ()):
            values = characteristics(item.get("resource", {}), "resourceCharacteristic")
            if values:
                table.add_row(_resource_name(item), *_resource_words(values))
    return table


def read_back(tree: Mapping[str, Any]) -> Table:
    """Return each device's verdict after the commit, with the time of each phase."""
    table = Table("device", "read back", "phases (ms)", box=None, pad_edge=False, header_style="dim")
    for device in plan_devices(tree):
        good = device["readBack"] in {"ok", "unchanged"}
        phases = "  ".join(f"{name} {seconds * 1000:.0f}" for name, seconds in device["timingsS"].items())
        table.add_row(device["device"], Text(device["readBack"], "green" if good else "bold red"), phases)
    return table


def verdict(checks: Iterable[tuple[str, bool]]) -> Table:
    """Return the list of what was checked."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for text, good in checks:
        table.add_row(Text("✔" if good else "✘", "green" if good else "bold red"), text)
    return table


def reasons(tree: Mapping[str, Any]) -> tuple[str, ...]:
    """Return why the order is not completed, in the words of the layer that knows."""
    notes = [note["text"] for note in tree["productOrder"].get("note", ()) if note.get("author") == "lastmile"]
    errors = [
        error.get("message") or error.get("reason", "")
        for order in tree["serviceOrder"]
        for error in order.get("errorMessage", ())
    ]
    return tuple(dict.fromkeys([*notes, *errors]))


def plan_devices(tree: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the devices of the order's plan."""
    return [device for monitor in tree["monitor"] for device in monitor.get("plan", {}).get("devices", ())]


def _line(what: str, document: Mapping[str, Any], times: Mapping[str, float], words: str) -> Text:
    state = str(document["state"])
    took = times.get(document["id"])
    return Text.assemble(
        (f"{what} ", "bold"),
        (f"{document['id'][:8]} ", "dim"),
        (f"{state} ", STYLES.get(state, "")),
        (f"{took * 1000:.0f} ms " if took is not None else "", "dim"),
        words,
    )


def _times(history: Iterable[Mapping[str, Any]]) -> Mapping[str, float]:
    """Return seconds from a resource's first recorded state to its last."""
    moments: dict[str, list[datetime]] = {}
    for move in history:
        moments.setdefault(move["id"], []).append(datetime.fromisoformat(move["at"]))
    return {key: (found[-1] - found[0]).total_seconds() for key, found in moments.items()}


def _offering(order: Mapping[str, Any]) -> str:
    items = flat(order, "productOrderItem")
    return ", ".join(f"{item['action']} {item.get('productOffering', {}).get('id', '')}".strip() for item in items)


def _specification(order: Mapping[str, Any]) -> str:
    items = flat(order, "serviceOrderItem")
    names = (item["service"].get("serviceSpecification", {}) for item in items)
    return ", ".join(name.get("name") or name.get("id", "") for name in names)


def _allocated(order: Mapping[str, Any]) -> str:
    found = []
    for item in order.get("orderItem", ()):
        values = characteristics(item.get("resource", {}), "resourceCharacteristic")
        words = _resource_words(values)[0] if values else ""
        found.append(f"{item['action']} {_resource_name(item)} {words}".strip())
    return ", ".join(found)


def _resource_name(item: Mapping[str, Any]) -> str:
    reference = item.get("resourceSpecification") or item.get("resource", {}).get("resourceSpecification", {})
    return str(reference.get("name") or reference.get("id", ""))


def _resource_words(values: Mapping[str, Any]) -> tuple[str, str]:
    if "vlanId" in values:
        return (
            f"VLAN {values['vlanId']}",
            f"{values['switch']} {values['accessInterface']} → {values['uplinkInterface']}",
        )
    if "address" in values:
        return f"{values['address']}/{values['prefixLength']}", f"{values['router']} {values['routerInterface']}"
    if "onuId" in values:
        return f"{values['ponPort']} ONU {values['onuId']}", str(values["olt"])
    return ("", "")


def _devices(monitor: Mapping[str, Any]) -> str:
    devices = monitor.get("plan", {}).get("devices", ())
    return ", ".join(f"{device['device']} {device['readBack']}" for device in devices)
