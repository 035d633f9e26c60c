"""How Ansible does one change on many devices: its playbooks, as its own documentation has them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from activation.model import DeviceEdit
from inventory.model import Device
from tests.bench.report import rounded

NETCONF: Final = "ansible netconf_config"
CLI: Final = "ansible cli_config"
# A plain commit: asked for a confirmed one, the module hands ncclient a number where it wants text, and fails.
NETCONF_PLAY: Final = """
- hosts: all
  gather_facts: false
  connection: ansible.netcommon.netconf
  tasks:
    - ansible.netcommon.netconf_config:
        target: candidate
        lock: always
        validate: true
        content: "{{ lookup('file', edits + '/' + inventory_hostname + '.edit') }}"
"""
CLI_PLAY: Final = """
- hosts: all
  gather_facts: false
  connection: ansible.netcommon.network_cli
  tasks:
    - ansible.netcommon.cli_config:
        config: "{{ lookup('file', edits + '/' + inventory_hostname + '.edit') }}"
"""


def ansible_netconf(devices: Sequence[Device], edits: Mapping[str, DeviceEdit]) -> dict[str, float | None]:
    """Return how many devices per second Ansible changes with ``netconf_config``; see :func:`_rate`."""
    system = {"ansible_network_os": "default"}
    return {NETCONF: _rate(NETCONF_PLAY, devices, {name: edit.edit for name, edit in edits.items()}, system)}


def ansible_cli(devices: Sequence[Device], lines: Sequence[str]) -> dict[str, float | None]:
    """Return how many switches per second Ansible changes with ``cli_config``; see :func:`_rate`."""
    system = {
        "ansible_network_os": "arista.eos.eos",
        "ansible_network_cli_ssh_type": "paramiko",
        "ansible_become": "true",
        "ansible_become_method": "ansible.netcommon.enable",
    }
    text = "\n".join(lines) + "\n"
    return {CLI: _rate(CLI_PLAY, devices, {device.name: text for device in devices}, system)}


def _rate(play: str, devices: Sequence[Device], edits: Mapping[str, str], system: Mapping[str, str]) -> float | None:
    """Return how many devices per second ``play`` changes; None, and a word why, where Ansible is missing or fails.

    ``make bench`` installs it beside the virtual environment; otherwise it is looked for on the path.
    """
    beside = Path(sys.prefix).parent / ".ansible" / "bin" / "ansible-playbook"
    playbook = str(beside) if beside.exists() else shutil.which("ansible-playbook")
    if playbook is None:
        sys.stderr.write("ansible: not installed, so not measured; `make bench` installs it into .ansible/\n")
        return None
    with tempfile.TemporaryDirectory(prefix="lastmile-bench-") as name:
        folder = Path(name)
        _write(folder, play, devices, edits, system)
        command = [playbook, "-i", "hosts.json", "-f", str(len(devices)), "-e", f"edits={folder}", "play.yml"]
        started_s = time.perf_counter()
        environment = {**os.environ, "ANSIBLE_HOST_KEY_CHECKING": "False", "HOME": name, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        took_s = time.perf_counter() - started_s
    if done.returncode:
        sys.stderr.write(f"ansible: failed, so not measured: {done.stdout[-2000:]}{done.stderr[-2000:]}\n")
        return None
    return rounded(len(devices) / took_s)


def _write(
    folder: Path, play: str, devices: Sequence[Device], edits: Mapping[str, str], system: Mapping[str, str]
) -> None:
    hosts = {
        device.name: {
            "ansible_host": device.address,
            "ansible_port": device.port,
            "ansible_user": device.username,
            "ansible_password": device.password,
            **system,
        }
        for device in devices
    }
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    (folder / "play.yml").write_text(play, encoding="utf-8")
    for device in devices:
        (folder / f"{device.name}.edit").write_text(edits[device.name], encoding="utf-8")
