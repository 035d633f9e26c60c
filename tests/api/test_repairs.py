"""Devices and intended configuration are put together again, in either direction; what was done is undone."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.client import Client
from api.demo import bodies
from api.fsck.check import check
from labs.embedded.faults import Fault
from tests.api.by_hand import type_in
from tests.api.conftest import Platform, Start
from tests.api.test_drift import POLICY, drift_of, lastmile, node, until

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


def ceased(line: Line) -> str:
    """Cease the line; return the transaction that took it away."""
    tree = line.platform.client.follow(line.platform.client.place(bodies.cease(line.product)), timeout_s=PATIENCE_S)
    assert tree["productOrder"]["state"] == "completed"
    return str(line.platform.client.get("/lastmile/v1/transaction")[0]["id"])


def findings(line: Line) -> list[str]:
    with line.platform.system.database.read() as connection:
        return [f"{each.rule} {each.id}: {each.text}" for each in check(connection)]


def inventories(line: Line) -> dict[str, Any]:
    """Return what the inventories show, without what tells when."""
    client, changed = line.platform.client, {"startDate", "orderDate"}
    places = {
        "product": "/tmf-api/productInventory/v4/product",
        "service": "/tmf-api/serviceInventory/v4/service",
        "resource": "/tmf-api/resourceInventoryManagement/v4/resource",
    }
    return {
        name: {
            each["id"]: {key: value for key, value in each.items() if key not in changed} for each in client.get(place)
        }
        for name, place in places.items()
    }


def test_a_cease_is_undone_with_all_that_it_used_and_can_be_ordered_on(line: Line) -> None:
    before, shown = line.platform.configurations(), inventories(line)
    cease = ceased(line)
    gone = line.platform.configurations()
    assert gone != before
    rehearsed = lastmile(line.platform, "rollback", cease, "--dry-run")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert f"VLAN {line.vlan}" in rehearsed.stdout
    assert line.platform.configurations() == gone
    done = lastmile(line.platform, "rollback", cease)
    assert done.exit_code == 0, done.output
    assert line.platform.configurations() == before
    assert inventories(line) == shown
    assert in_sync(line)
    assert findings(line) == []
    line.upgrade()
    ceased(line)
    assert findings(line) == []


@pytest.mark.parametrize("same", ["ONT", "values"])
def test_a_cease_whose_values_are_taken_meanwhile_stays_and_names_who_has_them(line: Line, same: str) -> None:
    cease = ceased(line)
    client = line.platform.client
    order = bodies.add() if same == "ONT" else bodies.add(serial_number="LMLE0000BEEF")
    other = client.follow(client.place(order), timeout_s=PATIENCE_S)
    assert other["productOrder"]["state"] == "completed"
    holder = other["productOrder"]["id"] if same == "values" else "ontSerialNumber"
    before, shown = line.platform.configurations(), inventories(line)
    for wish in (["--dry-run"], []):
        refused = lastmile(line.platform, "rollback", cease, *wish)
        assert refused.exit_code == 1
        assert holder in str(refused.exception)
        assert "legal: order it anew" in str(refused.exception)
    assert line.platform.configurations() == before
    assert inventories(line) == shown
    assert findings(line) == []


def test_a_comeback_that_a_device_refuses_leaves_everything_as_it_was_and_can_be_asked_again(line: Line) -> None:
    full, cease = line.platform.configurations(), ceased(line)
    gone, shown = line.platform.configurations(), inventories(line)
    assert line.platform.system.lab is not None
    line.platform.system.lab.faults.set("sw1", Fault("refuse_commit"))
    assert lastmile(line.platform, "rollback", cease).exit_code == 1
    assert line.platform.configurations() == gone
    until(lambda: inventories(line) == shown)
    assert findings(line) == []
    line.platform.system.lab.faults.clear("sw1")
    assert lastmile(line.platform, "rollback", cease).exit_code == 0
    assert line.platform.configurations() == full
    assert findings(line) == []


def test_an_add_that_was_ceased_since_leaves_nothing_to_undo(line: Line) -> None:
    add = line.platform.client.get("/lastmile/v1/transaction")[0]["id"]
    ceased(line)
    refused = lastmile(line.platform, "rollback", add, "--with-later")
    assert refused.exit_code == 1
    assert "nothing of it is left" in str(refused.exception)


def test_adopting_is_reviewed_although_nothing_is_pushed(start: Start, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: [{name: adopts, when: {action: adopt}, require: oneApprover}]", encoding="utf-8")
    with start(tmp_path / "data", auth=False, review_policy=policy) as platform:
        client = platform.client
        client.follow(client.place(bodies.add()), timeout_s=PATIENCE_S)
        found = re.search(r"name ftth-(\d+)", platform.configurations()["sw1"])
        assert found
        type_in(node(platform, "sw1"), f"vlan {found[1]}", "name mine")
        monitor = client.post("/lastmile/v1/repair", {"action": "adopt", "subject": "sw1"})
        held = _until(client, monitor["href"], lambda told: "review" in told)
        assert held["state"] == "InProgress"
        review = client.get(held["review"]["href"])
        assert client.get("/lastmile/v1/drift?device=sw1")[0]["state"] == "drifted"
        client.post(f"{review['href']}/approve", {"planHash": review["planHash"], "comment": "fine"})
        _until(client, monitor["href"], lambda told: told["state"] == "Completed")
        assert client.get("/lastmile/v1/drift?device=sw1")[0]["state"] == "inSync"


def _until(client: Client, place: str, done: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
    deadline_s = time.monotonic() + PATIENCE_S
    while not done(told := client.get(place)):
        assert time.monotonic() < deadline_s, told
        time.sleep(0.02)
    found: Mapping[str, Any] = told
    return found


def test_the_same_repair_again_is_the_first_one(line: Line) -> None:
    client = line.platform.client
    type_in(node(line.platform, "sw1"), f"vlan {line.vlan}", "name mine")
    body, key = {"action": "reapply", "subject": "sw1"}, {"Idempotency-Key": "mend-sw1"}
    first = client.http.post("/lastmile/v1/repair", json=body, headers=key)
    assert first.status_code == 202, first.text
    _until(client, first.json()["href"], lambda told: told["state"] == "Completed")
    again = client.http.post("/lastmile/v1/repair", json=body, headers=key)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert again.headers["Location"] == first.headers["Location"]
    other = client.http.post("/lastmile/v1/repair", json={**body, "subject": "r1"}, headers=key)
    assert (other.status_code, first.json()["id"] in other.json()["message"]) == (422, True)
    nothing = client.http.post("/lastmile/v1/repair", json=body)
    assert nothing.status_code == 409, nothing.text


def test_a_body_that_says_nothing_is_refused(line: Line) -> None:
    for body in ({}, {"action": "mend", "subject": "sw1"}, {"action": "adopt", "subject": "sw1", "path": []}):
        answer = line.platform.client.http.post("/lastmile/v1/repair", json=body)
        assert answer.status_code == 400, answer.text
        assert "legal: " in answer.json()["message"]
