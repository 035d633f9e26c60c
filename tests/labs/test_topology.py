import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from labs.errors import TopologyError
from labs.kinds import KNOWN_KINDS, device_interface
from labs.topology import Topology, expand, load_topology, only, prepared
from tests.labs.conftest import FTTH

SHARED_CLAB = Path(__file__).parents[3] / "shared" / "clab"
needs_clab_data = pytest.mark.skipif(not SHARED_CLAB.is_dir(), reason="containerlab's reference data is not here")

MINIMAL = """\
name: small
topology:
  nodes:
    a: {kind: linux}
    b: {kind: linux}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "lab.clab.yml"
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, text: str) -> Topology:
    return load_topology(write(folder, text), {})


EXPANSIONS = {
    "set": ("${IMAGE:=x}", {"IMAGE": "y"}, "y"),
    "default-assign": ("${IMAGE:=x:1}", {}, "x:1"),
    "default-use": ("${IMAGE:-x}", {}, "x"),
    "empty-counts-as-unset": ("${IMAGE:=x}", {"IMAGE": ""}, "x"),
    "empty-counts-as-set-without-colon": ("${IMAGE=x}", {"IMAGE": ""}, ""),
    "plain": ("${IMAGE}", {"IMAGE": "y"}, "y"),
    "plain-empty": ("${IMAGE}", {"IMAGE": ""}, ""),
    "twice": ("${A:=1}-${B:=2}", {"B": "3"}, "1-3"),
    "empty-default": ("[${A:=}]", {}, "[]"),
    "no-variable": ("$HOME {x}", {}, "$HOME {x}"),
}


@pytest.mark.parametrize("case", EXPANSIONS)
def test_variables_are_expanded(case: str) -> None:
    text, environ, expected = EXPANSIONS[case]
    assert expand(text, environ, Path("lab.yml")) == expected


def test_unset_variable_is_named_with_its_line() -> None:
    with pytest.raises(TopologyError, match=r"lab\.yml: line 2: variable IMAGE is not set; .*\$\{IMAGE:=default\}"):
        expand("name: x\nimage: ${IMAGE}", {}, Path("lab.yml"))


def test_node_inherits_from_defaults_kind_group_and_itself(tmp_path: Path) -> None:
    topology = load(
        tmp_path,
        """\
name: inherit
topology:
  defaults: {kind: linux, image: from-defaults, labels: {a: defaults, d: defaults}, env: {E: 1}}
  kinds:
    linux: {image: from-kind, labels: {a: kind, k: kind}}
  groups:
    edge: {image: from-group, labels: {a: group, g: 7}, env: {F: true}}
  nodes:
    plain: {}
    empty:
    grouped: {group: edge}
    own: {group: edge, image: from-node, labels: {a: node}}
