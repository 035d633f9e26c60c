import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from labs.errors import TopologyError
from labs.kinds import KNOWN_KINDS, device_interface
from labs.topology import Topology, expand, load_topology
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


def test_other_link_types_are_remarked(tmp_path: Path) -> None:
    topology = load(tmp_path, f"{MINIMAL}  links:\n    - {{type: host, endpoint: {{node: a, interface: eth1}}}}\n")
    assert topology.links == ()
    assert topology.remarks == ("link 1: type 'host' is left out; known: veth",)


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
    "unknown-field": ("name: x\ntopolgy: {}", "unknown field 'topolgy'; known: debug, mgmt, name"),
    "no-nodes": ("name: x\ntopology: {nodes: {}}", "topology.nodes: there is no node"),
    "nodes-a-list": ("name: x\ntopology: {nodes: [a]}", "topology.nodes: is no mapping but ['a']"),
    "no-kind": ("name: x\ntopology: {nodes: {a: {}}}", "node a: has no kind"),
    "bad-address": ("name: x\ntopology: {nodes: {a: {kind: linux, mgmt-ipv4: 1.2.3}}}", "node a: mgmt-ipv4 '1.2.3'"),
    "bad-labels": ("name: x\ntopology: {nodes: {a: {kind: linux, labels: [b]}}}", "node a, labels: is no mapping"),
    "unknown-node": (MINIMAL + "  links: [{endpoints: ['a:eth1', 'z:eth1']}]", "link 1: unknown node 'z'; known: a, b"),
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
