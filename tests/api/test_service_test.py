"""A service is tested on demand on the embedded lab: configuration and state for real, traffic where there is none."""

import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.demo import bodies
from tests.api.by_hand import type_in
from tests.api.conftest import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

STATES = {"the ONT is up", "the VLAN forwards on both ports", "the sub-interface is up"}


@pytest.fixture(scope="module")
def tree(platform: Platform) -> dict[str, Any]:
    """Return one household's broadband, with all that its order caused."""
    found = platform.client.follow(platform.client.place(bodies.add()), timeout_s=30.0)
    assert found["productOrder"]["state"] == "completed"
    return found


@pytest.fixture(scope="module")
def product(tree: dict[str, Any]) -> str:
    return str(tree["productOrder"]["productOrderItem"][0]["product"]["id"])


def lastmile(platform: Platform, *words: str) -> Result:
    environment = {"LASTMILE_URL": platform.url, "LASTMILE_TOKEN": str(platform.system.first_token), "COLUMNS": "220"}
    return CliRunner().invoke(app, list(words), env=environment)


def outcome(platform: Platform, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lastmile(platform, "service", "test", key, "--json").stdout)
    return found


def results(found: dict[str, Any], level: str) -> dict[str, str]:
    return {each["name"]: each["state"] for each in found["result"] if each["level"] == level}


def test_the_order_itself_was_checked_before_its_confirm(tree: dict[str, Any]) -> None:
    checks = tree["monitor"][0]["plan"]["serviceChecks"]
    assert {each["state"] for each in checks if each["level"] == "L2"} == {"passed"}
    assert {each["name"] for each in checks} >= STATES


def test_configuration_and_state_are_looked_at_and_traffic_is_not_run(platform: Platform, product: str) -> None:
    said = lastmile(platform, "service", "test", product)
    assert said.exit_code == 0, said.output
    found = outcome(platform, product)
    assert (found["state"], found["serviceState"]) == ("passed", "active")
    configuration = [each for each in found["result"] if each["level"] == "L1"]
    assert [(each["device"], each["state"]) for each in configuration] == [
        (name, "passed") for name in ("olt1", "r1", "sw1")
    ]
    for each in configuration:
        matched = re.fullmatch(r"(\d+) of (\d+) nodes", each["measured"])
        assert matched
        assert matched[1] == matched[2]
    assert set(results(found, "L2").values()) == {"passed"}
    assert set(results(found, "L3").values()) == {"notRun"}
    assert {each["detail"] for each in found["result"] if each["level"] == "L3"} == {
        "no lab with packets and no measuring equipment is connected"
    }
    for words in ("as rendered", "the ordered speed downstream", "notRun", "oper-status of vani-"):
        assert words in said.stdout


def test_a_service_goes_by_many_names(platform: Platform, product: str) -> None:
    by_product = outcome(platform, product)
    service = platform.client.get(f"/tmf-api/ServiceActivationAndConfiguration/v4/service/{by_product['service']}")
    for key in (service["id"], service["supportingService"][0]["id"]):
        found = outcome(platform, key)
        assert (found["id"], found["service"], found["state"]) == (key, service["id"], "passed")


def test_what_a_person_did_to_it_is_found_where_it_was_done(platform: Platform, product: str) -> None:
    (vlan,) = re.findall(r"name ftth-(\d+)", platform.configurations()["sw1"])
    router = next(each for each in platform.system.nodes if each.name == "r1")
    type_in(router, f"interface eth1.{vlan}", "shutdown")
    try:
        said, found = lastmile(platform, "service", "test", product), outcome(platform, product)
    finally:
        type_in(router, f"interface eth1.{vlan}", "no shutdown")
    assert said.exit_code == 1, said.output
    wrong = {(each["level"], each["device"]): each["detail"] for each in found["result"] if each["state"] == "failed"}
    assert wrong["L1", "r1"] == f"foreign: interface eth1.{vlan} / shutdown"
    assert "nothing instead of" in wrong["L2", "r1"] or f"eth1.{vlan}: down instead of up" in wrong["L2", "r1"]
    assert {device for _, device in wrong} == {"r1"}
    assert outcome(platform, product)["state"] == "passed"


def test_a_neighbour_on_the_same_shared_section_is_no_deviation(platform: Platform, product: str) -> None:
    body = bodies.add("fibre-100", serial_number="LMLE0000A017", place_id="ADDR-1017")
    other = platform.client.follow(platform.client.place(body), timeout_s=30.0)
    assert other["productOrder"]["state"] == "completed"
    assert set(results(outcome(platform, product), "L1").values()) == {"passed"}


def test_a_device_that_does_not_answer_fails_its_checks(platform: Platform, product: str) -> None:
    assert platform.system.lab is not None
    platform.system.lab.cut("sw1")
    try:
        found = outcome(platform, product)
    finally:
        platform.system.lab.restore("sw1")
    assert {each["device"] for each in found["result"] if each["state"] == "failed"} == {"sw1"}


def test_an_unknown_id_is_told_what_is_legal(platform: Platform) -> None:
    said = lastmile(platform, "service", "test", "nonsense")
    assert said.exit_code == 2
    assert "unknown service 'nonsense'; legal: the id of a product" in said.output


def test_a_service_that_was_ceased_has_nothing_to_test(platform: Platform, product: str) -> None:
    platform.client.follow(platform.client.place(bodies.cease(product)), timeout_s=30.0)
    said = lastmile(platform, "service", "test", product)
    assert said.exit_code == 2
    assert "the service is terminated: not on the devices" in said.output
