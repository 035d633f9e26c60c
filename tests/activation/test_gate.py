"""What waits for people, what their approval is worth, and that nothing else is ever pushed."""

import dataclasses
from typing import Any

import pytest

from activation.drivers.fake import FakeNetwork
from activation.errors import AlreadyDecided, NotApprovable, OtherPlan
from activation.gate import ReviewGate
from activation.review import ReviewPolicy
from activation.states import MonitorState
from activation.store import REVIEWS, plan_edits
from activation.verdicts import Signature, approve, reject
from inventory.ledger import UnitOfWork
from inventory.store import Row
from tests.activation.rig import STOOD, DeviceList, Rig, fake_core, fake_device, fake_service, part

UNTOUCHED = dict.fromkeys("abc", STOOD)


@dataclasses.dataclass
class Alice:
    """Orders everything."""

    def author_of(self, uow: UnitOfWork, monitor_id: str, correlation_id: str) -> str:
        del uow, monitor_id, correlation_id
        return "alice"


def policy(require: str = "oneApprover", **when: Any) -> ReviewPolicy:
    return ReviewPolicy.model_validate({"rules": [{"name": "the rule", "when": when, "require": require}]})


def guard(rig: Rig, rules: ReviewPolicy) -> Rig:
    """Return the same database and devices behind a gate, as after a restart."""
    reach = rig.core.reach
    gate = ReviewGate(policy=rules, authors=Alice(), devices=reach.devices, platform_of=reach.platform)
    return Rig(core=dataclasses.replace(rig.core, gate=gate), database=rig.database)


@pytest.fixture
def guarded(rig: Rig) -> Rig:
    return guard(rig, policy())


def states(network: FakeNetwork) -> dict[str, str]:
    return {name: network.devices[name].running for name in "abc"}


def held(rig: Rig, service: dict[str, Any] | None = None) -> tuple[Row, Row]:
    """Return the monitor and the review of a request that waits."""
    monitor = rig.create(service or fake_service())
    assert monitor.state == MonitorState.IN_PROGRESS
    return monitor, review_of(rig, monitor)


def review_of(rig: Rig, monitor: Row) -> Row:
    with rig.database.read() as connection:
        return REVIEWS.get(connection, rig.monitor(monitor.id).task["reviewId"])


def review(rig: Rig, review_id: str) -> Row:
    with rig.database.read() as connection:
        return REVIEWS.get(connection, review_id)


def sign(rig: Rig, waiting: Row, actor: str = "bob", *, comment: str = "looks right", plan_hash: str = "") -> Row:
    with rig.database.begin() as uow:
        signature = Signature(actor=actor, plan_hash=plan_hash or waiting.document["planHash"], comment=comment)
        return approve(uow, waiting.id, signature)


def refuse(rig: Rig, waiting: Row, comment: str = "not tonight") -> Row:
    with rig.database.begin() as uow:
        return reject(uow, waiting.id, Signature(actor="bob", plan_hash=waiting.document["planHash"], comment=comment))


def test_a_plan_that_needs_people_touches_nothing_and_says_what_it_waits_for(
    guarded: Rig, network: FakeNetwork
) -> None:
    monitor, waiting = held(guarded)

    assert states(network) == UNTOUCHED
    assert waiting.state == "waiting"
    assert waiting.document["author"] == "alice"
    assert waiting.document["devices"] == ["a", "b", "c"]
    assert "'the rule' wants oneApprover" in waiting.document["because"]
    assert monitor.document["review"]["planHash"] == monitor.document["plan"]["planHash"]
    assert guarded.steps(monitor) == []


def test_what_waits_holds_no_device(guarded: Rig, network: FakeNetwork) -> None:
    held(guarded)
    assert [device.lock_holder for device in network.devices.values()] == [None] * 3
    assert [device.pending for device in network.devices.values()] == [{}] * 3


def test_approved_bytes_are_pushed_under_the_plan_that_was_approved(guarded: Rig, network: FakeNetwork) -> None:
    monitor, waiting = held(guarded)
    sign(guarded, waiting)
    done = guarded.run(monitor.id)

    assert done.state == MonitorState.COMPLETED
    assert network.devices["a"].running == STOOD + "port 7\n  set speed 100\nroute 7\n"
    plan = done.document["plan"]
    assert (plan["planId"], plan["planHash"]) == (waiting.document["planId"], waiting.document["planHash"])
    with guarded.database.read() as connection:
        assert plan["devices"][0]["edit"] == plan_edits(connection, plan["planId"])[0].edit
    assert done.document["review"]["state"] == "approved"
    assert review(guarded, waiting.id).document["decision"] == [
        {
            "state": "approved",
            "by": "bob",
            "comment": "looks right",
            "at": review(guarded, waiting.id).document["decision"][0]["at"],
            "planHash": plan["planHash"],
        }
    ]


