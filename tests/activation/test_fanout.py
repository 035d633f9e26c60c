import threading

import pytest

from activation.errors import DeviceUnreachable, EditRefused, OutcomeUnknown
from activation.fanout import fan_out
from inventory.nornir_plugin import DeviceInventory
from tests.activation.rig import fake_device

DEVICES = [fake_device("a"), fake_device("b"), fake_device("c", "fake_line")]
PATIENCE_S = 5.0


def test_every_device_answers_in_order_with_a_value() -> None:
    answers = fan_out("read", DEVICES, str.upper, deadline_s=PATIENCE_S)

    assert [(name, answer.value, answer.error) for name, answer in answers.items()] == [
        ("a", "A", None),
        ("b", "B", None),
        ("c", "C", None),
    ]


def test_devices_run_at_the_same_time() -> None:
    together = threading.Barrier(len(DEVICES))

    answers = fan_out("read", DEVICES, lambda _: together.wait(PATIENCE_S), deadline_s=PATIENCE_S)

    assert {answer.value for answer in answers.values()} == {0, 1, 2}


def test_device_error_is_a_value_and_the_others_go_on() -> None:
    def work(name: str) -> str:
        if name == "b":
            raise EditRefused("b", "stage", "no")
        return name

    answers = fan_out("stage", DEVICES, work, deadline_s=PATIENCE_S)

    assert str(answers["b"].error) == "b: stage: no"
    assert (answers["a"].value, answers["c"].value) == ("a", "c")


@pytest.mark.parametrize(("phase", "kind"), [("read", DeviceUnreachable), ("commit", OutcomeUnknown)])
def test_bug_in_a_driver_is_an_error_of_its_device(phase: str, kind: type[Exception]) -> None:
    answers = fan_out(phase, DEVICES[:1], lambda name: name[99], deadline_s=PATIENCE_S)

    assert isinstance(answers["a"].error, kind)
    assert "unexpected IndexError" in str(answers["a"].error)


@pytest.mark.parametrize(("phase", "kind"), [("stage", DeviceUnreachable), ("confirm", OutcomeUnknown)])
def test_device_that_hangs_is_left_behind(phase: str, kind: type[Exception]) -> None:
    release = threading.Event()

    def work(name: str) -> bool:
        return name != "b" or release.wait(PATIENCE_S)

    answers = fan_out(phase, DEVICES, work, deadline_s=0.05)
    release.set()

    assert (answers["a"].value, answers["c"].value) == (True, True)
    assert answers["b"].abandoned
    assert isinstance(answers["b"].error, kind)
    assert "no answer within 0.05 s" in str(answers["b"].error)


def test_device_that_failed_is_asked_again_by_the_next_run() -> None:
    asked: list[str] = []

    def work(name: str) -> None:
        asked.append(name)
        raise DeviceUnreachable(name, "read", "gone")

    for _ in range(2):
        answers = fan_out("read", DEVICES, work, deadline_s=PATIENCE_S)
        assert all(answer.error for answer in answers.values())
    assert sorted(asked) == ["a", "a", "b", "b", "c", "c"]


def test_no_device_is_no_answer() -> None:
    assert fan_out("read", [], str.upper, deadline_s=PATIENCE_S) == {}


def test_inventory_plugin_carries_the_device_into_nornir() -> None:
    inventory = DeviceInventory(DEVICES).load()

    host = inventory.hosts["c"]
    assert (host.hostname, host.port, host.platform, host.groups[0].name) == ("127.0.0.1", 1, "fake_line", "box")
    assert "hidden-word" not in repr(host)