""",
    )
    images = {name: node.image for name, node in topology.nodes.items()}
    assert images == {"plain": "from-kind", "empty": "from-kind", "grouped": "from-group", "own": "from-node"}
    assert topology.nodes["own"].labels == {"a": "node", "d": "defaults", "k": "kind", "g": "7"}
    assert topology.nodes["own"].env == {"E": "1", "F": "true"}
    assert topology.nodes["plain"].labels == {"a": "kind", "d": "defaults", "k": "kind"}


def test_group_may_give_the_kind(tmp_path: Path) -> None:
    text = "name: g\ntopology:\n  groups: {sw: {kind: ceos}}\n  nodes: {a: {group: sw}}\n"
    assert load(tmp_path, text).nodes["a"].kind == "ceos"


@pytest.mark.parametrize(
    "link",
    [
        "{endpoints: ['a:eth1', 'b:eth2']}",
        "{type: veth, endpoints: [{node: a, interface: eth1}, {node: b, interface: eth2, mac: '02:00:00:00:00:01'}]}",
    ],
    ids=["brief", "extended"],
)
def test_links_of_both_forms(tmp_path: Path, link: str) -> None:
    (found,) = load(tmp_path, f"{MINIMAL}  links:\n    - {link}\n").links
    assert (found.a.node, found.a.interface, found.b.node, found.b.interface) == ("a", "eth1", "b", "eth2")


OUTSIDE = {
    "host": ("{type: host, endpoint: {node: a, interface: eth1}, host-interface: a1}", ("host", "eth1", "a1")),
    "mgmt-net": ("{type: mgmt-net, endpoint: {node: a, interface: e}, host-interface: x}", ("mgmt-net", "e", "x")),
    "macvlan": ("{type: macvlan, endpoint: {node: a, interface: e}, host-interface: p1}", ("macvlan", "e", "p1")),
    "dummy": ("{type: dummy, endpoint: {node: a, interface: e9}}", ("dummy", "e9", "")),
    "vxlan": ("{type: vxlan, endpoint: {node: a, interface: e}, remote: 10.0.0.1, vni: 7}", ("vxlan", "e", "")),
    "vxlan-stitch": (
        "{type: vxlan-stitch, endpoint: {node: a, interface: e}, remote: 10.0.0.1, vni: 7}",
        ("vxlan-stitch", "e", ""),
    ),
    "brief-host": ("{endpoints: ['a:eth1', 'host:a1']}", ("host", "eth1", "a1")),
    "brief-mgmt": ("{endpoints: ['mgmt-net:br1', 'a:eth1']}", ("mgmt-net", "eth1", "br1")),
    "brief-macvlan": ("{endpoints: ['a:eth1', 'macvlan:eno1']}", ("macvlan", "eth1", "eno1")),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_links_to_the_outside(tmp_path: Path, case: str) -> None:
    text, expected = OUTSIDE[case]
    topology = load(tmp_path, f"{MINIMAL}  links:\n    - {text}\n")
    (link,) = topology.outside
    assert (link.type, link.end.interface, link.host_interface) == expected
    assert topology.links == ()
    assert topology.remarks == ()


def test_a_link_type_of_the_future_is_remarked(tmp_path: Path) -> None:
    topology = load(tmp_path, f"{MINIMAL}  links:\n    - {{type: vxlam, endpoint: {{node: a, interface: e}}}}\n")
    (remark,) = topology.remarks
    assert remark.startswith("link 1: unknown type 'vxlam' (did you mean 'vxlan'?) is left out; known: dummy, host,")


def test_extras_of_a_cable(tmp_path: Path) -> None:
    link = "{endpoints: ['a:e1', 'b:e1'], mtu: 1500, ipv4: [10.0.0.1/30, 10.0.0.2/30]}"
    (found,) = load(tmp_path, f"{MINIMAL}  links: [{link}]\n").links
    assert (found.mtu, found.a.ipv4, found.b.ipv4) == (1500, "10.0.0.1/30", "10.0.0.2/30")


def test_lists_add_up_along_the_inheritance(tmp_path: Path) -> None:
    topology = load(
        tmp_path,
        """\
name: lists
topology:
  defaults: {exec: [one]}
  kinds: {linux: {exec: [two], ports: ["80:80"]}}
  nodes:
    a: {kind: linux, exec: [three], ports: ["22:22"], mgmt-ipv6: 2001:db8::5, startup-config: __clabNodeName__.cfg}
