"""What can be imported into the inventory: a lab, an inventory of Nornir, a containerlab topology."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from api.errors import ImportRefused
from api.wiring_lab import NETWORK_FILE, links_of
from inventory.device_access import DeviceAccess
from inventory.file_part import problem
from inventory.model import Device, Network
from inventory.network_file import load_network_file
from labs.artefacts import NORNIR
from labs.contracts import LabNode
from labs.kinds import KINDS, PLATFORM_NAMES, names_of
from labs.runtimes.places import Places, topology_file, topology_files
from labs.runtimes.registry import runtime_named
from labs.runtimes.state import LabState
from labs.topology import Node, Topology, load_topology
from labs.yaml_text import load_yaml

PORTS: Final = {"netconf": 830}
SSH_PORT: Final = 22
HOSTS: Final = frozenset({"linux", "bridge", "ovs-bridge", "host"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a source holds.

    Attributes:
        remarks: what of it was left out, and why.
    """

    network: Network
    remarks: tuple[str, ...]


def read_source(named: Path, platforms: Collection[str]) -> Source:
    """Return what the lab, folder or file ``named`` holds.

    Args:
        named: a lab's folder or name, a topology file, or an inventory file of Nornir.
        platforms: the platforms that devices may have.

    Raises:
        ImportRefused: it is none of these, or a device has a platform that is not legal; lists the legal ones.
        LabError: the topology cannot be used, or the lab's process does not answer.
    """
    places = Places.of(os.environ, Path.cwd())
    state = LabState.read(named) or LabState.read(places.folder(named.name))
    if state is not None and not named.is_file():
        folder = named if LabState.read(named) is not None else places.folder(named.name)
        return _checked(_of_lab(load_topology(state.topology, os.environ), folder, state.runtime), platforms, named)
    file = named / NORNIR if (named / NORNIR).is_file() else named
    if file.is_file() and not _is_topology(file):
        return _checked(_of_nornir(file, platforms), platforms, named)
    if not file.is_file() and not (file.is_dir() and topology_files(file)):
        legal = f"a lab's folder or name, a topology (*.clab.yml), a {NORNIR}"
        raise ImportRefused(f"{named} is nothing that can be imported; legal: {legal}")
    topology = load_topology(topology_file(file, Path()), os.environ)
    folder = places.folder(topology.name)
    deployed = LabState.read(folder)
    found = _of_lab(topology, folder, deployed.runtime) if deployed is not None else _of_topology(topology)
    return _checked(found, platforms, named)


def _is_topology(file: Path) -> bool:
    return file.name.endswith((".clab.yml", ".clab.yaml")) or "topology" in (_mapping(file) or ())


def _of_lab(topology: Topology, folder: Path, runtime: str) -> Source:
    nodes = [node for node in runtime_named(runtime).inspect(topology, folder) if node.platform]
    reached = [node for node in nodes if node.address and node.port]
    remarks = tuple(f"node {node.name} has no address now" for node in nodes if node not in reached)
    return Source(network=_network(topology, tuple(map(_device_of_lab, reached))), remarks=remarks)


def _of_topology(topology: Topology) -> Source:
    managed = [node for node in topology.nodes.values() if node.managed]
    placed = [node for node in managed if node.mgmt_ipv4 is not None]
    remarks = [f"node {node.name}: no mgmt-ipv4 in the file; deploy it first" for node in managed if node not in placed]
    remarks += [f"node {node.name}: not managed" for node in topology.nodes.values() if not node.managed]
    return Source(network=_network(topology, tuple(map(_device_of_file, placed))), remarks=tuple(remarks))


def _network(topology: Topology, devices: tuple[Device, ...]) -> Network:
    beside = topology.path.parent / NETWORK_FILE
    if not beside.is_file():
        return Network(devices=devices, links=links_of(topology))
    return replace(load_network_file(beside, devices, absent=topology.nodes), links=links_of(topology))