def test_a_job_that_runs_again_while_people_think_changes_nothing(guarded: Rig, network: FakeNetwork) -> None:
    monitor, waiting = held(guarded)
    assert guarded.run(monitor.id).version == monitor.version
    assert review_of(guarded, monitor) == waiting
    assert states(network) == UNTOUCHED


def test_rejected_ends_with_name_and_comment_and_nothing_was_touched(guarded: Rig, network: FakeNetwork) -> None:
    monitor, waiting = held(guarded)
    refuse(guarded, waiting)

    ended = guarded.monitor(monitor.id)
    assert ended.state == MonitorState.IN_ERROR
    (error,) = ended.document["errorMessage"]
    assert (error["code"], error["message"]) == ("reviewRejected", "bob rejected the plan: not tonight")
    assert guarded.service("svc-7") is None
    assert review(guarded, waiting.id).state == "rejected"
    assert guarded.run(monitor.id).version == ended.version
    assert states(network) == UNTOUCHED


def test_another_hash_is_refused_and_the_right_one_named(guarded: Rig) -> None:
    _, waiting = held(guarded)
    with pytest.raises(OtherPlan, match=waiting.document["planHash"]):
        sign(guarded, waiting, plan_hash="0" * 64)
    assert review(guarded, waiting.id).state == "waiting"


def test_the_same_decision_twice_is_one_and_another_one_is_refused(guarded: Rig) -> None:
    _, waiting = held(guarded)
    first = sign(guarded, waiting)
    assert sign(guarded, waiting, "carol") == first
    with pytest.raises(AlreadyDecided, match="approved already: by bob"):
        refuse(guarded, waiting)


def test_four_eyes_are_two_people(rig: Rig, network: FakeNetwork) -> None:
    guarded = guard(rig, policy("fourEyes"))
    monitor, waiting = held(guarded)
    with pytest.raises(NotApprovable, match="'alice' ordered this change"):
        sign(guarded, waiting, "alice")
    sign(guarded, waiting, "bob")
    assert guarded.run(monitor.id).state == MonitorState.COMPLETED
    assert states(network) != UNTOUCHED


def test_nobody_named_cannot_be_the_second_pair_of_eyes(rig: Rig) -> None:
    guarded = guard(rig, policy("fourEyes"))
    _, waiting = held(guarded)
    with guarded.database.begin() as uow:
        row = REVIEWS.get(uow, waiting.id)
        REVIEWS.save(uow, row, dataclasses.replace(row, document={**row.document, "author": "anonymous"}))
    with pytest.raises(NotApprovable, match="--auth on"):
        sign(guarded, waiting, "anonymous")


def test_one_approver_may_be_the_author(guarded: Rig) -> None:
    monitor, waiting = held(guarded)
    sign(guarded, waiting, "alice")
    assert guarded.run(monitor.id).state == MonitorState.COMPLETED


def test_a_device_that_changed_since_is_not_given_what_was_approved(guarded: Rig, network: FakeNetwork) -> None:
    monitor, waiting = held(guarded)
    sign(guarded, waiting)
    network.devices["b"].running += "port 7\n  set speed 55\n"
    before = states(network)

    asked = guarded.run(monitor.id)

    assert asked.state == MonitorState.IN_PROGRESS
    assert states(network) == before
    old, new = review(guarded, waiting.id), review_of(guarded, monitor)
    assert (old.state, new.state) == ("superseded", "waiting")
    assert new.document["planHash"] != waiting.document["planHash"]
    assert "has changed since review" in asked.document["review"]["because"]
    with pytest.raises(AlreadyDecided, match="has changed since"):
        sign(guarded, waiting)
    sign(guarded, new)
    assert guarded.run(monitor.id).state == MonitorState.COMPLETED


def test_what_changed_elsewhere_on_the_device_does_not_matter(guarded: Rig, network: FakeNetwork) -> None:
    monitor, waiting = held(guarded)
    sign(guarded, waiting)
    network.devices["b"].running += "port 50\n  set speed 55\n"
    assert guarded.run(monitor.id).state == MonitorState.COMPLETED


def test_another_service_in_between_that_takes_a_part_over_is_asked_about(rig: Rig, network: FakeNetwork) -> None:
    guarded = guard(rig, policy(specification="line"))
    monitor, waiting = held(guarded)
    between = guarded.create(part("svc-8", "fake-port", device="a", number=7, speed=100))
    assert between.state == MonitorState.COMPLETED
    sign(guarded, waiting)

    assert guarded.run(monitor.id).state == MonitorState.IN_PROGRESS
    new = review_of(guarded, monitor)
    assert new.document["devices"] == ["b", "c"]
    assert new.document["risk"]["sharedServices"] == 1
    assert network.devices["b"].running == STOOD


