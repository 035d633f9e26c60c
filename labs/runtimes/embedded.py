"""The embedded lab as one that a process of its own can hold: emulated devices on loopback addresses."""

import asyncio
from collections.abc import Mapping
from typing import Final

import asyncssh

from labs.contracts import DeployOptions, ExecResult, FaultKind, FaultRequest, LabNode, NodeState
from labs.embedded.faults import KINDS, Fault, Kind
from labs.embedded.lab import PLATFORMS, EmbeddedLab, Platform, RunningNode
from labs.embedded.lab_faults import UNREACHABLE
from labs.errors import NotOnThisNode, UnknownFault, UnknownLabNode
from labs.runtimes.saved import MEMORY
from labs.topology import Node, Topology, prepared

_COMMAND_S: Final = 30.0


class EmbeddedHeld:
    """An embedded lab behind the contract of held labs."""

    def __init__(
        self,
        topology: Topology,
        options: DeployOptions,
        *,
        platforms: Mapping[str, Platform] = PLATFORMS,
        cabled: bool = False,
    ) -> None:
        self._topology = prepared(topology)
        self._lab = EmbeddedLab(
            self._topology,
            ssh_port=options.ssh_port,
            netconf_port=options.netconf_port,
            memory=options.folder / MEMORY,
            platforms=platforms,
            cabled=cabled,
        )

    def start(self) -> tuple[LabNode, ...]:
        """Start the emulated devices and return every node of the topology."""
        self._lab.start()
        return self.nodes()

    def stop(self) -> None:
        """Stop the emulated devices."""
        self._lab.stop()

    def nodes(self) -> tuple[LabNode, ...]:
        """Return every node: the emulated ones as they can be reached, the others as drawn."""
        running = {node.name: node for node in self._lab.nodes()}
        return tuple(
            self._emulated(spec, running[spec.name]) if spec.name in running else _drawn(spec)
            for spec in self._topology.nodes.values()
        )

    def exec(self, node: str, command: str) -> ExecResult:
        """Run ``command`` on the device's own command line, over SSH as anybody else would."""
        place = next((each for each in self._lab.nodes() if each.name == node), None)
        if place is None:
            if node not in self._topology.nodes:
                raise UnknownLabNode(node, (each.name for each in self._lab.nodes()))
            raise NotOnThisNode(node, "a plain host is only drawn in the embedded runtime; runtime netns runs it")
        if self._is_cut(node):
            raise NotOnThisNode(node, f"is unreachable; 'lastmile lab fault {node} {UNREACHABLE} --times 0' ends that")
        return asyncio.run(_over_ssh(place, command))

    def running_config(self, name: str) -> str:
        """Return a device's running configuration."""
        return self._lab.running_config(name)

    def fault_kinds(self, node: str = "") -> tuple[FaultKind, ...]:
        """Return what a device can be told to do wrong; without one, what some device can."""
        names = (node,) if node else tuple(each.name for each in self._lab.nodes())
        kinds: dict[str, Kind] = {}
        for name in names:
            kinds |= self._lab.fault_kinds(name)
        ordered = (name for name in KINDS if name in kinds)
        return tuple(FaultKind(name=name, what=KINDS[name].what, parameter=KINDS[name].parameter) for name in ordered)

    def fault(self, request: FaultRequest) -> None:
        """Switch a fault of a device on or off."""
        if request.kind not in KINDS:
            raise UnknownFault(request.kind, KINDS)
        if request.times:
            self._lab.faults.set(request.node, _fault(request))
        else:
            self._lab.faults.clear(request.node, request.kind)

    def faults(self) -> tuple[FaultRequest, ...]:
        """Return the faults that are on."""
        return tuple(
            FaultRequest(node=node, kind=fault.kind, times=fault.times, value=fault.value, after=fault.after)
            for node, fault in self._lab.faults.list()
        )

    def _is_cut(self, node: str) -> bool:
        return any(fault.kind == UNREACHABLE for _, fault in self._lab.faults.list(node))

    def _emulated(self, spec: Node, place: RunningNode) -> LabNode:
        return LabNode(
            name=spec.name,
            kind=spec.kind,
            state=NodeState.STOPPED if self._is_cut(spec.name) else NodeState.RUNNING,
            image=spec.image,
            group=spec.group,
            role=place.role,
            platform=place.platform,
            address=place.address,
            ports={place.protocol: place.port},
            username=place.username,
            password=place.password,
            labels=spec.labels,
        )


def _fault(request: FaultRequest) -> Fault:
    return Fault(request.kind, times=request.times, value=request.value, after=request.after)


def _drawn(spec: Node) -> LabNode:
    return LabNode(
        name=spec.name,
        kind=spec.kind,
        state=NodeState.DRAWN,
        image=spec.image,
        group=spec.group,
        role=spec.labels.get("lastmile.role", ""),
        labels=spec.labels,
    )


async def _over_ssh(place: RunningNode, command: str) -> ExecResult:
    async with asyncssh.connect(
        place.address,
        place.port,
        username=place.username,
        password=place.password,
        known_hosts=None,
        config=None,
        client_keys=None,
        agent_path=None,
    ) as connection:
        done = await connection.run(command, timeout=_COMMAND_S)
    return ExecResult(
        node=place.name,
        command=command,
        stdout=str(done.stdout or ""),
        stderr=str(done.stderr or ""),
        return_code=done.returncode or 0,
    )