def _device_of_lab(node: LabNode) -> Device:
    return Device(
        name=node.name,
        platform=node.platform,
        role=node.role,
        address=node.address,
        port=node.port or SSH_PORT,
        username=node.username,
        password=node.password,
    )


def _device_of_file(node: Node) -> Device:
    return Device(
        name=node.name,
        platform=node.platform,
        role=node.role,
        address=str(node.mgmt_ipv4),
        port=_usual_port(node.platform),
        username=node.username,
        password=node.password,
    )


def _usual_port(platform: str) -> int:
    return PORTS.get(names_of(platform).ansible_connection.rpartition(".")[2], SSH_PORT)


def _of_nornir(file: Path, platforms: Collection[str]) -> Source:
    hosts = _mapping(file)
    if not hosts:
        raise ImportRefused(f"{file}: holds no hosts; Nornir's SimpleInventory is a mapping of them by name")
    devices, remarks = [], []
    for name, host in hosts.items():
        where = f"{file}: host {name}"
        if not isinstance(host, Mapping):
            raise ImportRefused(f"{where} is no mapping")
        if host.get("platform", "linux") in HOSTS and not _ours(host):
            remarks.append(f"host {name}: not managed")
            continue
        devices.append(_device_of_host(str(name), host, file, platforms))
    return Source(network=Network(devices=tuple(devices)), remarks=tuple(remarks))


def _ours(host: Mapping[str, Any]) -> Mapping[str, Any]:
    data = host.get("data")
    ours = data.get("lastmile") if isinstance(data, Mapping) else None
    return ours if isinstance(ours, Mapping) else {}


def _device_of_host(name: str, host: Mapping[str, Any], file: Path, platforms: Collection[str]) -> Device:
    where = f"{file}: host {name}"
    ours = dict(_ours(host))
    named = {key: str(ours.pop(key)) for key in ("platform", "role", "kind") if ours.get(key)}
    access = _access(ours, where)
    missing = [key for key in ("hostname", "username", "password") if not host.get(key)]
    if access.password is not None and "password" in missing:
        missing.remove("password")
    if missing:
        raise ImportRefused(f"{where} has no {', '.join(missing)}")
    platform = named.get("platform") or _platform_called(str(host["platform"]), platforms)
    device = Device(
        name=name,
        platform=platform,
        role=named.get("role") or names_of(platform).role,
        address=str(host["hostname"]).partition("/")[0],
        port=int(host.get("port") or _usual_port(platform)),
        username=str(host["username"]),
        password=str(host.get("password", "")),
    )
    return access.applied(device, file.parent)


def _access(said: Mapping[str, Any], where: str) -> DeviceAccess:
    try:
        return DeviceAccess.model_validate(said)
    except ValidationError as error:
        problems = "; ".join(problem(detail) for detail in error.errors())
        raise ImportRefused(f"{where}: lastmile: {problems}") from error


def _platform_called(name: str, platforms: Collection[str]) -> str:
    """Return our platform that somebody calls ``name``: a kind, or the name another library has for it."""
    if name in platforms:
        return name
    kind = KINDS.get(name)
    if kind is not None and kind.platform:
        return kind.platform
    others = (ours for ours, names in PLATFORM_NAMES.items() if name in {names.netmiko, names.napalm, names.ansible})
    return next(others, name)


def _checked(source: Source, platforms: Collection[str], named: Path) -> Source:
    wrong = [device for device in source.network.devices if device.platform not in platforms]
    if wrong:
        devices = ", ".join(f"{device.name} ({device.platform})" for device in wrong)
        raise ImportRefused(f"{named}: unknown platform of {devices}; legal: {', '.join(sorted(platforms))}")
    return source


def _mapping(file: Path) -> dict[Any, Any] | None:
    try:
        raw = load_yaml(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as broken:
        raise ImportRefused(f"{file}: cannot be read: {broken}") from None
    return raw if isinstance(raw, dict) else None
