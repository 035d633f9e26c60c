"""A driver factory that closes leaves no socket open, whatever its sessions were at."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from activation.drivers.netconf_asyncssh import FastNetconf
from activation.errors import DeviceUnreachable
from inventory.model import Device
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from tests.activation.drivers.benches import Bench, lab_bench

pytestmark = pytest.mark.lab

PATIENCE_S = 10.0


def sockets_to(device: Device) -> int:
    """Count this process' sockets that are connected to ``device`` (proc(5), net/tcp)."""
    address, port = device.address.split("."), f"{device.port:04X}"
    peer = "".join(f"{int(part):02X}" for part in reversed(address)) + f":{port}"
    inodes = {row.split()[9] for row in Path("/proc/self/net/tcp").read_text().splitlines() if row.split()[2] == peer}
    return len(inodes & {_inode(entry) for entry in Path("/proc/self/fd").iterdir()})


def _inode(entry: Path) -> str:
    with suppress(FileNotFoundError):  # The folder's own descriptor is gone by then.
        return str(entry.readlink()).removeprefix("socket:[").removesuffix("]")
    return ""


def left_open(factory: FastNetconf, bench: Bench) -> None:
    factory(bench.device, bench.platform)
    factory.close()


def closed_before(factory: FastNetconf, bench: Bench) -> None:
    factory(bench.device, bench.platform).close()
    factory.close()


def closed_after(factory: FastNetconf, bench: Bench) -> None:
    session = factory(bench.device, bench.platform)
    factory.close()
    session.close()


def in_its_handshake(factory: FastNetconf, bench: Bench) -> None:
    def connect() -> None:
        with suppress(DeviceUnreachable):
            factory(replace(bench.device, timeout_s=PATIENCE_S), bench.platform)

    connecting = threading.Thread(target=connect)
    connecting.start()
    deadline = threading.Event()
    for _ in range(1000):
        if sockets_to(bench.device) or deadline.wait(PATIENCE_S / 1000):
            break
    factory.close()
    connecting.join(PATIENCE_S)
    assert not connecting.is_alive()


@pytest.mark.parametrize("how", [left_open, closed_before, closed_after, in_its_handshake])
def test_no_socket_outlives_its_factory(
    lab: EmbeddedLab, how: Callable[[FastNetconf, Bench], None], request: pytest.FixtureRequest
) -> None:
    bench = lab_bench(lab, "olt1", "netconf-fast")
    if how is in_its_handshake:
        lab.faults.set("olt1", Fault("hang_before_hello"))
        request.addfinalizer(lambda: lab.faults.clear("olt1"))

    how(FastNetconf(), bench)

    assert sockets_to(bench.device) == 0