""",
    )
    node = topology.nodes["a"]
    assert node.exec == ("one", "two", "three")
    assert node.ports == ("80:80", "22:22")
    assert str(node.mgmt_ipv6) == "2001:db8::5"
    assert node.startup_config == tmp_path / "a.cfg"


CREDENTIALS = {
    "of-the-kind": ("{kind: srl}", ("admin", "NokiaSrl1!")),
    "of-an-alias": ("{kind: vr-xrv9k}", ("clab", "clab@123")),
    "of-the-file": ("{kind: srl, credentials: {username: ops, password: pw}}", ("ops", "pw")),
    "of-labels": ("{kind: srl, labels: {lastmile.username: me, lastmile.password: mine}}", ("me", "mine")),
    "of-a-managed-linux": ("{kind: linux, image: 'frrouting/frr:v8'}", ("admin", "admin")),
    "of-a-host": ("{kind: linux}", ("", "")),
}


@pytest.mark.parametrize("case", CREDENTIALS)
def test_credentials(tmp_path: Path, case: str) -> None:
    text, expected = CREDENTIALS[case]
    node = load(tmp_path, f"name: c\ntopology:\n  nodes:\n    a: {text}\n").nodes["a"]
    assert (node.username, node.password) == expected


PLATFORMS = {
    "label": ("{kind: linux, labels: {lastmile.platform: bbf_olt}}", "bbf_olt"),
    "kind": ("{kind: ceos}", "arista_eos"),
    "image": ("{kind: linux, image: 'quay.io/frrouting/frr:9.1'}", "frr"),
    "label-says-none": ("{kind: ceos, labels: {lastmile.platform: ''}}", ""),
    "host": ("{kind: linux, image: alpine}", ""),
}


@pytest.mark.parametrize("case", PLATFORMS)
def test_platforms(tmp_path: Path, case: str) -> None:
    text, expected = PLATFORMS[case]
    node = load(tmp_path, f"name: c\ntopology:\n  nodes:\n    a: {text}\n").nodes["a"]
    assert (node.platform, node.managed) == (expected, bool(expected))


def test_long_names_and_the_management_subnet(tmp_path: Path) -> None:
    nodes = "topology: {nodes: {a: {kind: ceos}, b: {kind: ceos, mgmt-ipv4: 10.9.0.2}, h: {kind: linux}}}\n"
    names = {
        prefix: load(tmp_path, f"name: x\nprefix: {prefix}\n{nodes}").long_name("a")
        for prefix in ("clab", "mine", "__lab-name", '""')
    }
    assert names == {"clab": "clab-x-a", "mine": "mine-x-a", "__lab-name": "x-a", '""': "a"}
    ready = prepared(load(tmp_path, f"name: x\nmgmt: {{ipv4-subnet: 10.9.0.0/29}}\n{nodes}"))
    addresses = {name: str(node.mgmt_ipv4) for name, node in ready.nodes.items()}
    assert addresses == {"a": "10.9.0.3", "b": "10.9.0.2", "h": "None"}
    assert ready.nodes["a"].labels["lastmile.platform"] == "arista_eos"


def test_part_of_a_topology(ftth: Topology) -> None:
    part = only(ftth, ["olt1", "sw1"])
    assert list(part.nodes) == ["olt1", "sw1"]
    assert [(link.a.node, link.b.node) for link in part.links] == [("olt1", "sw1")]


def test_unknown_fields_are_remarked_with_their_line(tmp_path: Path) -> None:
    topology = load(tmp_path, "name: x\nnaem: y\ntopology:\n  nodes:\n    a:\n      kind: linux\n      imge: b\n")
    assert topology.remarks == (
        "line 2: unknown field 'naem' (did you mean 'name'?) is left out",
        "line 7: node a: unknown field 'imge' (did you mean 'image'?) is left out",
    )


def test_errors_name_the_line(tmp_path: Path) -> None:
    text = f"{MINIMAL}  links:\n    - endpoints: ['a:e1', 'b:e1']\n    - endpoints: ['a:e2', 'bb:e2']\n"
    with pytest.raises(TopologyError, match=r"lab\.clab\.yml: line 8: link 2: unknown node 'bb'.*; known: a, b"):
        load(tmp_path, text)


def test_variables_in_comments_are_left_alone() -> None:
    assert expand("a: 1 # ${X}\n# ${Y}\n", {}, Path("lab.yml")) == "a: 1 # ${X}\n# ${Y}\n"


def test_unknown_kind_loads_with_a_remark(tmp_path: Path) -> None:
    topology = load(tmp_path, "name: u\ntopology:\n  nodes: {a: {kind: toaster}}\n")
    assert topology.nodes["a"].kind == "toaster"
    assert "unknown kind 'toaster'" in topology.remarks[0]


INTERFACES = {
    "ceos": ("ceos", {}, "eth3", "Ethernet3"),
    "ceos-breakout": ("arista_ceos", {}, "eth1_2", "Ethernet1/2"),
    "ceos-et": ("arista_ceos", {}, "et7", "Ethernet7"),
    "ceos-management": ("arista_ceos", {}, "Management0", "Management0"),
    "linux": ("linux", {}, "eth1", "eth1"),
    "label": ("linux", {"lastmile.interface.eth1": "uplink1"}, "eth1", "uplink1"),
    "label-beats-kind": ("ceos", {"lastmile.interface.eth1": "Port-Channel1"}, "eth1", "Port-Channel1"),
    "label-of-another": ("linux", {"lastmile.interface.eth1": "uplink1"}, "eth2", "eth2"),
}


@pytest.mark.parametrize("case", INTERFACES)
def test_interface_names_become_the_devices_own(case: str) -> None:
    kind, labels, interface, expected = INTERFACES[case]
    assert device_interface(kind, labels, interface) == expected


BROKEN = {
    "not-yaml": ("name: [", "line "),
    "no-mapping": ("- a", "is no mapping; a topology has name and topology"),
    "no-name": ("topology: {nodes: {a: {kind: linux}}}", "name: None is no lab name"),
    "unknown-field": ("name: x\ntopolgy: {}", "there is no 'topology'; the file has name, topolgy; legal: debug, mgmt"),
    "no-nodes": ("name: x\ntopology: {nodes: {}}", "topology.nodes: there is no node"),
    "nodes-a-list": ("name: x\ntopology: {nodes: [a]}", "topology.nodes: is no mapping but ['a']"),
    "no-kind": ("name: x\ntopology: {nodes: {a: {}}}", "node a: has no kind"),
    "bad-address": (
        "name: x\ntopology: {nodes: {a: {kind: linux, mgmt-ipv4: 1.2.3}}}",
        "node a: mgmt-ipv4 Expected 4 octets in '1.2.3'",
    ),
    "bad-labels": ("name: x\ntopology: {nodes: {a: {kind: linux, labels: [b]}}}", "node a, labels: is no mapping"),
    "unknown-node": (MINIMAL + "  links: [{endpoints: ['a:eth1', 'z:eth1']}]", "link 1: unknown node 'z'; known: a, b"),
    "host-without-its-end": (
        MINIMAL + "  links: [{type: host, endpoint: {node: a, interface: e}}]",
        "link 1: a link of type host needs host-interface",
    ),
    "no-endpoint": (MINIMAL + "  links: [{type: dummy}]", "link 1: a link of type dummy needs an endpoint"),
    "bad-mtu": (MINIMAL + "  links: [{endpoints: ['a:e', 'b:e'], mtu: big}]", "link 1: mtu 'big' is no number"),
    "bad-link-address": (
        MINIMAL + "  links: [{endpoints: ['a:e', 'b:e'], ipv4: [10.0.0.300/30]}]",
        "link 1: ipv4 '10.0.0.300/30' is no address",
    ),
    "bad-subnet": (
        "name: x\nmgmt: {ipv4-subnet: ten}\ntopology: {nodes: {a: {kind: linux}}}",
        "mgmt, ipv4-subnet: 'ten'",
    ),
    "links-a-mapping": (MINIMAL + "  links: {a: b}", "topology.links: is no list but {'a': 'b'}"),
    "exec-a-text": ("name: x\ntopology: {nodes: {a: {kind: linux, exec: ls}}}", "node a, exec: is no list but 'ls'"),
    "one-end": (MINIMAL + "  links: [{endpoints: ['a:eth1']}]", "link 1: endpoints must be a list of two"),
    "no-interface": (MINIMAL + "  links: [{endpoints: ['a', 'b:eth1']}]", "link 1: endpoint 'a' is neither"),
    "taken": (
        MINIMAL + "  links: [{endpoints: ['a:eth1', 'b:eth1']}, {endpoints: ['a:eth1', 'b:eth2']}]",
        "link 2: a:eth1 is already used by link 1",
    ),
    "to-itself": (MINIMAL + "  links: [{endpoints: ['a:eth1', 'a:eth1']}]", "link 1: a:eth1 is already used by link 1"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_say_where_and_why(tmp_path: Path, case: str) -> None:
    text, expected = BROKEN[case]
    with pytest.raises(TopologyError, match=re.escape(expected)) as raised:
        load(tmp_path, text)
    assert str(raised.value).startswith(str(tmp_path / "lab.clab.yml"))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="cannot be read"):
        load_topology(tmp_path / "none.yml", {})


def test_shipped_lab(ftth: Topology) -> None:
    assert ftth.name == "ftth"
    assert ftth.remarks == ()
    ends = [
        (f"{link.a.node}:{link.a.device_interface}", f"{link.b.node}:{link.b.device_interface}") for link in ftth.links
    ]
    assert ends == [
        ("sub1:eth1", "olt1:pon1"),
        ("sub2:eth1", "olt1:pon2"),
        ("olt1:uplink1", "sw1:Ethernet1"),
        ("sw1:Ethernet2", "r1:eth1"),
        ("r1:eth2", "core1:eth1"),
    ]
    assert {name: str(node.mgmt_ipv4) for name, node in ftth.nodes.items() if node.mgmt_ipv4} == {
        "olt1": "172.20.20.11",
        "sw1": "172.20.20.12",
        "r1": "172.20.20.13",
    }
    for name in ("olt1", "sw1", "r1"):
        startup = ftth.nodes[name].startup_config
        assert startup is not None
        assert startup.is_file()


@pytest.mark.shared
@needs_clab_data
def test_shipped_lab_passes_containerlabs_schema(ftth: Topology) -> None:
    schema = json.loads((SHARED_CLAB / "clab.schema.json").read_text(encoding="utf-8"))
    # Python's re knows no \p{...}; letters and digits of any script are what \w is without the underscore.
    portable = json.loads(json.dumps(schema).replace(r"[\\p{N}\\p{L}]", r"[^\\W_]"))
    raw = yaml.safe_load(expand(FTTH.read_text(encoding="utf-8"), {}, FTTH))
    jsonschema.validate(raw, portable)
    broken: dict[str, Any] = {**raw, "name": "-"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, portable)
    assert ftth.name == raw["name"]


@pytest.mark.shared
@needs_clab_data
def test_every_kind_of_containerlab_is_known() -> None:
    kinds = json.loads((SHARED_CLAB / "kinds.json").read_text(encoding="utf-8"))
    aliases = {alias for kind in kinds.values() for alias in kind["aliases"]}
    assert set(kinds) | aliases == KNOWN_KINDS
