"""The containerlab runtime: what it asks of the tool, and the real tool where it is installed."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from labs.contracts import DeployOptions
from labs.errors import LabNotRunning, LabStartError, NotInThisRuntime, ToolFailed, UnknownLabNode
from labs.runtimes.containerlab import TOOL, ContainerlabRuntime
from labs.topology import Topology, load_topology

RUNTIME = ContainerlabRuntime()
RECORDING = Path(__file__).with_name("recording_containerlab.py")
Calls = Callable[[], list[list[str]]]


@pytest.fixture
def lab(tmp_path: Path) -> Topology:
    file = tmp_path / "lab.clab.yml"
    text = (
        "name: real\ntopology:\n  nodes:\n"
        "    sw1: {kind: ceos, image: 'ceos:4.32.0F'}\n"
        "    olt1: {kind: linux, image: lastmile/olt, labels: {lastmile.platform: bbf_olt}}\n"
        "    pc1: {kind: linux, image: alpine}\n"
    )
    file.write_text(text, encoding="utf-8")
    return load_topology(file, {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "labs" / "clab-real"


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Put the recording tool on PATH; return what was asked of it since the last time."""
    tool = tmp_path / "bin" / TOOL
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} {RECORDING} "$@"\n', encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("RECORDING_CONTAINERLAB", str(tool.parent))

    def recorded() -> list[list[str]]:
        file = tool.parent / "calls.jsonl"
        found = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        file.unlink()
        assert {call["base"] for call in found} == {str(tmp_path / "labs")}
        return [call["words"] for call in found]

    return recorded


@pytest.mark.slow
def test_the_tool_is_called_with_its_own_options(lab: Topology, folder: Path, calls: Calls) -> None:
    file = str(lab.path)
    nodes = {node.name: node for node in RUNTIME.deploy(lab, DeployOptions(folder=folder))}
    look = ["inspect", "-t", file, "-f", "json"]
    assert calls() == [look, ["deploy", "-t", file, "--node-filter", "sw1,olt1,pc1"], look]
    assert {name: (node.platform, node.address, dict(node.ports)) for name, node in nodes.items()} == {
        "sw1": ("arista_eos", "172.20.20.2", {"ssh": 22}),
        "olt1": ("bbf_olt", "172.20.20.3", {"netconf": 830}),
        "pc1": ("", "172.20.20.4", {}),
    }
    assert (nodes["sw1"].username, nodes["sw1"].password) == ("admin", "admin")

    assert RUNTIME.deploy(lab, DeployOptions(folder=folder)) == tuple(nodes.values())
    assert calls() == [look, look]
    RUNTIME.deploy(lab, DeployOptions(folder=folder, reconfigure=True))
    assert calls()[0] == ["deploy", "-t", file, "--node-filter", "sw1,olt1,pc1", "--reconfigure"]

    done = RUNTIME.exec(lab, folder, "pc1", "ip address")
    assert (done.stdout, done.return_code) == ("ran ip address\n", 3)
    assert calls() == [["exec", "-t", file, "--label", "clab-node-name=pc1", "--cmd", "ip address", "-f", "json"]]
    RUNTIME.save(lab, folder)
    assert calls()[-1] == ["save", "-t", file]
    assert RUNTIME.destroy(lab, folder, cleanup=True)
    assert calls() == [["destroy", "-t", file, "--cleanup"]]
    assert not folder.exists()
    with pytest.raises(LabNotRunning):
        RUNTIME.inspect(lab, folder)


@pytest.mark.slow
def test_what_the_tool_says_when_it_fails(lab: Topology, folder: Path, calls: Calls, tmp_path: Path) -> None:
    (tmp_path / "bin" / "fail").touch()
    with pytest.raises(ToolFailed, match=r"containerlab inspect .* exit status 1: .*not in group clab_admins"):
        RUNTIME.deploy(lab, DeployOptions(folder=folder))
    assert len(calls()) == 1


def test_without_the_tool_it_says_how_to_get_it(lab: Topology, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (lack,) = RUNTIME.missing(lab)
    assert lack.fatal
    with pytest.raises(LabStartError, match=r"no containerlab on PATH .*; runtime embedded needs neither"):
        RUNTIME.deploy(lab, DeployOptions(folder=folder))
    assert not RUNTIME.destroy(lab, folder, cleanup=True)


def test_what_it_cannot_do(lab: Topology, folder: Path) -> None:
    with pytest.raises(NotInThisRuntime, match="runtime containerlab: faults: its devices are real ones"):
        RUNTIME.faults(lab, folder)
    with pytest.raises(UnknownLabNode):
        RUNTIME.exec(lab, folder, "zz", "true")


@pytest.mark.lab
@pytest.mark.skipif(
    shutil.which(TOOL) is None, reason="containerlab is not installed (https://containerlab.dev/install)"
)
def test_the_real_tool(lab: Topology, folder: Path) -> None:
    alone = replace(lab, nodes={"pc1": lab.nodes["pc1"]})
    nodes = RUNTIME.deploy(alone, DeployOptions(folder=folder))
    try:
        assert [node.name for node in nodes] == ["pc1"]
        assert RUNTIME.exec(alone, folder, "pc1", "true").return_code == 0
    finally:
        RUNTIME.destroy(alone, folder, cleanup=True)
