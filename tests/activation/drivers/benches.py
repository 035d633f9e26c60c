"""One device of each kind with the edit that its first service needs: what the contract suite runs on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from activation.contracts import Driver
from activation.drivers.fake import FakeNetwork
from activation.drivers.registry import DriverRegistry
from activation.intent import build_intent, load_intents
from activation.model import DeviceEdit, Fragment, FragmentChange, ServiceId
from activation.plan import plan_device, touched_paths
from activation.platforms import Platform, load_platforms
from activation.render import Renderer
from activation.verify import missing_change, missing_undo
from inventory.documents import characteristics
from inventory.model import Device
from labs.embedded.lab import EmbeddedLab
from tests.activation.rig import (
    FAKE_TEMPLATES,
    REAL_DRIVERS,
    TEMPLATES,
    broadband,
    fake_device,
    fake_service,
    lab_devices,
)

EAPI = "napalm-eapi"
TOKEN = "lm-0123456789abcdef0123456789abcdef"
BAD_EDITS: Mapping[str, str] = {
    "bbf_olt": '<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><no-such xmlns="urn:no:such"/></config>',
    "arista_eos": "vlan 1042\nno-such-command at all\n",
    "frr": "interface eth1.1042\n description half\nexit\nno-such-command at all\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A device under test.

    Attributes:
        configuration: the device's whole configuration, asked behind the driver's back.
    """

    device: Device
    platform: Platform
    drivers: DriverRegistry
    configuration: Callable[[], str]
    change: FragmentChange

    def open(self) -> Driver:
        return self.drivers.open(self.device, self.platform)

    def edit(self, driver: Driver) -> DeviceEdit:
        touched = touched_paths(self.platform, [self.change])
        edit, _ = plan_device(self.device.name, self.platform, driver.read(touched), [self.change])
        return edit

    def bad_edit(self, driver: Driver) -> DeviceEdit:
        return replace(self.edit(driver), edit=BAD_EDITS[self.platform.name])

    def undone(self, edit: DeviceEdit) -> Callable[[str], bool]:
        return lambda running: not missing_undo(edit, running, self.platform)

    def done(self, edit: DeviceEdit, driver: Driver) -> bool:
        return not missing_change(edit, driver.read(edit.touched), self.platform)


def fake_bench(network: FakeNetwork, name: str) -> Bench:
    device = fake_device(name, "fake_line" if name == "c" else "fake")
    platforms = load_platforms(FAKE_TEMPLATES)
    fragment = _fragment(FAKE_TEMPLATES, fake_service(names=[name])["supportingService"][0], device, platforms)
    return Bench(
        device=device,
        platform=platforms[device.platform],
        drivers=DriverRegistry({"fake": network.open}),
        configuration=lambda: network.devices[name].running,
        change=FragmentChange(old=None, new=fragment),
    )


def lab_bench(lab: EmbeddedLab, name: str, driver: str = "") -> Bench:
    """Return the bench of a lab device; with ``driver``, with another driver than its platform's."""
    device = replace(lab_devices(lab)[name], driver=driver)
    if driver == EAPI:
        device = replace(device, port=lab._places[name].node.ports()["https"])
    platforms = load_platforms(TEMPLATES)
    order = {"olt1": 0, "sw1": 1, "r1": 2}
    fragment = _fragment(TEMPLATES, broadband()["supportingService"][order[name]], device, platforms)
    return Bench(
        device=device,
        platform=platforms[device.platform],
        drivers=REAL_DRIVERS,
        configuration=lambda: lab.running_config(name),
        change=FragmentChange(old=None, new=fragment),
    )


def _fragment(templates: Path, part: Mapping[str, Any], device: Device, platforms: Mapping[str, Platform]) -> Fragment:
    spec = load_intents(templates / "intents.yaml")[part["serviceSpecification"]["id"]]
    service_id = ServiceId(part["id"])
    intent = build_intent(spec, service_id, characteristics(part, "serviceCharacteristic"))
    text = Renderer(templates, platforms).render(intent, device.platform)
    return Fragment(service_id=service_id, device=device.name, intent=spec.name, text=text)
