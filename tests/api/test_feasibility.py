"""What could be delivered where: the answer, and what then becomes of the same thing ordered in earnest."""

import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.paths import CHECKS
from tests.api.conftest import Platform, Start
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

ORDERS = "/tmf-api/serviceOrdering/v4/serviceOrder"
PATIENCE_S = 20.0
COPPER = "ADDR-1017"
SPEED: dict[str, Any] = {"downstreamMbps": 100, "upstreamMbps": 50}


def service(place: str = "ADDR-1015", specification: str = "internet-access", **values: Any) -> dict[str, Any]:
    return {
        "serviceSpecification": {"id": specification},
        "place": [{"id": place, "role": "installationAddress"}],
        "serviceCharacteristic": [{"name": name, "value": value} for name, value in values.items()],
    }


def asked(platform: Platform, wanted: dict[str, Any], *, alternatives: bool = False) -> dict[str, Any]:
    body = {"provideAlternative": alternatives, "serviceQualificationItem": [{"id": "1", "service": wanted}]}
    found: dict[str, Any] = platform.client.post(CHECKS, body)
    (item,) = found["serviceQualificationItem"]
    assert item["qualificationItemResult"] == found["qualificationResult"]
    return dict(item)


def ordered(platform: Platform, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the service order as it ended, or the refusal."""
    answer = platform.client.http.post(
        ORDERS, json={"serviceOrderItem": [{"id": "1", "action": "add", "service": wanted}]}
    )
    if answer.is_error:
        return dict(answer.json())
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        order: dict[str, Any] = platform.client.get(answer.json()["href"])
        if order["state"] in {"completed", "failed", "rejected"}:
            return order
        assert time.monotonic() < deadline_s, order


def labels(item: dict[str, Any]) -> list[str]:
    return [each["label"] for each in item.get("eligibilityUnavailabilityReason", ())]


def names(resources: list[dict[str, Any]]) -> list[str]:
    return sorted(each["name"] for each in resources)


def pools(platform: Platform) -> Any:
    return platform.client.get("/lastmile/v1/pool")


CASES: dict[str, dict[str, Any]] = {
    "one": service(ontSerialNumber="LMLE0000D001", **SPEED),
    "the same ONT again": service("ADDR-1016", ontSerialNumber="LMLE0000D001", **SPEED),
    "another": service("ADDR-1016", ontSerialNumber="LMLE0000D002", **SPEED),
    "nobody's place": service("ADDR-9999", ontSerialNumber="LMLE0000D003", **SPEED),
    "too fast": service(ontSerialNumber="LMLE0000D004", downstreamMbps=99_999, upstreamMbps=1),
    "no such thing": service(specification="fax"),
    "not by itself": service(specification="gpon-access"),
}


def test_what_is_qualified_completes_and_what_is_not_is_refused_for_the_same_reason(platform: Platform) -> None:
    results: dict[str, str] = {}
    for case, wanted in CASES.items():
        before = pools(platform)
        item = asked(platform, wanted)
        assert pools(platform) == before, case
        order = ordered(platform, wanted)
        results[case] = item["qualificationItemResult"]
        if results[case] == "qualified":
            assert order["state"] == "completed", (case, order)
            made = platform.client.get(order["serviceOrderItem"][0]["service"]["href"])
            parts = [platform.client.get(each["href"]) for each in made["supportingService"]]
            held = [each for part in parts for each in part["supportingResource"]]
            assert names(held) == names(item["service"]["supportingResource"]), case
        else:
            assert order.get("state") != "completed", case
            said = order.get("message") or str(order["errorMessage"])
            assert labels(item), case
            assert all(each in said for each in labels(item)), (case, labels(item), said)
    assert [case for case, result in results.items() if result == "qualified"] == ["one", "another"]


def test_a_place_is_enough_to_ask(platform: Platform) -> None:
    item = asked(platform, service("ADDR-1017"))
    assert item["qualificationItemResult"] == "qualified"
    assert item["lastmile"]["notConsidered"] == ["downstreamMbps", "upstreamMbps", "ontSerialNumber"]
    found = {each["resourceSpecification"]["id"]: each for each in item["service"]["supportingResource"]}
    port = {each["name"]: each["value"] for each in found["gpon-port"]["resourceCharacteristic"]}
    assert port["olt"] == "olt1"
    assert {each["kind"] for each in item["lastmile"]["free"]} == {"pon", "vlan", "address"}


def offered(platform: Platform, place: str, offering: str) -> dict[str, Any]:
    item = {"id": "1", "service": service(place, "dsl-internet-access"), "productOffering": {"id": offering}}
    found: dict[str, Any] = platform.client.post(CHECKS, {"serviceQualificationItem": [item]})
    return dict(found["serviceQualificationItem"][0])


def test_an_offering_is_judged_by_where_the_catalog_sells_it(platform: Platform) -> None:
    good = offered(platform, COPPER, "dsl-50")
    assert good["qualificationItemResult"] == "qualified", good
    assert good["lastmile"]["offering"] == [{"id": "dsl-50", "sold": True}]
    bad = offered(platform, "ADDR-1015", "dsl-50")
    reason = "'dsl-50' is not sold at 'ADDR-1015': no copper line ends here"
    assert (bad["qualificationItemResult"], reason in labels(bad)) == ("unqualified", True), bad
    assert bad["lastmile"]["offering"] == [{"id": "dsl-50", "sold": False, "reason": reason}]
    other = offered(platform, COPPER, "fibre-100")
    wrong = "productOffering.id: 'fibre-100' does not sell 'dsl-internet-access' (legal: dsl-50)"
    assert labels(other) == [wrong]
    plain = asked(platform, service("ADDR-1017"))
    assert {each["id"] for each in plain["lastmile"]["offering"] if each["sold"]} >= {"fibre-100", "fibre-1000"}


def test_what_waits_for_somebody_is_judged_as_if_that_were_done(platform: Platform) -> None:
    wanted = service("ADDR-1017", "installed-access", ontSerialNumber="LMLE0000D009", **SPEED)
    item = asked(platform, wanted)
    assert item["qualificationItemResult"] == "qualified"
    assert {each["resourceSpecification"]["id"] for each in item["service"]["supportingResource"]} >= {"vlan"}
    nowhere = service("ADDR-9999", "installed-access", ontSerialNumber="LMLE0000D009", **SPEED)
    assert "ADDR-9999" in labels(asked(platform, nowhere))[0]


def test_a_body_that_is_no_question_is_a_tmf_error(platform: Platform) -> None:
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"serviceQualificationItem": []},
        {"serviceQualificationItem": [{"service": {"place": "x"}}]},
    )
    for body in bodies:
        answer = platform.client.http.post(CHECKS, json=body)
        assert answer.status_code == 400
        assert "serviceQualificationItem" in answer.json()["message"]
    for odd in ({}, {"place": [{"id": "ADDR-1015", "role": "x"}]}, {"serviceSpecification": {"id": "internet-access"}}):
        assert asked(platform, odd, alternatives=True)["qualificationItemResult"] == "unqualified"


def test_the_command_says_it_in_words(platform: Platform) -> None:
    token = platform.client.http.headers["Authorization"].removeprefix("Bearer ")
    where = ("--url", platform.url, "--token", token)
    runner = CliRunner()
    good = runner.invoke(app, ["feasibility", "internet-access", "ADDR-1017", "--set", "upstreamMbps=5", *where])
    assert (good.exit_code, good.output.splitlines()[0]) == (0, "feasible")
    assert "gpon-port: olt1" in good.output
    bad = runner.invoke(app, ["feasibility", "internet-access", "ADDR-9999", "--alternatives", *where])
    assert bad.exit_code == 1
    assert "ADDR-9999" in bad.output


def test_a_question_leaves_nothing_behind_on_postgresql(postgres: PostgresServer, start: Start, tmp_path: Path) -> None:
    with start(tmp_path, database=postgres.new_database()) as platform:
        before = pools(platform)
        for wanted in (service(), CASES["one"], CASES["nobody's place"]):
            found = asked(platform, wanted, alternatives=True)
            assert (found["qualificationItemResult"] == "qualified") is (wanted is not CASES["nobody's place"])
        assert pools(platform) == before
        assert platform.client.get(ORDERS) == []
        assert platform.client.get("/tmf-api/event/v4/topic/service/event") == []
