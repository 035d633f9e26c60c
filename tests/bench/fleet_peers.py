"""How others do one change on many devices: stock scripts, as their own documentation has them."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
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
# A plain commit: asked for a confirmed one, the module hands ncclient a number where it wants text, and fails.
PLAYBOOK: Final = """
- hosts: all
  gather_facts: false
  connection: ansible.netcommon.netconf
  tasks:
    - ansible.netcommon.netconf_config:
        target: candidate
        lock: always
        validate: true
        content: "{{ lookup('file', edits + '/' + inventory_hostname + '.xml') }}"
"""


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


def ansible(devices: Sequence[Device], edits: Mapping[str, DeviceEdit]) -> dict[str, float]:
    """Return how many devices per second Ansible changes with ``netconf_config``; nothing where it is not installed.

    ``make bench`` installs it beside the virtual environment; otherwise it is looked for on the path.
    """
    beside = Path(sys.prefix).parent / ".ansible" / "bin" / "ansible-playbook"
    playbook = str(beside) if beside.exists() else shutil.which("ansible-playbook")
    if playbook is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="lastmile-bench-") as name:
        folder = Path(name)
        _write_play(folder, devices, edits)
        command = [playbook, "-i", "hosts.json", "-f", str(len(devices)), "-e", f"edits={folder}", "play.yml"]
        started_s = time.perf_counter()
        environment = {**os.environ, "ANSIBLE_HOST_KEY_CHECKING": "False", "HOME": name, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        took_s = time.perf_counter() - started_s
        if done.returncode:
            sys.stderr.write(f"ansible: {done.stdout[-2000:]}{done.stderr[-2000:]}\n")
            return {}
    return {"ansible netconf_config": float(f"{len(devices) / took_s:.3g}")}


def _write_play(folder: Path, devices: Sequence[Device], edits: Mapping[str, DeviceEdit]) -> None:
    hosts = {
        device.name: {
            "ansible_host": device.address,
            "ansible_port": device.port,
            "ansible_user": device.username,
            "ansible_password": device.password,
            "ansible_network_os": "default",
        }
        for device in devices
    }
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    (folder / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
    for device in devices:
        (folder / f"{device.name}.xml").write_text(edits[device.name].edit, encoding="utf-8")


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
