"""The socket through which a lab that lives on is asked and told: one JSON line there, one back."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from labs import errors
from labs.contracts import ExecResult, FaultKind, FaultRequest, LabNode, NodeState
from labs.errors import LabError, LabGone

SOCKET: Final = "control.sock"
ASK_S: Final = 60.0
_CHUNK: Final = 65536


@contextmanager
def short_path(file: Path) -> Iterator[str]:
    """Yield a name of ``file`` that fits into a socket address (108 bytes) however deep its folder lies."""
    handle = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{file.name}"
    finally:
        os.close(handle)


def ask(folder: Path, verb: str, given: Mapping[str, object] | None = None, *, timeout_s: float = ASK_S) -> Any:  # noqa: ANN401 - JSON
    """Return what the lab in ``folder`` answers.

    Raises:
        LabGone: nobody answers there.
        LabError: the lab refuses, with the class and the words it has there.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line, short_path(folder / SOCKET) as path:
            line.settimeout(timeout_s)
            line.connect(path)
            line.sendall(json.dumps({"verb": verb, **(given or {})}).encode() + b"\n")
            answer = json.loads(read_line(line))
    except (OSError, ValueError) as gone:
        raise LabGone(f"the lab's process does not answer on {folder / SOCKET}: {gone}") from gone
    if "error" in answer:
        raise rebuilt(answer["error"], answer["message"])
    return answer["value"]


def read_line(line: socket.socket) -> bytes:
    """Return the next line of a socket, or what came before it was closed."""
    received = bytearray()
    while not received.endswith(b"\n"):
        chunk = line.recv(_CHUNK)
        if not chunk:
            break
        received += chunk
    return bytes(received)


def rebuilt(name: str, message: str) -> LabError:
    """Return the error that another process raised, of its class there and with its words."""
    known = getattr(errors, name, LabError)
    error = known.__new__(known)
    # Its constructor wants the facts, which stayed on the other side; the message has them all.
    LabError.__init__(error, message)
    return error if isinstance(error, LabError) else LabError(message)


def node_to_json(node: LabNode) -> dict[str, Any]:
    """Return a node as JSON."""
    return {**asdict(node), "state": node.state.value}


def node_from_json(raw: Mapping[str, Any]) -> LabNode:
    """Return the node that ``node_to_json`` wrote."""
    return LabNode(**{**raw, "state": NodeState(raw["state"])})


def exec_from_json(raw: Mapping[str, Any]) -> ExecResult:
    """Return what a command printed."""
    return ExecResult(**raw)


def kind_from_json(raw: Mapping[str, Any]) -> FaultKind:
    """Return one kind of fault."""
    return FaultKind(**raw)


def request_from_json(raw: Mapping[str, Any]) -> FaultRequest:
    """Return one fault of a node."""
    return FaultRequest(**raw)
