from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import templates
from activation.check_run import ServiceChecks
from activation.checks import Answer, Check, CheckState, NoProbes, Probes, failed, load_checks
from activation.errors import BadChecks
from inventory.documents import characteristic_list

SHIPPED = Path(templates.__file__).parent / "checks.yaml"
PING = Check(name="pings", level="L3", probe="ping", arguments={"ont": "ontSerialNumber"})
SPEED = Check(name="speed", level="L3", probe="speed", arguments={"mbps": "mbps"}, moments=frozenset({"onDemand"}))
SERVICE: dict[str, Any] = {
    "id": "cfs",
    "serviceSpecification": {"id": "internet-access"},
    "supportingService": [
        {
            "id": "rfs",
            "serviceSpecification": {"id": "ip-edge"},
            "serviceCharacteristic": characteristic_list({"ontSerialNumber": "LMLE0000A015"}),
        }
    ],
}


class OneAnswer:
    def __init__(self, *, is_good: bool) -> None:
        self.is_good = is_good
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def lacks(self, probe: str) -> str:
        return "" if probe == "ping" else f"no {probe} here"

    def run(self, probe: str, arguments: Mapping[str, Any]) -> Answer:
        self.asked.append((probe, arguments))
        return Answer(is_good=self.is_good, detail="seen")


def _checks(probes: Probes) -> ServiceChecks:
    return ServiceChecks(by_specification={"internet-access": [SPEED], "ip-edge": [PING]}, probes=probes)


@pytest.mark.parametrize(("is_good", "state"), [(True, CheckState.PASSED), (False, CheckState.FAILED)])
def test_a_part_is_checked_with_its_characteristics(*, is_good: bool, state: CheckState) -> None:
    probes = OneAnswer(is_good=is_good)
    [result] = _checks(probes).run([SERVICE], "beforeConfirm")
    assert (result.service_id, result.state, result.detail) == ("rfs", state, "seen")
    assert probes.asked == [("ping", {"ont": "LMLE0000A015"})]
    assert len(failed([result])) == (not is_good)


def test_what_nobody_can_probe_is_not_run_and_speaks_against_nobody() -> None:
    results = _checks(NoProbes(why="no packets here")).run([SERVICE], "onDemand")
    assert {(each.name, each.state) for each in results} == {
        ("pings", CheckState.NOT_RUN),
        ("speed", CheckState.NOT_RUN),
    }
    assert {each.detail for each in results} == {"no packets here", "the service has no mbps"}
    assert failed(results) == ()


def test_a_service_out_of_service_is_not_checked() -> None:
    probes = OneAnswer(is_good=False)
    assert _checks(probes).run([{**SERVICE, "state": "inactive"}], "beforeConfirm") == ()
    assert probes.asked == []


def test_the_shipped_checks_can_be_used() -> None:
    checks = load_checks(SHIPPED)
    assert {check.level for each in checks.values() for check in each} == {"L2", "L3"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("ip-edge: [{name: x}]", "ip-edge.0.level"), ("ip-edge: 1", "ip-edge"), ("a: [", "while parsing")],
)
def test_a_wrong_file_names_the_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "checks.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadChecks, match=said):
        load_checks(file)
