"""The demo on four processes: one per layer, each with a database of its own, over one embedded lab."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from api.client import Client
from api.errors import StartRefused
from api.far.model import BELOW, Layer
from api.http.layers import OWNERS
from api.http.server import bind
from api.settings import FTTH_LAB, PREFIX, Settings
from api.storage import storage
from api.wiring_lab import NETWORK_FILE, devices_of, links_of
from inventory.network import NetworkStore
from inventory.network_file import load_network_file
from labs.embedded.lab import EmbeddedLab
from labs.topology import load_topology

HOST: Final = "127.0.0.1"
ORDER: Final = (Layer.ACTIVATION, Layer.ROM, Layer.SOM, Layer.COM)
PATIENCE_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.05
_END_PATIENCE_S: Final = 10.0
_POOLS: Final = "/lastmile/v1/pool"


class ByPath(httpx.BaseTransport):
    """Sends each request to the layer that serves its path; what all serve, to the first layer."""

    def __init__(self, urls: Mapping[Layer, str]) -> None:
        self._urls = {layer: httpx.URL(url) for layer, url in urls.items()}
        self._transport = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer of whoever serves the path."""
        path = request.url.path
        owner = Layer.ROM if path == _POOLS else Layer.COM
        owner = next((layer for base, layer in OWNERS.items() if path.startswith(base)), owner)
        to = self._urls[owner]
        request.url = request.url.copy_with(host=to.host, port=to.port)
        request.headers["host"] = to.netloc.decode()
        return self._transport.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


@contextmanager
def split_platform() -> Iterator[tuple[EmbeddedLab, Mapping[Layer, str]]]:
    """Start a lab and the four processes, yield the lab and their addresses, and end all of it.

    Raises:
        StartRefused: a process did not come up; its last words say why.
    """
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory(prefix="lastmile-demo-")))
        lab = stack.enter_context(EmbeddedLab(load_topology(FTTH_LAB, os.environ), ssh_port=0, netconf_port=0))
        urls = dict(zip(ORDER, _free_urls(len(ORDER)), strict=True))
        started = {}
        for layer in ORDER:
            folder = root / layer
            folder.mkdir()
            if not BELOW[layer]:
                know_network(folder, lab)
            started[layer] = stack.enter_context(_process(layer, folder, urls))
        for layer, process in started.items():
            _await(process, urls[layer], root / layer)
        yield lab, urls


def client_of(urls: Mapping[Layer, str]) -> Client:
    """Return one client of all four processes."""
    return Client(http=httpx.Client(base_url="http://lastmile", transport=ByPath(urls), timeout=10.0))


def know_network(folder: Path, lab: EmbeddedLab) -> None:
    """Write the lab's devices, cables and network data into the inventory in ``folder``, as an import would."""
    network = load_network_file(FTTH_LAB.parent / NETWORK_FILE)
    links = links_of(load_topology(FTTH_LAB, os.environ))
    network = replace(network, devices=devices_of(lab.nodes()), links=links)
    with storage(Settings.read({}, data=folder), routes={}) as database, database.begin() as uow:
        NetworkStore().load(uow, network)


@contextmanager
def _process(layer: Layer, folder: Path, urls: Mapping[Layer, str]) -> Iterator["subprocess.Popen[bytes]"]:
    port = str(httpx.URL(urls[layer]).port)
    command = [sys.executable, "-c", "from api.main import main; main()", "serve", "--layer", layer]
    command += ["--port", port, "--data", str(folder), "--lab", "none", "--auth", "off"]
    if below := ",".join(f"{each}={urls[each]}" for each in sorted(BELOW[layer])):
        command += ["--upstream", below]
    around = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**around, "LASTMILE_HUB_ALLOW": "127.0.0.0/8"})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: "subprocess.Popen[bytes]", url: str, folder: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            httpx.get(f"{url}/health", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(_LOOK_EVERY_S)
        else:
            return
    said = (folder / "log").read_text(encoding="utf-8", errors="replace").strip()[-500:]
    raise StartRefused(f"the process of {folder.name} did not come up: {said}")


def _free_urls(count: int) -> list[str]:
    listening = [bind(HOST, 0) for _ in range(count)]
    try:
        return [f"http://{HOST}:{each.getsockname()[1]}" for each in listening]
    finally:
        for each in listening:
            each.close()
