"""Wiring of the lab that the platform serves: emulated in this process, or deployed and living on beside it."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast

from activation.checks import Probes
from api.lab_probes import LabProbes
from api.runtime.database import Database
from api.settings import Settings
from inventory.model import Device, Link, Network
from inventory.network import NetworkStore
from inventory.network_file import load_network_file
from labs.contracts import DeployOptions, LabNode
from labs.embedded.lab import EmbeddedLab, Protocol, RunningNode
from labs.netns.probes import NetnsProbes
from labs.netns.site import Site
from labs.runtimes.places import Places, topology_file
from labs.runtimes.registry import EMBEDDED, runtime_named
from labs.runtimes.state import LabState
from labs.topology import Topology, load_topology, prepared

LAB_FOLDER: Final = "lab"
NETWORK_FILE: Final = "network.yml"
PROBES: Final[Mapping[str, Callable[[Topology], Probes]]] = {
    "netns": lambda topology: LabProbes(NetnsProbes(Site(topology))),
}
"""Who looks at the traffic, by runtime; the others move no packets that anybody here could see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedLab:
    """A lab whose devices the platform manages.

    Attributes:
        nodes: its devices as they can be reached.
        embedded: the lab itself where it runs in this process.
        was_there: whether it ran before, with whatever it carries.
        notice: what whoever started the platform should know.
        end: ends the lab where the platform deployed it.
    """

    nodes: Sequence[RunningNode]
    embedded: EmbeddedLab | None = None
    was_there: bool = False
    notice: str = ""
    end: Callable[[], object] = lambda: None


def served_lab(settings: Settings, database: Database, stack: ExitStack) -> ServedLab | None:
    """Start, deploy or join the lab, and take its devices, cables and network data into the inventory.

    Raises:
        LabError: it cannot run here; says why.
    """
    if (topology := _topology(settings)) is None:
        return None
    lab = _embedded(settings, topology, stack) if settings.runtime == EMBEDDED else _deployed(settings, topology)
    file = topology.path.parent / NETWORK_FILE
    devices = devices_of(lab.nodes)
    network = load_network_file(file, devices) if file.exists() else Network(devices=devices)
    network = replace(network, links=links_of(topology))
    with database.begin() as uow:
        NetworkStore().load(uow, network)
    return lab


def lab_probes(settings: Settings) -> Probes | None:
    """Return who looks at the traffic of the lab; None where nobody can."""
    topology, probes = _topology(settings), PROBES.get(settings.runtime)
    return probes(topology) if probes is not None and topology is not None else None


def _topology(settings: Settings) -> Topology | None:
    if settings.lab is None:
        return None
    return prepared(load_topology(topology_file(settings.lab, Path()), os.environ))


def _embedded(settings: Settings, topology: Topology, stack: ExitStack) -> ServedLab:
    lab = EmbeddedLab(
        topology,
        ssh_port=settings.lab_ssh_port,
        netconf_port=settings.lab_netconf_port,
        memory=settings.data / LAB_FOLDER,
    )
    nodes = lab.start()
    stack.callback(lab.stop)
    return ServedLab(nodes=nodes, embedded=lab)


def _deployed(settings: Settings, topology: Topology) -> ServedLab:
    """Deploy the lab, or join it where it runs; it lives on, as the platform's data do."""
    runtime, places = runtime_named(settings.runtime), Places.of(os.environ, Path.cwd())
    folder = places.folder(topology.name)
    before = LabState.read(folder)
    was_there = before is not None and before.alive
    options = DeployOptions(folder=folder, ssh_port=settings.lab_ssh_port, netconf_port=settings.lab_netconf_port)
    nodes = runtime.deploy(topology, options)
    places.remember(topology.name, folder)

    def end() -> None:
        runtime.destroy(topology, folder, cleanup=False)
        places.forget(topology.name)

    return ServedLab(
        nodes=[_running_node(node) for node in nodes if node.platform],
        was_there=was_there,
        notice=(
            f"lab {topology.name} ({runtime.name}) {'was running' if was_there else 'is deployed'} and lives on; "
            f"'lastmile lab destroy -t {topology.name}' ends it"
        ),
        end=end if not was_there else lambda: None,
    )


def _running_node(node: LabNode) -> RunningNode:
    protocol, port = next(iter(node.ports.items()))
    return RunningNode(
        name=node.name,
        role=node.role,
        platform=node.platform,
        address=node.address,
        protocol=cast("Protocol", protocol),
        port=port,
        username=node.username,
        password=node.password,
    )


def devices_of(nodes: Sequence[RunningNode]) -> tuple[Device, ...]:
    """Return the lab's running nodes as devices of the inventory."""
    return tuple(
        Device(
            name=node.name,
            platform=node.platform,
            role=node.role,
            address=node.address,
            port=node.port,
            username=node.username,
            password=node.password,
        )
        for node in nodes
    )


def links_of(topology: Topology) -> tuple[Link, ...]:
    """Return the topology's cables in the devices' own interface names."""
    return tuple(
        Link(
            a_device=link.a.node,
            a_interface=link.a.device_interface,
            b_device=link.b.node,
            b_interface=link.b.device_interface,
        )
        for link in topology.links
    )
