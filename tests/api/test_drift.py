"""Somebody changes a device by hand; the platform says what, where, whose it is, and who did it."""

import json
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.demo import bodies
from api.drift_patrol import LOOK_S, DriftPatrol
from tests.api.by_hand import type_in
from tests.api.conftest import Platform
from tests.labs.embedded.netconf_client import logged_in

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

POLICY = "policy-map type quality-of-service lm-downstream"


@pytest.fixture(scope="module")
def vlan(platform: Platform) -> int:
    """Return the VLAN of one household's broadband."""
    order = platform.client.place(bodies.add())
    assert platform.client.follow(order, timeout_s=30.0)["productOrder"]["state"] == "completed"
    found = re.search(r"name ftth-(\d+)", platform.configurations()["sw1"])
    assert found
    return int(found[1])


def node(platform: Platform, name: str) -> Any:
    return next(each for each in platform.system.nodes if each.name == name)


def lastmile(platform: Platform, *words: str) -> Result:
    environment = {"LASTMILE_URL": platform.url, "LASTMILE_TOKEN": str(platform.system.first_token), "COLUMNS": "200"}
    return CliRunner().invoke(app, list(words), env=environment)


def until(done: Callable[[], bool]) -> None:
    deadline_s, pause = time.monotonic() + 20.0, threading.Event()
    while not done():
        assert time.monotonic() < deadline_s
        pause.wait(0.05)


def drift_of(platform: Platform, name: str) -> dict[str, Any]:
    (found,) = platform.client.get(f"/lastmile/v1/drift?device={name}")
    assert isinstance(found, dict)
    return found


def test_after_an_order_every_device_is_in_sync(platform: Platform, vlan: int) -> None:
    assert vlan
    found = platform.client.get("/lastmile/v1/drift")
    assert [(each["device"], each["state"], each["services"]) for each in found] == [
        ("olt1", "inSync", 1),
        ("r1", "inSync", 1),
        ("sw1", "inSync", 1),
    ]
    said = lastmile(platform, "drift")
    assert said.exit_code == 0, said.output
    assert said.stdout.count("inSync") == 3


def test_a_change_by_hand_is_named_with_its_owner_and_who_made_it(platform: Platform, vlan: int) -> None:
    switch = node(platform, "sw1")
    type_in(
        switch, f"vlan {vlan}", "name mine", POLICY, f"class lm-vlan-{vlan}", "police rate 7 mbps burst-size 70 kbytes"
    )
    found = drift_of(platform, "sw1")
    assert [(each["kind"], each["path"]) for each in found["deviations"]] == [
        ("changed", f"{POLICY} / class lm-vlan-{vlan} / police rate"),
        ("changed", f"vlan {vlan} / name"),
    ]
    named = found["deviations"][1]
    assert (named["running"], named["wanted"], named["policy"]) == ("name mine", f"name ftth-{vlan}", "report")
    (owner,) = named["owners"]
    assert owner["customer"] == "Ada Example"
    assert platform.client.get(f"/lastmile/v1/orderTree/{owner['productOrder']}")
    assert (found["changes"][0]["who"], found["changes"][0]["ours"]) == (switch.username, False)
    assert any(each["ours"] for each in found["changes"])
    said = lastmile(platform, "drift", "sw1", "--diff")
    assert said.exit_code == 1, said.output
    for words in (
        "drifted",
        f"vlan {vlan} / name: name mine instead of name ftth-{vlan}",
        "Ada Example",
        "+   name ftth",
    ):
        assert words in said.stdout
    assert json.loads(lastmile(platform, "drift", "sw1", "--json").stdout)[0]["diff"] == found["diff"]
    type_in(switch, f"vlan {vlan}", f"name ftth-{vlan}", POLICY, f"class lm-vlan-{vlan}", _police(found))
    assert drift_of(platform, "sw1")["state"] == "inSync"


def edited(person: Any, name: str, leaf: str) -> None:
    """Have a person at the OLT change an interface."""
    person.edit_config(
        target="candidate",
        config='<nc:config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">'
        '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">'
        f"<interface><name>{name}</name>{leaf}</interface></interfaces></nc:config>",
    )
    person.commit()


def test_the_olt_tells_who_changed_what(platform: Platform, vlan: int) -> None:
    assert vlan
    olt = node(platform, "olt1")
    found = re.search(r"<name>([^<]+)</name>\s*<type[^>]*>[\w-]*:?v-ani<", platform.configurations()["olt1"])
    assert found
    with logged_in(olt) as person:
        edited(person, found[1], "<enabled>false</enabled>")
        drift, said = drift_of(platform, "olt1"), lastmile(platform, "drift", "olt1")
        edited(person, found[1], '<enabled nc:operation="remove"/>')
        theirs = str(person.session_id)
    (deviation,) = drift["deviations"]
    changed = deviation["changedBy"]
    assert (changed["who"], changed["session"], changed["ours"]) == (olt.username, theirs, False)
    assert changed["paths"] == [deviation["path"]]
    assert changed["ownLogin"] is True
    assert changed["source"].startswith("127.")
    assert {each["ours"] for each in drift["changes"]} == {True, False}
    assert drift["tellsWho"] is True
    words = f"changed by {olt.username} (the login of this platform) from {changed['source']}, session {theirs}"
    assert words in said.stdout
    assert drift_of(platform, "olt1")["state"] == "inSync"


