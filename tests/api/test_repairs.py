"""Devices and intended configuration are put together again, in either direction; what was done is undone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.demo import bodies
from tests.api.by_hand import type_in
from tests.api.conftest import Platform, Start
from tests.api.test_drift import POLICY, drift_of, lastmile, node

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One household's broadband."""

    platform: Platform
    vlan: int
    product: str

    def switch(self) -> str:
        return self.platform.configurations()["sw1"]

    def upgrade(self) -> str:
        """Order more speed; return the transaction that brought it."""
        tree = self.platform.client.follow(
            self.platform.client.place(bodies.upgrade(self.product)), timeout_s=PATIENCE_S
        )
        assert tree["productOrder"]["state"] == "completed"
        return str(self.platform.client.get("/lastmile/v1/transaction")[0]["id"])


@pytest.fixture
def line(start: Start, tmp_path: Path) -> Iterator[Line]:
    with start(tmp_path / "data") as platform:
        tree = platform.client.follow(platform.client.place(bodies.add()), timeout_s=PATIENCE_S)
        found = re.search(r"name ftth-(\d+)", platform.configurations()["sw1"])
        assert found
        product = tree["productOrder"]["productOrderItem"][0]["product"]["id"]
        yield Line(platform=platform, vlan=int(found[1]), product=product)


def in_sync(line: Line) -> bool:
    return all(each["state"] == "inSync" for each in line.platform.client.get("/lastmile/v1/drift"))


def test_what_somebody_changed_comes_back_after_a_dry_run(line: Line) -> None:
    before = line.switch()
    type_in(node(line.platform, "sw1"), f"vlan {line.vlan}", "name mine", POLICY, f"no class lm-vlan-{line.vlan}")
    rehearsed = lastmile(line.platform, "reconcile", "sw1", "--reapply", "--dry-run")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert f"+   name ftth-{line.vlan}" in rehearsed.stdout
    assert not in_sync(line)
    done = lastmile(line.platform, "reconcile", "sw1", "--reapply")
    assert done.exit_code == 0, done.output
    assert "Completed" in done.stdout
    assert line.switch() == before
    assert in_sync(line)


def test_foreign_configuration_goes_only_when_it_is_named(line: Line) -> None:
    before = line.platform.configurations()["r1"]
    type_in(node(line.platform, "r1"), f"interface eth1.{line.vlan}", "shutdown")
    refused = lastmile(line.platform, "reconcile", "r1", "--reapply")
    assert refused.exit_code == 1
    assert "shutdown" in line.platform.configurations()["r1"]
    done = lastmile(line.platform, "reconcile", "r1", "--reapply", "--remove", f"interface eth1.{line.vlan} / shutdown")
    assert done.exit_code == 0, done.output
    assert line.platform.configurations()["r1"] == before


def test_what_the_device_shows_is_adopted_and_nothing_is_pushed(line: Line) -> None:
    type_in(node(line.platform, "sw1"), f"vlan {line.vlan}", "name mine")
    type_in(node(line.platform, "r1"), f"interface eth1.{line.vlan}", "shutdown")
    before = line.platform.configurations()
    for device in ("sw1", "r1"):
        done = lastmile(line.platform, "reconcile", device, "--adopt")
        assert done.exit_code == 0, done.output
    assert line.platform.configurations() == before
    assert in_sync(line)
    assert len(line.platform.client.get("/lastmile/v1/transaction")) == 1
    type_in(node(line.platform, "r1"), f"interface eth1.{line.vlan}", "no shutdown")
    (missing,) = drift_of(line.platform, "r1")["deviations"]
    assert (missing["kind"], missing["owners"][0]["service"]) == ("missing", "baseline:r1")


def test_a_service_is_deployed_anew(line: Line) -> None:
    before = line.platform.configurations()
    type_in(node(line.platform, "sw1"), f"no vlan {line.vlan}")
    type_in(node(line.platform, "r1"), f"interface eth1.{line.vlan}", "description mine")
    (owner,) = drift_of(line.platform, "sw1")["deviations"][0]["owners"]
    done = lastmile(line.platform, "redeploy", owner["service"])
    assert done.exit_code == 0, done.output
    assert line.platform.configurations() == before
    assert in_sync(line)


def test_an_upgrade_is_undone_and_redone(line: Line) -> None:
    slow = line.platform.configurations()
    upgrade = line.upgrade()
    fast = line.platform.configurations()
    rehearsed = lastmile(line.platform, "rollback", upgrade, "--dry-run")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert "the product inventory still says" in rehearsed.stdout
    assert line.platform.configurations() == fast
    assert lastmile(line.platform, "rollback", upgrade).exit_code == 0
    assert line.platform.configurations() == slow
    assert in_sync(line)
    again = line.platform.client.get("/lastmile/v1/transaction")[0]
    assert again["member"][0]["action"] == "rollback"
    assert lastmile(line.platform, "rollback", again["id"]).exit_code == 0
    assert line.platform.configurations() == fast


def test_an_add_is_undone_with_all_that_was_built_on_it_and_put_back(line: Line) -> None:
    upgrade = line.upgrade()
    fast = line.platform.configurations()
    add = line.platform.client.get("/lastmile/v1/transaction")[1]["id"]
    refused = lastmile(line.platform, "rollback", add)
    assert refused.exit_code == 1
    assert upgrade in str(refused.exception)
    done = lastmile(line.platform, "rollback", add, "--with-later")
    assert done.exit_code == 0, done.output
    found = re.search(r"lastmile redeploy (\S+)'", done.stdout)
    assert found, done.stdout
    assert f"vlan {line.vlan}" not in line.switch()
    assert lastmile(line.platform, "redeploy", found[1]).exit_code == 0
    assert line.platform.configurations() == fast
    ended = line.platform.client.follow(line.platform.client.place(bodies.cease(line.product)), timeout_s=PATIENCE_S)
    assert ended["productOrder"]["state"] == "completed"


def test_a_body_that_says_nothing_is_refused(line: Line) -> None:
    for body in ({}, {"action": "mend", "subject": "sw1"}, {"action": "adopt", "subject": "sw1", "path": []}):
        answer = line.platform.client.http.post("/lastmile/v1/repair", json=body)
        assert answer.status_code == 400, answer.text
        assert "legal: " in answer.json()["reason"]
