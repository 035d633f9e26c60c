"""``lastmile lab …`` as people type it."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from labs.errors import LabError, LabNotRunning
from labs.runtimes.places import Places, shipped_labs, topology_file
from tests.docs.generate import DOCS

FREE = ["--ssh-port", "0", "--netconf-port", "0"]
HOW_TO = (DOCS / "how-to" / "labs.md").read_text(encoding="utf-8")
SHELL = re.compile(r"<!-- shell: lab -->\n```sh\n(.*?)```", re.DOTALL)


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CLAB_LABDIR_BASE", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    yield
    if (tmp_path / "state").exists():
        run("destroy", "--all", "--cleanup")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["lab", *words])


def said(*words: str) -> str:
    done = run(*words)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


@pytest.mark.lab
def test_from_deploy_to_destroy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = said("deploy", "-t", "ftth", *FREE)
    assert "ftth is up after" in shown
    assert "! nodes sub1, sub2, core1: no platform speaks to them" in shown
    (containers,) = json.loads(said("inspect", "-t", "ftth", "-f", "json")).values()
    assert [each["name"] for each in containers][:3] == ["clab-ftth-olt1", "clab-ftth-sw1", "clab-ftth-r1"]

    monkeypatch.chdir(tmp_path)
    assert "FRRouting" in said("exec", "--node", "r1", "--cmd", "show version")
    assert list(json.loads(said("inspect", "--all", "-f", "json"))) == ["ftth"]
    assert "here/clab-ftth/saved/olt1.cfg" in said("save").replace("\n", "")
    assert said("destroy", "--cleanup") == "ftth: destroyed\n"
    assert list((tmp_path / "here").iterdir()) == []
    assert said("destroy", "-t", "ftth") == "ftth: was not deployed\n"
    assert said("inspect", "--all") == "no lab is deployed\n"


@pytest.mark.lab
def test_faults(tmp_path: Path) -> None:
    file = tmp_path / "trouble.yml"
    file.write_text("- {node: sw1, kind: refuse_commit, times: 2}\n", encoding="utf-8")
    said("deploy", "-t", "ftth", *FREE, "--faults", str(file), "--node-filter", "sw1")
    assert "sw1: refuse_commit, 2 times" in said("fault", "--list")
    assert said("fault", "sw1", "latency", "--param", "0.5") == "sw1: latency 0.5, always\n"
    assert said("fault", "sw1", "refuse_commit", "--times", "0") == "sw1: refuse_commit is off\n"
    listed = said("fault", "--list")
    assert "sw1: latency 0.5, always" in listed
    assert "refuse_commit, 2" not in listed


@pytest.mark.lab
@pytest.mark.parametrize("number", range(len(SHELL.findall(HOW_TO))))
def test_the_how_to_works(number: int) -> None:
    said("deploy", "-t", "ftth", *FREE)
    for line in SHELL.findall(HOW_TO)[number].splitlines():
        program, group, *words = shlex.split(line)
        assert (program, group) == ("lastmile", "lab")
        said(*words, *(FREE if words[0] == "deploy" else []))


def test_the_faults_of_the_how_to_are_legal(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(- \{node: sw1, kind: refuse_commit.*?)```", HOW_TO, re.DOTALL)
    file = tmp_path / "faults.yml"
    file.write_text(text, encoding="utf-8")
    assert run("deploy", "-t", "none", "--faults", str(file)).exit_code == 1


GRAPHS = {
    "mermaid": ('n0["olt1<br/><i>olt bbf_olt</i>"]', 'n1 -- "Ethernet2 · eth1" --- n2'),
    "dot": ('"olt1" -- "sw1" [taillabel="uplink1", headlabel="Ethernet1"];', 'graph "ftth" {'),
    "svg": ("<svg xmlns=", ">uplink1</text>"),
    "html": ("<!doctype html>", ">olt1</text>"),
}


@pytest.mark.parametrize("kind", GRAPHS)
def test_graphs(kind: str, tmp_path: Path) -> None:
    picture = said("graph", "-t", "ftth", "-f", kind)
    for piece in GRAPHS[kind]:
        assert piece in picture
    said("graph", "-t", "ftth", "-f", kind, "-o", str(tmp_path / "picture"))
    assert (tmp_path / "picture").read_text(encoding="utf-8") == picture


REFUSED = {
    "no-file": (["inspect"], "no topology file at .; name one with -t FILE; labs that come with lastmile:"),
    "no-such-lab": (["inspect", "-t", "fttx"], "no topology file at fttx"),
    "not-deployed": (["inspect", "-t", "ftth"], "lab ftth is not deployed"),
    "unknown-runtime": (["deploy", "-t", "ftth", "--runtime", "vm"], "unknown runtime 'vm'; legal: embedded"),
    "unknown-node": (["deploy", "-t", "ftth", "--node-filter", "zz"], "--node-filter: unknown node zz; known: core1"),
    "no-faults-file": (["deploy", "-t", "ftth", "--faults", "none.yml"], "none.yml: cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_what_is_legal(case: str) -> None:
    words, expected = REFUSED[case]
    done = run(*words)
    assert isinstance(done.exception, LabError)
    assert expected in str(done.exception)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", "is no list; legal: - {node: sw1"),
        ("- sw1", "fault 1: is no mapping"),
        ("- {node: sw1}", "fault 1: node and kind must be there; legal keys: node, kind, times, value"),
        ("- {node: sw1, kind: latency, wait: 1}", "fault 1: unknown key wait"),
        ("- {node: sw1, kind: latency, times: often}", "fault 1: times is a whole number"),
    ],
)
def test_a_faults_file_that_is_wrong(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "faults.yml"
    file.write_text(text, encoding="utf-8")
    done = run("deploy", "-t", "ftth", "--faults", str(file))
    assert expected in str(done.exception)


def test_a_deployed_lab_that_went_with_its_folder_is_forgotten(tmp_path: Path) -> None:
    places = Places.of({"XDG_STATE_HOME": str(tmp_path)}, tmp_path)
    places.remember("gone", tmp_path / "clab-gone")
    assert places.deployed() == {}
    assert places.folder("gone") == tmp_path / "clab-gone"
    with pytest.raises(LabNotRunning):
        raise run("inspect", "-t", "ftth").exception or AssertionError


def test_topologies_are_found(tmp_path: Path) -> None:
    file = tmp_path / "one.clab.yml"
    file.touch()
    assert topology_file(tmp_path, Path()) == file
    assert topology_file(None, tmp_path) == file
    assert topology_file(Path("ftth"), tmp_path) == shipped_labs()["ftth"]
    (tmp_path / "two.clab.yaml").touch()
    with pytest.raises(LabError, match=r"holds one\.clab\.yml, two\.clab\.yaml; name one with -t FILE"):
        topology_file(None, tmp_path)


@pytest.mark.slow
def test_the_command_needs_nothing_of_the_platform() -> None:
    program = (
        "import sys; sys.argv=['lastmile','lab','--help']; import api.main\n"
        "try: api.main.main()\n"
        "finally: print('HEAVY', {'asyncssh', 'napalm', 'sqlalchemy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "HEAVY set()" in done.stdout
    assert "deploy" in done.stdout
