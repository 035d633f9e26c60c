"""``lastmile catalog``: what a person and a program see."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from tests.orders.catalog.test_load import OFFERING, SHIPPED, changed, write

WIDE = {"COLUMNS": "200", "NO_COLOR": "1"}
ORDER = ("--place", "ADDR-1015", "--set", "ontSerialNumber=LMLE0000A015")


def run(*words: str, code: int = 0) -> str:
    answer = CliRunner().invoke(app, ["catalog", *words], env=WIDE)
    assert answer.exit_code == code, answer.output
    return answer.output


def nodes(tree: Any) -> Iterator[Any]:
    yield tree
    for child in tree.get("children", ()):
        yield from nodes(child)


@pytest.mark.parametrize("lab", ["ftth", "metro"])
def test_what_ships_is_right(lab: str) -> None:
    assert "0 errors, 0 warnings" in run("lint", "--lab", lab)


def test_a_wrong_catalog_ends_with_one(tmp_path: Path) -> None:
    folder = str(write(tmp_path, changed(SHIPPED, (*OFFERING, "price"), 1)))
    assert "error offerings.yaml: productOfferings[0].price: is not known here" in run("lint", folder, code=1)
    [finding] = json.loads(run("lint", folder, "--json", code=1))
    assert finding["path"] == "offerings.yaml: productOfferings[0].price"


def test_explain_goes_from_the_offering_to_the_devices() -> None:
    tree = json.loads(run("explain", "fibre-100", *ORDER, "--json"))
    found = [(each["kind"], each["id"]) for each in nodes(tree)]
    assert found[:4] == [
        ("offering", "fibre-100"),
        ("product", "broadband"),
        ("CFS", "internet-access"),
        ("RFS", "gpon-access"),
    ]
    assert [name for kind, name in found if kind == "device"] == ["olt1", "sw1", "r1"]
    values = next(each["values"] for each in nodes(tree) if each["id"] == "aggregation-transport")
    assert (values["burstKbytes"], values["vlanId"]) == (125, {"expression": "resource.vlan.vlanId"})


def test_a_person_sees_a_tree() -> None:
    text = run("explain", "fibre-100", *ORDER)
    assert "├── downstreamMbps 100" in text
    assert "from vlan pool subscriber-vlans" in text
    assert "template templates/frr/ip-edge.cfg.j2" in text


def test_mermaid_has_an_arrow_for_each_child() -> None:
    lines = run("explain", "fibre-100@1.0", "--mermaid").splitlines()
    assert lines[0] == "graph LR"
    assert len([line for line in lines if "-->" in line]) == len([line for line in lines if "[" in line]) - 1


def test_conditions_say_whether_they_hold(tmp_path: Path) -> None:
    rules = [{"when": "product.downstreamMbps > 500"}]
    folder = str(write(tmp_path, changed(SHIPPED, (*OFFERING, "eligibility"), rules)))
    assert "when product.downstreamMbps > 500 ✗ not here" in run("explain", "fibre-100", "--folder", folder)
    rules = [{"when": "place.technology == 'gpon'"}]
    folder = str(write(tmp_path, changed(SHIPPED, (*OFFERING, "eligibility"), rules)))
    assert "when place.technology == 'gpon' ?" in run("explain", "fibre-100", "--folder", folder)


WRONG = {
    "offering": (["fibre-9"], "no product offering 'fibre-9' (legal: dsl-50, fibre-10,"),
    "version": (["fibre-100@9"], "no product offering 'fibre-100@9'"),
    "place": (["fibre-100", "--place", "X"], "nobody knows 'X'; known: ADDR-1015"),
    "set": (["fibre-100", "--set", "x"], "--set: 'x' is not legal; legal: name=value"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_question_says_what_is_legal(case: str) -> None:
    words, expected = WRONG[case]
    answer = CliRunner().invoke(app, ["catalog", "explain", *words], env=WIDE)
    assert expected in str(answer.exception)