def test_another_service_beside_it_does_not_matter(rig: Rig) -> None:
    guarded = guard(rig, policy(specification="line"))
    monitor, waiting = held(guarded)
    guarded.create(part("svc-8", "fake-port", device="a", number=8, speed=100))
    sign(guarded, waiting)
    assert guarded.run(monitor.id).state == MonitorState.COMPLETED


def test_a_milder_policy_lets_nothing_through_that_people_were_to_look_at(rig: Rig, network: FakeNetwork) -> None:
    monitor, waiting = held(guard(rig, policy()))
    restarted = guard(rig, ReviewPolicy())
    assert restarted.run(monitor.id).state == MonitorState.IN_PROGRESS
    sign(restarted, waiting)
    network.devices["b"].running += "port 7\n  set speed 55\n"
    assert restarted.run(monitor.id).state == MonitorState.IN_PROGRESS
    assert network.devices["a"].running == STOOD


def test_a_stricter_policy_wants_more_than_there_is(rig: Rig, network: FakeNetwork) -> None:
    monitor, waiting = held(guard(rig, policy()))
    sign(rig, waiting, "alice")
    restarted = guard(rig, policy("fourEyes"))
    assert restarted.run(monitor.id).state == MonitorState.IN_PROGRESS
    again = review_of(restarted, monitor)
    assert again.document["planHash"] == waiting.document["planHash"]
    assert "now wants fourEyes" in again.document["because"]
    assert states(network) == UNTOUCHED
    sign(restarted, again, "bob")
    assert restarted.run(monitor.id).state == MonitorState.COMPLETED


def test_approval_survives_a_restart_between_it_and_the_push(rig: Rig, network: FakeNetwork) -> None:
    monitor, waiting = held(guard(rig, policy()))
    sign(rig, waiting)
    fresh = fake_core(network)
    restarted = guard(Rig(core=fresh, database=rig.database), policy())
    assert restarted.run(monitor.id).state == MonitorState.COMPLETED
    fresh.close()


def test_an_activation_that_ends_otherwise_closes_its_review(guarded: Rig, network: FakeNetwork) -> None:
    monitor, waiting = held(guarded)
    guarded.core.reach.devices = DeviceList([fake_device("a")])
    assert guarded.run(monitor.id).state == MonitorState.IN_ERROR
    closed = review(guarded, waiting.id)
    assert closed.state == "superseded"
    assert "its activation ended" in closed.document["note"]
    assert states(network) == UNTOUCHED


def test_a_change_that_came_true_by_itself_needs_nobody(guarded: Rig, network: FakeNetwork) -> None:
    monitor, waiting = held(guarded)
    for device in network.devices.values():
        device.running += "port 7\n  set speed 100\nroute 7\n"
    assert guarded.run(monitor.id).state == MonitorState.COMPLETED
    assert review(guarded, waiting.id).state == "superseded"


def test_a_rule_about_deletes_knows_the_specification_of_what_goes(rig: Rig, network: FakeNetwork) -> None:
    guarded = guard(rig, policy(action="delete", specification="line"))
    assert guarded.create(fake_service()).state == MonitorState.COMPLETED
    monitor = guarded.terminate("svc-7")
    assert monitor.state == MonitorState.IN_PROGRESS
    assert review_of(guarded, monitor).document["risk"]["removedLines"] > 0
    assert network.devices["a"].running != STOOD


def test_a_rule_on_risk_holds_only_what_is_risky(rig: Rig) -> None:
    guarded = guard(rig, policy(min_unowned_nodes=1))
    assert guarded.create(fake_service()).state == MonitorState.COMPLETED
    risky = guarded.create(part("svc-1", "fake-port", device="a", number=1, speed=99))
    assert review_of(guarded, risky).document["risk"]["unownedNodes"] == 1


def test_what_may_wait_never_shares_a_transaction(rig: Rig) -> None:
    guarded = guard(rig, policy(min_unowned_nodes=1))
    member = guarded.core._intake.member
    ids = [guarded.accept(part(f"svc-{n}", "fake-port", device="a", number=n, speed=9)) for n in (11, 12)]
    arrivals = guarded.core._intake.arrivals([guarded.job(each, lambda _: None) for each in ids])
    assert [found.alone for arrival in arrivals if (found := member(arrival)) is not None] == [True, True]
