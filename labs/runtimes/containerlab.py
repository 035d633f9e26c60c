"""The containerlab runtime: calls the real tool, where it is installed, with its own options; never sudo."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from labs.contracts import DeployOptions, ExecResult, FaultAccess, LabNode, Lack, NodeState
from labs.errors import LabNotRunning, LabStartError, NotInThisRuntime, NotOnThisNode, ToolFailed, UnknownLabNode
from labs.kinds import names_of
from labs.runtimes.places import FOLDER_BASE
from labs.runtimes.state import STATE, LabState, digest_of
from labs.topology import Node, Topology

TOOL: Final = "containerlab"
SSH_PORT: Final = 22
NETCONF_PORT: Final = 830
_NO_ADDRESS: Final = frozenset({"", "N/A"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerlabRuntime:
    """Runs labs as containers, by calling ``containerlab``; a person must be allowed to (group ``clab_admins``)."""

    name: str = TOOL

    def missing(self, topology: Topology) -> tuple[Lack, ...]:
        """Return why containerlab cannot be called here; nothing where it can."""
        del topology
        if shutil.which(TOOL) is None:
            why = f"no {TOOL} on PATH (https://containerlab.dev/install); runtime embedded needs neither it nor images"
            return (Lack(what="runtime containerlab", why=why),)
        return ()

    def deploy(self, topology: Topology, options: DeployOptions) -> tuple[LabNode, ...]:
        """Deploy the lab, unless it runs already."""
        lacks = self.missing(topology)
        if lacks:
            raise LabStartError("; ".join(map(str, lacks)))
        folder = options.folder.absolute()
        if options.reconfigure or not self._found(topology, folder):
            arguments = ["deploy", "--node-filter", ",".join(topology.nodes)]
            self._call(topology, folder, [*arguments, *(["--reconfigure"] if options.reconfigure else [])])
        folder.mkdir(parents=True, exist_ok=True)
        LabState(
            lab=topology.name,
            runtime=self.name,
            topology=topology.path.absolute(),
            digest=digest_of(topology),
            holder=None,
        ).write(folder)
        return self.inspect(topology, folder)

    def inspect(self, topology: Topology, folder: Path) -> tuple[LabNode, ...]:
        """Return the lab's nodes as containerlab sees them."""
        found = self._found(topology, folder)
        if not found:
            raise LabNotRunning(topology.name, folder)
        return tuple(
            _lab_node(node, found[topology.long_name(node.name)])
            for node in topology.nodes.values()
            if topology.long_name(node.name) in found
        )

    def exec(self, topology: Topology, folder: Path, node: str, command: str) -> ExecResult:
        """Run a command in the node's container."""
        if node not in topology.nodes:
            raise UnknownLabNode(node, topology.nodes)
        wanted = ["exec", "--label", f"clab-node-name={node}", "--cmd", command, "-f", "json"]
        answer = self._json(topology, folder, wanted)
        results = answer.get(topology.long_name(node)) or next(iter(answer.values()), None)
        if not results:
            raise NotOnThisNode(node, f"containerlab ran nothing there: {answer}")
        result = results[0]
        return ExecResult(
            node=node,
            command=command,
            stdout=str(result.get("stdout", "")),
            stderr=str(result.get("stderr", "")),
            return_code=int(result.get("return-code", 0)),
        )

    def save(self, topology: Topology, folder: Path) -> tuple[Path, ...]:
        """Have containerlab save the configurations; return the nodes' folders, which hold them."""
        self.inspect(topology, folder)
        self._call(topology, folder, ["save"])
        return tuple(folder / name for name in topology.nodes if (folder / name).is_dir())

    def destroy(self, topology: Topology, folder: Path, *, cleanup: bool) -> bool:
        """Destroy the lab's containers."""
        known = (folder / STATE).exists()
        if not known and shutil.which(TOOL) is None:
            return False
        self._call(topology, folder, ["destroy", *(["--cleanup"] if cleanup else [])])
        (folder / STATE).unlink(missing_ok=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
        return known

    def faults(self, topology: Topology, folder: Path) -> FaultAccess:
        """Refuse: what runs in the containers makes its own trouble."""
        del topology, folder
        raise NotInThisRuntime(self.name, "faults", "its devices are real ones; use 'containerlab tools netem'")

    def _found(self, topology: Topology, folder: Path) -> dict[str, Mapping[str, Any]]:
        answer = self._json(topology, folder, ["inspect", "-f", "json"])
        # By lab; containerlab before 0.60 had one list for all.
        listed = answer.get(topology.name) or answer.get("containers") or []
        return {str(container["name"]): container for container in listed}

    def _json(self, topology: Topology, folder: Path, arguments: list[str]) -> dict[str, Any]:
        text = self._call(topology, folder, arguments)
        try:
            answer = json.loads(text or "{}")
        except ValueError as garbled:
            raise ToolFailed(f"{TOOL} {arguments[0]} answered no JSON but {text[:200]!r}") from garbled
        return answer if isinstance(answer, dict) else {}

    def _call(self, topology: Topology, folder: Path, arguments: list[str]) -> str:
        verb, *rest = arguments
        command = [TOOL, verb, "-t", str(topology.path.absolute()), *rest]
        environ = {**os.environ, FOLDER_BASE: str(folder.absolute().parent)}
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
        except FileNotFoundError:
            raise ToolFailed(f"{TOOL} is not installed: {' '.join(command)} cannot run") from None
        if done.returncode:
            raise ToolFailed(f"{' '.join(command)}: exit status {done.returncode}: {_last_words(done)}")
        return done.stdout


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    return " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:]) or "it said nothing"


def _lab_node(node: Node, container: Mapping[str, Any]) -> LabNode:
    address = str(container.get("ipv4_address", "")).partition("/")[0]
    address = "" if address in _NO_ADDRESS else address
    netconf = node.managed and "netconf" in names_of(node.platform).ansible_connection
    ports = {"netconf": NETCONF_PORT} if netconf else {"ssh": SSH_PORT}
    return LabNode(
        name=node.name,
        kind=node.kind,
        state=NodeState.RUNNING if container.get("state") == "running" else NodeState.STOPPED,
        image=node.image,
        group=node.group,
        role=node.role,
        platform=node.platform,
        address=address,
        ports=ports if node.managed else {},
        username=node.username,
        password=node.password,
        labels=node.labels,
    )
