"""Transactions as an engineer sees them: what was done, and what waits for a device and why."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.demo import bodies
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from tests.api.conftest import Platform, Start
from tests.api.test_drift import lastmile

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PATIENCE_S = 60.0


@pytest.fixture
def fresh(start: Start, tmp_path: Path) -> Iterator[Platform]:
    with start(tmp_path / "data") as running:
        yield running


def until(found: Callable[[], Any], what: str) -> Any:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        if answer := found():
            return answer
        time.sleep(0.02)
    pytest.fail(f"not within {PATIENCE_S:g} s: {what}")


def test_what_was_done_is_listed_newest_first(fresh: Platform) -> None:
    tree = fresh.client.follow(fresh.client.place(bodies.add()), timeout_s=PATIENCE_S)
    product = tree["productOrder"]["productOrderItem"][0]["product"]["id"]
    fresh.client.follow(fresh.client.place(bodies.upgrade(product)), timeout_s=PATIENCE_S)
    upgrade, add = fresh.client.get("/lastmile/v1/transaction")
    assert (upgrade["step"], add["step"]) == ("done", "done")
    assert (upgrade["devices"], add["devices"]) == (["olt1", "sw1"], ["olt1", "r1", "sw1"])
    assert [each["action"] for each in (*upgrade["member"], *add["member"])] == ["modify", "add"]
    assert upgrade["isFinished"]
    assert [each["id"] for each in fresh.client.get("/lastmile/v1/transaction?device=r1")] == [add["id"]]
    assert fresh.client.get("/lastmile/v1/transaction?unfinished=true") == []
    assert fresh.client.get("/lastmile/v1/transaction?sort=begun&limit=1&fields=step") == [
        {"id": add["id"], "step": add["step"]}
    ]
    assert fresh.client.get(f"/lastmile/v1/transaction?device=r1&member.service={add['member'][0]['service']}") == [add]
    steps = [each["step"] for each in fresh.client.get(f"/lastmile/v1/transaction/{add['id']}")["journal"]]
    assert steps == ["staging", "committing", "readingBack", "confirming", "done"]
    said = lastmile(fresh, "transactions", "--device", "r1")
    assert said.exit_code == 0, said.output
    for words in (add["id"], "done", "olt1, r1, sw1", f"add {add['member'][0]['service']}"):
        assert words in said.stdout
    assert lastmile(fresh, "transactions", "--unfinished").stdout == "none\n"


def on_the_router(fresh: Platform) -> tuple[EmbeddedLab, str]:
    """Place an order that the switch will refuse, and return it once the router has it."""
    lab = fresh.system.lab
    assert isinstance(lab, EmbeddedLab)
    before = fresh.configurations()
    lab.faults.set("sw1", Fault("commit_time", value=2.0))
    lab.faults.set("sw1", Fault("refuse_commit"))
    order = fresh.client.place(bodies.add())
    until(lambda: fresh.configurations()["r1"] != before["r1"], "the router has it")
    return lab, order


def test_a_rollback_that_waits_is_seen_everywhere(fresh: Platform) -> None:
    lab, order = on_the_router(fresh)
    lab.cut("r1")
    (waiting,) = until(
        lambda: [each for each in fresh.client.tree(order)["unfinishedTransaction"] if each["step"] == "rollingBack"],
        "the rollback waits",
    )
    assert "r1" in waiting["devices"]
    assert any("hardware has no room" in reason for reason in waiting["because"])
    monitor, service_order = until(lambda: _told(fresh, order), "monitor and order tell of it")
    (known,) = fresh.client.get("/lastmile/v1/transaction?unfinished=true")
    assert any(reason.startswith("r1: ") for reason in known["because"])
    assert (monitor["devices"], monitor["transaction"]) == (["r1"], waiting["id"])
    assert f"rolling back on r1 since {monitor['since']}" in service_order["text"]
    listed = fresh.client.get("/lastmile/v1/transaction?unfinished=true&device=r1")
    assert [each["id"] for each in listed] == [waiting["id"]]
    said = lastmile(fresh, "transactions", "--unfinished")
    assert "rollingBack" in said.stdout
    lab.restore("r1")
    tree = fresh.client.follow(order, timeout_s=PATIENCE_S)
    assert (tree["productOrder"]["state"], tree["unfinishedTransaction"]) == ("completed", [])
    assert not any("rollback" in each for each in tree["monitor"])
    assert not any("note" in each for each in tree["serviceOrder"])
    done, back = fresh.client.get("/lastmile/v1/transaction")
    assert (done["step"], back["step"], back["id"]) == ("done", "rolledBack", waiting["id"])


def _told(fresh: Platform, order: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return what the monitor tells of the rollback, and the note on the service order, once both are there."""
    tree = fresh.client.tree(order)
    told = [each["rollback"] for each in tree["monitor"] if "rollback" in each]
    notes = [note for each in tree["serviceOrder"] for note in each.get("note", ())]
    return (told[0], notes[0]) if told and notes else None
