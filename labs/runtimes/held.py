"""The runtime of labs that live in a process of our own: detached, found again, cleaned up whatever died.

A new kind of such a lab is a ``HeldLab`` and one entry in :mod:`labs.runtimes.registry`; all of its files, its process
and its socket are this module's.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from labs.artefacts import ARTEFACTS, write_artefacts
from labs.contracts import DeployOptions, ExecResult, FaultKind, FaultRequest, LabNode, Lack, NodeState
from labs.errors import LabGone, LabNotRunning, LabStartError
from labs.runtimes.ahead import WaitingProcess
from labs.runtimes.control import (
    SOCKET,
    ask,
    exec_from_json,
    kind_from_json,
    node_from_json,
    rebuilt,
    request_from_json,
)
from labs.runtimes.processes import ProcessMark
from labs.runtimes.saved import MEMORY, SAVED, write_saved
from labs.runtimes.state import LOG, STATE, LabState, claim, claimed, digest_of, locked
from labs.topology import Topology

STOP_S: Final = 20.0
_LOG_LINES: Final = 5
DYING_S: Final = 5.0
_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRuntime:
    """Runs labs of one kind, each in a detached process.

    Its parts are named as ``module:name`` and imported when they are needed, so that asking for help stays quick.

    Attributes:
        factory: makes the ``HeldLab`` of a topology and its options, in the lab's own process.
        probe: says what this machine lacks to run a topology.
        sweep: takes away what a lab of that name left behind when its process was killed; returns whether it found
            anything. Empty where a dead process leaves nothing outside its folder.
    """

    name: str
    factory: str
    probe: str
    sweep: str = ""

    def missing(self, topology: Topology) -> tuple[Lack, ...]:
        """Return what is missing to run ``topology``."""
        found: tuple[Lack, ...] = _named(self.probe)(topology)
        return found

    def deploy(self, topology: Topology, options: DeployOptions) -> tuple[LabNode, ...]:
        """Bring the lab up in a process of its own and return once every node can be reached."""
        fatal = [lack for lack in self.missing(topology) if lack.fatal]
        if fatal:
            raise LabStartError(f"runtime {self.name} cannot run lab {topology.name}: {'; '.join(map(str, fatal))}")
        folder = options.folder.absolute()
        with locked(folder):
            state = _settled(folder)
            if state is not None and state.alive and not options.reconfigure:
                return self._standing(state, topology, folder)
            self._take_down(topology, folder)
            if options.reconfigure:
                shutil.rmtree(folder / SAVED, ignore_errors=True)
            nodes = self._started(topology, options, folder)
            write_artefacts(topology, nodes, folder)
        return nodes

    def inspect(self, topology: Topology, folder: Path) -> tuple[LabNode, ...]:
        """Return the nodes as they are now."""
        return tuple(node_from_json(raw) for raw in self._ask(topology, folder, "nodes"))

    def exec(self, topology: Topology, folder: Path, node: str, command: str) -> ExecResult:
        """Run a command on a node."""
        return exec_from_json(self._ask(topology, folder, "exec", node=node, command=command))

    def save(self, topology: Topology, folder: Path) -> tuple[Path, ...]:
        """Write the running configurations of the managed nodes that run into the folder."""
        managed = [node.name for node in self.inspect(topology, folder) if node.state is NodeState.RUNNING]
        managed = [name for name in managed if topology.nodes[name].managed]
        configs = {name: str(self._ask(topology, folder, "config", node=name)) for name in managed}
        return write_saved(folder, configs)

    def destroy(self, topology: Topology, folder: Path, *, cleanup: bool) -> bool:
        """Take the lab down and remove what it wrote, but for saved configurations without ``cleanup``."""
        if not folder.exists():
            return self._swept(topology)
        with locked(folder):
            found = self._take_down(topology, folder)
            for name in (*ARTEFACTS, LOG, f"{STATE}.new"):
                (folder / name).unlink(missing_ok=True)
            shutil.rmtree(folder / MEMORY, ignore_errors=True)
            if cleanup:
                shutil.rmtree(folder)
            elif not any(folder.iterdir()):
                folder.rmdir()
        return found

    def faults(self, topology: Topology, folder: Path) -> "HeldFaults":
        """Return the access to the nodes' faults."""
        self._running(topology, folder)
        return HeldFaults(folder=folder)

    def _standing(self, state: LabState, topology: Topology, folder: Path) -> tuple[LabNode, ...]:
        if state.runtime != self.name:
            raise LabStartError(f"lab {topology.name} runs already, with runtime {state.runtime}; destroy it first")
        if (state.topology, state.digest) != (topology.path.absolute(), digest_of(topology)):
            changed = "the file was changed since" if state.topology == topology.path.absolute() else state.topology
            raise LabStartError(
                f"lab {topology.name} runs already, from another topology ({changed}); "
                "--reconfigure replaces it, 'lastmile lab destroy' ends it"
            )
        return tuple(node_from_json(raw) for raw in ask(folder, "nodes"))

    def _started(self, topology: Topology, options: DeployOptions, folder: Path) -> tuple[LabNode, ...]:
        answer = self._start(topology, options, folder)
        if answer is None:
            raise LabStartError(f"the process of lab {topology.name} ended at its start: {_end_of(folder / LOG)}")
        if "error" in answer:
            self._take_down(topology, folder)
            raise rebuilt(answer["error"], answer["message"])
        return tuple(node_from_json(raw) for raw in answer["value"])

    def _start(self, topology: Topology, options: DeployOptions, folder: Path) -> Any:  # noqa: ANN401 - JSON
        handle = _claimed_soon(folder)
        if handle is None:
            raise LabStartError(f"another process holds the lab in {folder}, and does not answer")
        listening, telling = os.pipe()
        try:
            start = {
                "topology": str(topology.path.absolute()),
                "nodes": sorted(topology.nodes),
                "folder": str(folder),
                "runtime": self.name,
                "factory": self.factory,
                "options": {
                    "ssh_port": options.ssh_port,
                    "netconf_port": options.netconf_port,
                    "reconfigure": options.reconfigure,
                },
            }
            process = options.process if options.process is not None else WaitingProcess(self.factory)
            process.hold(start, (telling, handle))
        finally:
            os.close(telling)
            os.close(handle)
        with os.fdopen(listening, encoding="utf-8") as answers:
            text = answers.read()
        return json.loads(text) if text else None

    def _take_down(self, topology: Topology, folder: Path) -> bool:
        """End the lab's process, alive or not, and remove what it would have removed itself."""
        state = _settled(folder)
        running = state is not None and state.alive
        if state is not None and state.holder is not None and running:
            _end(state.holder, folder)
        swept = self._swept(topology)
        for name in (SOCKET, STATE):
            (folder / name).unlink(missing_ok=True)
        return running or swept or state is not None

    def _swept(self, topology: Topology) -> bool:
        return bool(_named(self.sweep)(topology)) if self.sweep else False

    def _ask(self, topology: Topology, folder: Path, verb: str, **given: object) -> Any:  # noqa: ANN401 - JSON
        self._running(topology, folder)
        return ask(folder, verb, given)

    def _running(self, topology: Topology, folder: Path) -> None:
        state = LabState.read(folder)
        if state is None:
            raise LabNotRunning(topology.name, folder)
        if not state.alive:
            raise LabGone(
                f"the process of lab {topology.name} ended unexpectedly; 'lastmile lab deploy' brings it up again, "
                "'lastmile lab destroy' clears up"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFaults:
    """The faults of a lab that a process of its own holds."""

    folder: Path

    def kinds(self, node: str = "") -> Sequence[FaultKind]:
        """Return the kinds that mean something on a node; without one, on some node."""
        return tuple(kind_from_json(raw) for raw in ask(self.folder, "fault kinds", {"node": node}))

    def active(self) -> Sequence[FaultRequest]:
        """Return those that are on."""
        return tuple(request_from_json(raw) for raw in ask(self.folder, "faults"))

    def set(self, request: FaultRequest) -> None:
        """Switch one on or off."""
        ask(self.folder, "fault", asdict(request))


def _settled(folder: Path) -> LabState | None:
    """Return the lab's state once nobody is just bringing it up: a deployer that was killed leaves such a process."""
    deadline_s = time.monotonic() + STOP_S
    while True:
        state = LabState.read(folder)
        up = state is not None and state.up_in_s is not None
        if up or not claimed(folder) or time.monotonic() > deadline_s:
            return state
        time.sleep(_POLL_S)


def _claimed_soon(folder: Path) -> int | None:
    """Claim the folder; a process that was killed is dead a moment before the last of its files is closed."""
    deadline_s = time.monotonic() + DYING_S
    while (handle := claim(folder)) is None and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
    return handle


def _end(holder: ProcessMark, folder: Path) -> None:
    try:
        ask(folder, "stop", timeout_s=STOP_S)
    except LabGone:
        holder.end(signal.SIGTERM, timeout_s=STOP_S)
    if not holder.wait(timeout_s=STOP_S) and not holder.end(signal.SIGKILL, timeout_s=STOP_S):
        raise LabGone(f"process {holder.pid} that holds the lab in {folder} does not end, not even when killed")


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return " / ".join(lines[-_LOG_LINES:]) or "it said nothing"


def _named(place: str) -> Any:  # noqa: ANN401 - a function by its name
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
