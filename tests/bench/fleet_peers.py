"""How others do one change on many devices: stock scripts, as their own documentation has them."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ncclient import manager
from netmiko import ConnectHandler
from nornir.core import Nornir
from nornir.core.task import Result, Task
from nornir.plugins.runners import ThreadedRunner

from activation.model import DeviceEdit
from inventory.model import Device
from inventory.nornir_plugin import DeviceInventory

WORKERS: Final = 20
"""Nornir's own choice; more makes it no faster on two cores."""
LINES: Final = ("vlan 900", "name bench", "interface Ethernet2", "switchport trunk allowed vlan add 900")
READ_BACK: Final = '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"/>'


def nornir_ncclient(devices: Sequence[Device], edits: Mapping[str, DeviceEdit]) -> float:
    """Return how many devices per second Nornir changes with ncclient; each session is opened for it."""

    def push(task: Task) -> Result:
        edit = edits[task.host.name]
        with _connected(task.host) as session, session.locked("candidate"):
            session.discard_changes()
            session.edit_config(edit.edit, target="candidate")
            session.validate("candidate")
            session.commit(confirmed=True, timeout="60")
            session.get_config("running", filter=("subtree", READ_BACK))
            session.commit()
        return Result(task.host)

    return _rate(devices, push)


def nornir_netmiko(devices: Sequence[Device]) -> float:
    """Return how many switches per second Nornir changes with netmiko; each session is opened for it."""

    def push(task: Task) -> Result:
        host = task.host
        with ConnectHandler(
            device_type="arista_eos",
            host=host.hostname,
            port=host.port,
            username=host.username,
            password=host.password,
        ) as session:
            session.enable()
            session.send_config_set(LINES)
            session.send_command("show running-config")
            session.save_config()
        return Result(host)

    return _rate(devices, push)


@contextlib.contextmanager
def _connected(host: Any) -> Any:
    with manager.connect(
        host=host.hostname,
        port=host.port,
        username=host.username,
        password=host.password,
        hostkey_verify=False,
        allow_agent=False,
        look_for_keys=False,
    ) as session:
        yield session


def _rate(devices: Sequence[Device], push: Any) -> float:
    nornir = Nornir(inventory=DeviceInventory(devices).load(), runner=ThreadedRunner(num_workers=WORKERS))
    started_s = time.perf_counter()
    results = nornir.run(push)
    took_s = time.perf_counter() - started_s
    if results.failed:
        raise RuntimeError(f"the peer failed: {results.failed_hosts}")
    return len(devices) / took_s