def test_drift_and_its_end_are_events(platform: Platform, vlan: int) -> None:
    router = node(platform, "r1")
    type_in(router, f"interface eth1.{vlan}", "shutdown")
    assert drift_of(platform, "r1")["deviations"][0]["kind"] == "foreign"
    drift_of(platform, "r1")
    type_in(router, f"interface eth1.{vlan}", "no shutdown")
    assert drift_of(platform, "r1")["state"] == "inSync"
    events = platform.client.get("/tmf-api/event/v4/topic/activation/event?limit=1000")
    told = [each for each in events if each["eventType"].startswith("DeviceDrift")]
    of_router = [each for each in told if each["event"]["deviceDrift"]["id"] == "r1"]
    assert [each["eventType"] for each in of_router] == ["DeviceDriftCreateEvent", "DeviceDriftStateChangeEvent"]
    assert of_router[0]["event"]["deviceDrift"]["deviations"][0]["path"] == f"interface eth1.{vlan} / shutdown"
    last = platform.client.get("/lastmile/v1/drift/r1")
    assert (last["state"], last["deviations"]) == ("inSync", [])


def test_the_last_check_is_told_without_asking_a_device(platform: Platform, vlan: int) -> None:
    router = node(platform, "r1")
    type_in(router, f"interface eth1.{vlan}", "shutdown")
    told = lastmile(platform, "drift", "r1")
    type_in(router, f"interface eth1.{vlan}", "no shutdown")
    assert "the device does not tell: FRR keeps no log of who configured it" in told.stdout
    said = lastmile(platform, "drift", "--last", "r1")
    assert said.exit_code == 1, said.output
    for words in ("r1", "drifted", f"interface eth1.{vlan} / shutdown", "Z"):
        assert words in said.stdout
    silent = drift_of(platform, "r1")
    assert (silent["tellsWho"], silent["whyNot"]) == (False, "FRR keeps no log of who configured it")
    assert lastmile(platform, "drift", "--last", "r1").exit_code == 0
    unknown = lastmile(platform, "drift", "--last", "sw9")
    assert unknown.exit_code == 2
    assert "olt1, r1, sw1" in unknown.output


def test_drift_is_found_without_anybody_asking(platform: Platform, vlan: int) -> None:
    def state() -> str:
        (found,) = (each for each in platform.client.get("/lastmile/v1/lastDrift") if each["device"] == "r1")
        return str(found["state"])

    router = node(platform, "r1")
    type_in(router, f"interface eth1.{vlan}", "shutdown")
    with DriftPatrol(watch=platform.system.drift, every_s=0.2):
        until(lambda: state() == "drifted")
        type_in(router, f"interface eth1.{vlan}", "no shutdown")
        until(lambda: state() == "inSync")


def test_the_patrol_asks_each_device_once_in_its_time(platform: Platform, vlan: int) -> None:
    assert vlan
    began = datetime.now(UTC)
    patrol = DriftPatrol(watch=platform.system.drift, every_s=3600.0, now=lambda: began + timedelta(hours=2))
    for _ in ("olt1", "r1", "sw1"):
        assert patrol.step() <= LOOK_S
    checked = platform.system.drift.checked_at()
    assert all(at >= began for at in checked.values())
    later = DriftPatrol(watch=platform.system.drift, every_s=3600.0)
    later.step()
    assert platform.system.drift.checked_at() == checked


def test_a_device_that_does_not_answer_is_no_drift(platform: Platform) -> None:
    assert platform.system.lab is not None
    platform.system.lab.cut("r1")
    try:
        said = lastmile(platform, "drift", "sw1", "r1")
    finally:
        platform.system.lab.restore("r1")
    assert said.exit_code == 2, said.output
    assert "unreadable" in said.stdout
    assert "inSync" in said.stdout


def test_unknown_devices_and_a_platform_that_is_away_are_errors(platform: Platform) -> None:
    unknown = lastmile(platform, "drift", "sw9")
    assert unknown.exit_code == 2
    assert "sw9" in unknown.output
    away = lastmile(platform, "drift", "--url", "http://127.0.0.1:9")
    assert away.exit_code == 2
    assert "is 'lastmile serve' running there?" in away.output


def test_the_whole_device_shows_what_nobody_ordered(platform: Platform) -> None:
    (found,) = platform.client.get("/lastmile/v1/drift?device=sw1&whole=true")
    assert found["state"] == "drifted"
    assert {each["kind"] for each in found["deviations"]} == {"foreign"}


def _police(found: dict[str, Any]) -> str:
    return str(found["deviations"][0]["wanted"])
