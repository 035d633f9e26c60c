"""What planning one more service costs on a switch, a command line, that carries thousands."""

import time
from statistics import median
from typing import Any

from netmiko import ConnectHandler

from activation.draft import with_places
from activation.fragment_store import replace_fragments
from activation.intent import build_intent
from activation.model import Fragment, ServiceId
from inventory.documents import characteristics
from inventory.model import Device
from tests.activation.rig import part
from tests.bench.activating import Activating, activating
from tests.bench.fleet_devices import fleet
from tests.bench.full_switch import own_name, vlan_of
from tests.bench.report import UNDER, Figure, rounded
from tests.bench.scaling import AT_ONCE, PLANS, SERVICES, plan_s

INTENT = "e-line-port"


def plan_scaling_cli(runs: int) -> list[Figure]:
    """Return how much longer planning the 10,000th E-Line of a switch takes than the first: read, plan, ownership."""
    with fleet("arista_eos", 2, e_lines=SERVICES - 1) as devices, activating(devices) as site:
        empty, full = devices
        for first in range(1, SERVICES, AT_ONCE):
            _hold(site, full, range(first, min(first + AT_ONCE, SERVICES)))
        first_s, last_s = (
            median(plan_s(site, e_line(device.name, SERVICES)) for _ in range(PLANS * runs)) for device in devices
        )
        peers = {"reading all of it (netmiko)": rounded(_whole_s(full) / _whole_s(empty))}
    value = rounded(last_s / first_s)
    return [Figure(name="plan_scaling_cli", value=value, unit="times", goal=1.2, sense=UNDER, peers=peers)]


def e_line(switch: str, number: int) -> dict[str, Any]:
    """Return the request for one end of an E-Line: a service of one part."""
    return part(
        f"svc-{number}",
        INTENT,
        switch=switch,
        customerInterface=f"Ethernet{number}",
        vlanId=vlan_of(number),
        customer=f"c{number}",
        bandwidthMbps=100,
        burstKbytes=256,
    )


def _hold(site: Activating, device: Device, numbers: range) -> None:
    """Let these services hold what stands on the switch already."""
    with site.core.reach.participants({device.name: device}) as participants, site.database.begin() as uow:
        for number in numbers:
            fragment = _fragment(site, device.name, number)
            held = with_places([fragment], participants.platform)
            replace_fragments(uow, fragment.service_id, {device.name: held})


def _fragment(site: Activating, switch: str, number: int) -> Fragment:
    asked = e_line(switch, number)
    spec = site.core.intents[INTENT]
    intent = build_intent(spec, ServiceId(asked["id"]), characteristics(asked, "serviceCharacteristic"))
    text = site.core.renderer.render(intent, "arista_eos")
    return Fragment(service_id=intent.service_id, device=switch, intent=spec.name, text=own_name(text, number))


def _whole_s(device: Device) -> float:
    with ConnectHandler(
        device_type="arista_eos",
        host=device.address,
        port=device.port,
        username=device.username,
        password=device.password,
    ) as session:
        session.enable()
        started_s = time.perf_counter()
        session.send_command("show running-config", read_timeout=60)
        return time.perf_counter() - started_s
