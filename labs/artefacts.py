"""What containerlab leaves beside a lab for other tools: inventories for Nornir and Ansible, and the topology as data.

The files have containerlab's names and shapes. Beyond them stands only what emulated devices need and containerlab has
no word for: the port of each device, and what the client libraries call it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from labs.contracts import LabNode, NodeState
from labs.kinds import names_of
from labs.topology import Link, Topology

NORNIR: Final = "nornir-simple-inventory.yml"
ANSIBLE: Final = "ansible-inventory.yml"
DATA: Final = "topology-data.json"
ARTEFACTS: Final = (NORNIR, ANSIBLE, DATA)
_SSH: Final = "ssh"
_MGMT_BITS: Final = 24


def write_artefacts(topology: Topology, nodes: Sequence[LabNode], folder: Path) -> None:
    """Write the three files into the lab's folder."""
    makers: Mapping[str, Callable[[], str]] = {
        NORNIR: lambda: _yaml(nornir_inventory(nodes)),
        ANSIBLE: lambda: _yaml(ansible_inventory(topology, nodes)),
        DATA: lambda: json.dumps(topology_data(topology, nodes, folder), indent=2) + "\n",
    }
    for name, make in makers.items():
        (folder / name).write_text(make(), encoding="utf-8")


def nornir_inventory(nodes: Sequence[LabNode]) -> dict[str, Any]:
    """Return the hosts file of Nornir's SimpleInventory: every node that can be reached."""
    return {node.name: _nornir_host(node) for node in _reachable(nodes)}


def _nornir_host(node: LabNode) -> dict[str, Any]:
    names = names_of(node.platform)
    host: dict[str, Any] = {
        "username": node.username,
        "password": node.password,
        "platform": names.netmiko or node.platform or node.kind,
        "hostname": node.address,
        "port": node.port,
        "groups": sorted(value for key, value in node.labels.items() if key.startswith("nornir-group")),
        "data": {"lastmile": {"platform": node.platform, "role": node.role, "kind": node.kind}},
    }
    if names.napalm:
        # NAPALM asks eAPI on its own port unless told otherwise, and speaks SSH to whatever port the host has.
        extras = {"optional_args": {"transport": _SSH, "port": node.ports.get(_SSH, node.port)}}
        host["connection_options"] = {"napalm": {"platform": names.napalm, "extras": extras}}
    return {key: value for key, value in host.items() if value not in ([], None)}


def ansible_inventory(topology: Topology, nodes: Sequence[LabNode]) -> dict[str, Any]:
    """Return an Ansible inventory: a group per kind, and those that labels ``ansible-group…`` name."""
    groups: dict[str, dict[str, Any]] = {}
    for node in _reachable(nodes):
        name = topology.long_name(node.name)
        kind = groups.setdefault(node.kind, {"hosts": {}})
        kind["hosts"][name] = _ansible_host(node)
        for label, group in sorted(node.labels.items()):
            if label.startswith("ansible-group"):
                groups.setdefault(group, {"hosts": {}})["hosts"][name] = {}
    # A proxy of the environment must not stand between this machine and its own lab.
    return {"all": {"vars": {"ansible_httpapi_use_proxy": False}, "children": dict(sorted(groups.items()))}}


def _ansible_host(node: LabNode) -> dict[str, Any]:
    names = names_of(node.platform)
    host = {
        "ansible_host": node.address,
        "ansible_port": node.port,
        "ansible_user": node.username,
        "ansible_password": node.password,
        "ansible_network_os": names.ansible,
        "ansible_connection": names.ansible_connection if node.platform else "",
    }
    return {key: value for key, value in host.items() if value not in ("", None)}


def topology_data(topology: Topology, nodes: Sequence[LabNode], folder: Path) -> dict[str, Any]:
    """Return the lab as containerlab's ``topology-data.json`` has it."""
    return {
        "name": topology.name,
        "type": "clab",
        "clab": {"config": {"prefix": topology.prefix, "mgmt": dict(topology.mgmt)}},
        "ssh-pub-keys": [],
        "nodes": {node.name: _node_data(topology, node, str(index), folder) for index, node in enumerate(nodes)},
        "links": [_link_data(link) for link in topology.links],
    }


def _node_data(topology: Topology, node: LabNode, index: str, folder: Path) -> dict[str, Any]:
    return {
        "index": index,
        "shortname": node.name,
        "longname": topology.long_name(node.name),
        "fqdn": f"{node.name}.{topology.name}.io",
        "group": node.group,
        "labdir": str(folder / node.name),
        "kind": node.kind,
        "image": node.image,
        "mgmt-net": str(topology.mgmt.get("network", "clab")),
        "mgmt-intf": "",
        "mgmt-ipv4-address": node.address,
        "mgmt-ipv4-prefix-length": _MGMT_BITS if node.address else 0,
        "mgmt-ipv6-address": "",
        "mgmt-ipv6-prefix-length": 0,
        "mac-address": "",
        "labels": dict(node.labels),
        "port-bindings": [
            {"host-ip": node.address, "host-port": port, "port": port, "protocol": protocol}
            for protocol, port in node.ports.items()
        ],
    }


def _link_data(link: Link) -> dict[str, Any]:
    ends = {"a": link.a, "z": link.b}
    return {
        "endpoints": {
            side: {"node": end.node, "interface": end.interface, "mac": end.mac, "peer": "z" if side == "a" else "a"}
            for side, end in ends.items()
        }
    }


def inspect_data(topology: Topology, nodes: Sequence[LabNode], folder: Path) -> dict[str, Any]:
    """Return what ``containerlab inspect -f json`` answers."""
    return {
        topology.name: [
            {
                "lab_name": topology.name,
                "labPath": str(topology.path),
                "absLabPath": str(topology.path.absolute()),
                "name": topology.long_name(node.name),
                "container_id": "",
                "image": node.image,
                "kind": node.kind,
                "state": node.state.value,
                "status": _status(node),
                "ipv4_address": node.address or "N/A",
                "ipv6_address": "N/A",
                "owner": folder.owner() if folder.exists() else "",
                "ports": dict(node.ports),
                "platform": node.platform,
                "role": node.role,
            }
            for node in nodes
        ]
    }


def _status(node: LabNode) -> str:
    return " ".join(f"{protocol} {port}" for protocol, port in node.ports.items()) or node.state.value


def _reachable(nodes: Sequence[LabNode]) -> Iterator[LabNode]:
    return (node for node in nodes if node.address and node.state is not NodeState.DRAWN)


def _yaml(content: Mapping[str, Any]) -> str:
    return "---\n" + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
