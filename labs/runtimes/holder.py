"""The process that holds a lab: started by the deploy and living on after it."""

import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from labs.contracts import DeployOptions, HeldLab
from labs.errors import LabError
from labs.runtimes.control import SOCKET, node_to_json, read_line, request_from_json, short_path
from labs.runtimes.processes import ProcessMark
from labs.runtimes.saved import with_saved
from labs.runtimes.state import STATE, LabState, digest_of
from labs.topology import Topology, load_topology, only

Factory = Callable[[Topology, DeployOptions], HeldLab]
_SILENT_CLIENT_S: Final = 5.0
_log = logging.getLogger("labs.holder")


def hold(start: Mapping[str, Any]) -> None:
    """Hold one lab until it is told to stop.

    Args:
        start: what lab; :mod:`labs.runtimes.held` writes it.
    """
    os.set_inheritable(start["ready"], False)
    if os.fork():
        # The deployer waits for this process only; the lab's own process has no parent that could end it.
        os._exit(0)
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    told = _Deployer(start["ready"])
    try:
        with _alone(start) as folder:
            _hold(start, folder, told)
    except LabError as failed:
        _log.error("%s", failed)
        told.tell({"error": type(failed).__name__, "message": str(failed)})
        sys.exit(1)


class _Deployer:
    """The process that started this one, as long as it listens."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe

    def tell(self, message: Mapping[str, Any]) -> None:
        if self._pipe is None:
            return
        try:
            with os.fdopen(self._pipe, "w", encoding="utf-8") as pipe:
                json.dump(message, pipe)
        except BrokenPipeError:
            _log.warning("the deployer ended before the lab was up")
        self._pipe = None


@contextmanager
def _alone(start: Mapping[str, Any]) -> Iterator[Path]:
    """Keep the lock that the deployer took for this process; afterwards nothing of the process stays in the folder."""
    folder, claim = Path(start["folder"]), int(start["claim"])
    # What this process starts must not hold the lock when this process is gone.
    os.set_inheritable(claim, False)
    try:
        yield folder
    finally:
        for name in (SOCKET, STATE):
            (folder / name).unlink(missing_ok=True)
        os.close(claim)


def _hold(start: Mapping[str, Any], folder: Path, deployer: _Deployer) -> None:
    topology = only(load_topology(Path(start["topology"]), os.environ), start["nodes"])
    state = LabState(
        lab=topology.name,
        runtime=start["runtime"],
        topology=topology.path,
        digest=digest_of(topology),
        holder=ProcessMark.own(),
    )
    state.write(folder)
    options = DeployOptions(**{**start["options"], "folder": folder})
    module, _, name = start["factory"].partition(":")
    factory: Factory = getattr(import_module(module), name)
    began = time.perf_counter()
    lab = factory(topology if options.reconfigure else with_saved(topology, folder), options)
    try:
        nodes = lab.start()
        took_s = time.perf_counter() - began
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening, short_path(folder / SOCKET) as path:
            listening.bind(path)
            listening.listen()
            replace(state, up_in_s=round(took_s, 4)).write(folder)
            _log.info("lab %s is up: %d nodes in %.3f s", topology.name, len(nodes), took_s)
            deployer.tell({"value": [node_to_json(node) for node in nodes]})
            _serve(listening, lab)
    finally:
        lab.stop()
        _log.info("lab %s is down", topology.name)


def _serve(listening: socket.socket, lab: HeldLab) -> None:
    while True:
        line, _ = listening.accept()
        with line:
            line.settimeout(_SILENT_CLIENT_S)
            try:
                request = json.loads(read_line(line))
                line.settimeout(None)
                answer = _answer(lab, request)
                line.sendall(json.dumps(answer).encode() + b"\n")
            except (OSError, ValueError) as broken:
                _log.warning("a client of the control socket went away: %s", broken)
                continue
            if request["verb"] == "stop":
                return


def _answer(lab: HeldLab, request: Mapping[str, Any]) -> Mapping[str, Any]:
    given = {key: value for key, value in request.items() if key != "verb"}
    verb = VERBS.get(str(request["verb"]))
    if verb is None:
        return {"error": "LabError", "message": f"unknown verb {request['verb']!r}; known: {', '.join(VERBS)}"}
    try:
        return {"value": verb(lab, given)}
    except LabError as refused:
        return {"error": type(refused).__name__, "message": str(refused)}


def _fault(lab: HeldLab, given: Mapping[str, Any]) -> None:
    lab.fault(request_from_json(given))


VERBS: Final[Mapping[str, Callable[[HeldLab, Mapping[str, Any]], Any]]] = {
    "nodes": lambda lab, _: [node_to_json(node) for node in lab.nodes()],
    "exec": lambda lab, given: asdict(lab.exec(given["node"], given["command"])),
    "config": lambda lab, given: lab.running_config(given["node"]),
    "fault kinds": lambda lab, given: [asdict(kind) for kind in lab.fault_kinds(given["node"])],
    "faults": lambda lab, _: [asdict(fault) for fault in lab.faults()],
    "fault": _fault,
    "stop": lambda _lab, _given: None,
}
