"""Devices as an engineer sees them: what fails is left alone, and let back by a person or by time."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.client import ApiRefused
from api.demo import bodies
from tests.api.conftest import Platform, Start
from tests.api.test_drift import lastmile

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def fresh(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with start(tmp_path_factory.mktemp("devices") / "data") as running:
        yield running


def test_devices_are_listed_with_their_sessions_and_keys(fresh: Platform) -> None:
    fresh.client.follow(fresh.client.place(bodies.add()), timeout_s=PATIENCE_S)

    found = {each["name"]: each for each in fresh.client.get("/lastmile/v1/device")}
    assert {each["state"] for each in found.values()} == {"ok"}
    assert all(each["hostKey"].startswith("SHA256:") for each in found.values())
    assert all(1 <= each["sessions"]["open"] <= each["sessions"]["most"] for each in found.values())
    assert "admin" not in str(found["olt1"])

    said = lastmile(fresh, "device", "list")
    assert said.exit_code == 0, said.output
    assert all(name in said.stdout for name in ("olt1", "sw1", "r1", "ok", "of 4"))


def test_device_that_does_not_answer_is_left_alone_and_let_back_by_a_person(fresh: Platform) -> None:
    lab = fresh.system.lab
    assert lab is not None
    lab.cut("r1")
    for _ in range(6):
        with pytest.raises(ApiRefused, match="r1"):
            fresh.client.get("/lastmile/v1/device/r1/configuration")
    with pytest.raises(ApiRefused, match=r"quarantined until .* 'lastmile device release r1'"):
        fresh.client.get("/lastmile/v1/device/r1/configuration")
    shown = fresh.client.get("/lastmile/v1/device/r1")
    assert (shown["state"], shown["failures"] >= 3) == ("quarantined", True)
    assert "connect" in shown["lastError"]

    lab.restore("r1")
    said = lastmile(fresh, "device", "release", "r1")
    assert said.exit_code == 0, said.output
    assert "ok" in said.stdout
    assert fresh.client.http.get("/lastmile/v1/device/r1/configuration").is_success
    assert fresh.client.get("/lastmile/v1/device/r1")["failures"] == 0


def test_changed_host_key_is_refused_with_both_and_trusted_by_a_person(fresh: Platform) -> None:
    records = fresh.system.device_board.sessions.records
    true_key = fresh.client.get("/lastmile/v1/device/olt1")["hostKey"]
    fresh.system.device_board.sessions.forget("olt1")
    records.change("olt1", lambda state: type(state)(name="olt1", host_key="SHA256:another"))
    with pytest.raises(ApiRefused, match=re.escape(f"known is SHA256:another, the device shows {true_key}")):
        fresh.client.get("/lastmile/v1/device/olt1/configuration")

    assert fresh.client.get("/lastmile/v1/device/olt1")["refusedHostKey"] == true_key
    refused = lastmile(fresh, "device", "trust", "olt1", "--key", "SHA256:wrong")
    assert refused.exit_code != 0
    said = lastmile(fresh, "device", "trust", "olt1", "--key", true_key)
    assert said.exit_code == 0, said.output
    assert fresh.client.http.get("/lastmile/v1/device/olt1/configuration").is_success


def test_unknown_device_names_the_known_ones(fresh: Platform) -> None:
    with pytest.raises(ApiRefused, match="unknown device 'olt9'; known: olt1, r1, sw1"):
        fresh.client.post("/lastmile/v1/device/olt9/release", {})


def test_keys_are_the_same_after_a_restart(start: Start, tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        with start(tmp_path / "data", auth=False) as running:
            assert running.client.http.get("/lastmile/v1/device/olt1/configuration").is_success
            keys.append(running.client.get("/lastmile/v1/device/olt1")["hostKey"])
    assert keys[0] == keys[1] != ""
