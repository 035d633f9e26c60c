"""The platform whole, or as four processes on loopback, over devices that live in the test's own process."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from api.client import FINAL_STATES, PRODUCT_ORDERS, Client
from api.demo.split import know_network
from api.settings import FTTH_LAB
from labs.embedded.lab import EmbeddedLab
from labs.topology import load_topology

PATIENCE_S: Final = 90.0
LAYERS: Final = ("activation", "rom", "som", "com")
"""In the order in which they are started: who is asked before who asks."""
BELOW: Final = {"com": ("som",), "som": ("rom", "activation"), "rom": (), "activation": ()}
_MAIN: Final = "from api.cli import main; main()"


@dataclass(slots=True, kw_only=True)
class Process:
    """One process of the platform that can be ended and started again."""

    name: str
    folder: Path
    port: int
    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    running: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        given = ("--port", str(self.port), "--data", str(self.folder), "--lab", "none", "--auth", "off")
        around = {name: value for name, value in os.environ.items() if not name.startswith("LASTMILE_")}
        command = [sys.executable, "-c", _MAIN, "serve", *given, *self.arguments]
        with (self.folder / "log").open("ab") as log:
            self.running = subprocess.Popen(command, stdout=log, stderr=log, env={**around, **self.environ})

    def await_health(self) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            assert self.running is not None
            assert self.running.poll() is None, (self.folder / "log").read_text()[-2000:]
            try:
                httpx.get(f"{self.url}/health", trust_env=False).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.02)
            else:
                return
        pytest.fail(f"{self.name} did not come up")

    def kill(self) -> None:
        if self.running is not None:
            self.running.send_signal(signal.SIGKILL)
            self.running.wait()
            self.running = None


@dataclass(slots=True, kw_only=True)
class Deployment:
    """A running platform, whole or split.

    Attributes:
        processes: by layer; the whole one stands for each of them.
    """

    lab: EmbeddedLab
    processes: Mapping[str, Process]
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, layer: str) -> Client:
        process = self.processes[layer]
        if process.url not in self.clients:
            self.clients[process.url] = Client.open(process.url, None)
        return self.clients[process.url]

    @property
    def distinct(self) -> Mapping[str, Process]:
        return {process.name: process for process in self.processes.values()}

    def configurations(self) -> dict[str, str]:
        return {node.name: self.lab.running_config(node.name) for node in self.lab.nodes()}

    def taken(self) -> int:
        return sum(pool["taken"] for pool in self.client("rom").get("/lastmile/v1/pool"))

    def place(self, body: Mapping[str, Any]) -> str:
        return self.client("com").place(body)

    def order(self, order_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client("com").get(f"{PRODUCT_ORDERS}/{order_id}")
        return found

    def reaches(self, order_id: str, *states: str) -> dict[str, Any]:
        """Return the order once it is in one of ``states``."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (order := self.order(order_id))["state"] not in states:
            hint = self.client("com").tree(order_id) if time.monotonic() > deadline_s else None
            assert hint is None, f"{order_id} is {order['state']}, not {states}: {hint}"
            assert order["state"] not in FINAL_STATES, (order["state"], order.get("note"))
            time.sleep(0.03)
        return order

    def completed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.reaches(self.place(body), "completed")

    def restart(self, layer: str) -> None:
        process = self.processes[layer]
        process.kill()
        process.start()
        process.await_health()


@contextmanager
def deployed(folder: Path, *, split: bool, policy: Path | None = None) -> Iterator[Deployment]:
    """Start the platform in ``folder`` over a fresh embedded lab, and end all of it."""
    with ExitStack() as stack:
        lab = stack.enter_context(EmbeddedLab(load_topology(FTTH_LAB, os.environ), ssh_port=0, netconf_port=0))
        ports = dict(zip(LAYERS, _free_ports(len(LAYERS)), strict=True))
        processes = {name: _process(folder, name, ports, policy) for name in LAYERS} if split else {}
        if not split:
            whole = _process(folder, "", {"": ports["com"]}, policy)
            processes = dict.fromkeys(LAYERS, whole)
        deployment = Deployment(lab=lab, processes=processes)
        for process in deployment.distinct.values():
            process.folder.mkdir()
            know_network(process.folder, lab)
            stack.callback(process.kill)
            process.start()
        for process in deployment.distinct.values():
            process.await_health()
        yield deployment
        for client in deployment.clients.values():
            client.close()


def _process(folder: Path, name: str, ports: Mapping[str, int], policy: Path | None) -> Process:
    upstream = ",".join(f"{below}=http://127.0.0.1:{ports[below]}" for below in BELOW.get(name, ()))
    arguments = (*(("--layer", name) if name else ()), *(("--upstream", upstream) if upstream else ()))
    # The lab's own catalog: a process that is told of devices knows no lab to take it from.
    environ = {
        "LASTMILE_CATALOG": str(FTTH_LAB.parent / "catalog"),
        "LASTMILE_HUB_ALLOW": "127.0.0.0/8",
        "LASTMILE_HUB_FIRST_PAUSE_S": "0.1",
    }
    if policy is not None:
        environ["LASTMILE_REVIEW_POLICY"] = str(policy)
    return Process(name=name, folder=folder / (name or "whole"), port=ports[name], arguments=arguments, environ=environ)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
