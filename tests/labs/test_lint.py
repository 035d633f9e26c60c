"""Hints on topologies: our own rules, and containerlab's schema where somebody has it."""

from pathlib import Path

import pytest

from labs.errors import LabError
from labs.lint import Weight, lint
from labs.runtimes.places import shipped_labs
from labs.topology import load_topology
from tests.labs.topologies import LOOSE, TOPOLOGIES

SCHEMA = Path(__file__).parents[3] / "shared" / "clab" / "clab.schema.json"
needs_schema = pytest.mark.skipif(not SCHEMA.is_file(), reason="containerlab's schema is not beside the checkout")


def written(folder: Path, text: str) -> Path:
    (folder / "leaf.cfg").touch()
    file = folder / "lab.clab.yml"
    file.write_text(text.replace("{{dir}}", str(folder)), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_real_topologies_load(name: str, tmp_path: Path) -> None:
    file = written(tmp_path, TOPOLOGIES[name])
    topology = load_topology(file, {})
    cables = TOPOLOGIES[name].count("endpoints:") + TOPOLOGIES[name].count("endpoint:")
    assert len(topology.links) + len(topology.outside) == cables
    assert not [finding for finding in lint(file, {}) if finding.weight is Weight.ERROR]


@pytest.mark.shared
@needs_schema
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_the_official_schema_is_one_more_opinion(name: str, tmp_path: Path) -> None:
    found = lint(written(tmp_path, TOPOLOGIES[name]), {}, schema=SCHEMA)
    assert any(finding.rule == "schema" for finding in found) == (name in LOOSE), found


@pytest.mark.parametrize("lab", shipped_labs())
def test_shipped_labs_are_clean(lab: str) -> None:
    schema = SCHEMA if SCHEMA.is_file() else None
    assert lint(shipped_labs()[lab], {}, schema=schema) == ()


NODE = "name: x\ntopology:\n  nodes:\n    a: {{kind: linux, image: i, {}}}\n    b: {{kind: linux, image: i}}\n"
FINDINGS = {
    "unknown-field": (NODE.format("imge: x"), (Weight.WARNING, 4, "unknown", "did you mean 'image'?")),
    "unknown-kind": (
        "name: x\ntopology:\n  nodes:\n    a: {kind: linx, image: i}\n",
        (Weight.WARNING, 4, "unknown", "linx"),
    ),
    "address-twice": (
        NODE.format("mgmt-ipv4: 172.20.20.9").replace("b: {kind", "b: {mgmt-ipv4: 172.20.20.9, kind"),
        (Weight.ERROR, 4, "mgmt-ipv4", "belongs to 2 nodes"),
    ),
    "address-outside": (NODE.format("mgmt-ipv4: 10.0.0.9"), (Weight.WARNING, 4, "mgmt-ipv4", "outside the management")),
    "no-such-file": (NODE.format("startup-config: none.cfg"), (Weight.ERROR, 4, "startup-config", "does not exist")),
    "no-image": ("name: x\ntopology:\n  nodes:\n    a: {kind: ceos}\n", (Weight.HINT, 4, "image", "a: no image")),
    "our-label": (
        NODE.format("labels: {lastmile.rol: olt}"),
        (Weight.WARNING, 4, "label", "mean 'lastmile.role'"),
    ),
    "platform": (
        NODE.format("labels: {lastmile.platform: bbf_ol}"),
        (Weight.WARNING, 4, "platform", "did you mean 'bbf_olt'?"),
    ),
    "long-interface": (
        NODE.format("env: {}") + "  links:\n    - endpoints: ['a:abcdefghijklmnop', 'b:e']\n",
        (Weight.WARNING, 7, "interface", "longer than the 15 bytes"),
    ),
    "exec-of-numbers": (
        NODE.format("exec: [1]"),
        (Weight.WARNING, 4, "shape", "exec is [1], not a list"),
    ),
    "unused-kind": (
        "name: x\ntopology:\n  kinds:\n    ceos: {}\n  nodes:\n    a: {kind: linux, image: i}\n",
        (Weight.HINT, 4, "unused", "kind ceos is described"),
    ),
    "broken": ("name: x\ntopology:\n  nodes: [\n", (Weight.ERROR, 4, "loads", "not YAML")),
    "unknown-link-type": (
        NODE.format("env: {}") + "  links:\n    - {type: wire, endpoints: ['a:e', 'b:e']}\n",
        (Weight.WARNING, 7, "unknown", "unknown type 'wire'"),
    ),
}


@pytest.mark.parametrize("case", FINDINGS)
def test_findings(case: str, tmp_path: Path) -> None:
    text, (weight, line, rule, words) = FINDINGS[case]
    found = lint(written(tmp_path, text), {})
    assert any(
        (finding.weight, finding.line, finding.rule) == (weight, line, rule) and words in finding.text
        for finding in found
    ), found


def test_a_schema_that_is_none(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text("no json", encoding="utf-8")
    with pytest.raises(LabError, match=r"schema\.json is no JSON schema"):
        lint(written(tmp_path, TOPOLOGIES["two-routers"]), {}, schema=schema)
