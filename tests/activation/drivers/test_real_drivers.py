"""What the real drivers make of a device that refuses, breaks the line, hangs, or is not there."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from activation.contracts import Driver
from activation.errors import DeviceUnreachable, EditRefused, OutcomeUnknown
from activation.model import DeviceEdit
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from tests.activation.drivers.benches import TOKEN, Bench, lab_bench

pytestmark = pytest.mark.lab

PROMPT_S = 5.0
"""Half of what NAPALM waits for a lock."""
OWN_WORDS = {"olt1": "no-such", "sw1": "% Invalid input", "r1": "% Unknown command"}


@pytest.fixture(params=["olt1 netconf", "olt1 netconf-fast", "sw1", "r1"])
def bench(request: pytest.FixtureRequest, lab: EmbeddedLab) -> Bench:
    return lab_bench(lab, *request.param.split())


@pytest.fixture
def driver(bench: Bench) -> Iterator[Driver]:
    session = bench.open()
    yield session
    session.close()


@pytest.fixture
def start(bench: Bench, lab: EmbeddedLab) -> Iterator[str]:
    configuration = bench.configuration()
    yield configuration
    lab.faults.clear(bench.device.name)
    assert bench.configuration() == configuration


def test_refused_line_is_told_in_the_devices_own_words(bench: Bench, driver: Driver, start: str) -> None:
    edit = bench.bad_edit(driver)

    with pytest.raises(EditRefused, match=OWN_WORDS[bench.device.name]) as refused:
        push(driver, replace(edit, inverse=bench.edit(driver).inverse))

    assert refused.value.device == bench.device.name
    assert bench.configuration() == start


def test_session_is_good_for_the_next_change_after_a_refusal(bench: Bench, driver: Driver, start: str) -> None:
    edit = bench.edit(driver)
    with pytest.raises(EditRefused):
        push(driver, replace(bench.bad_edit(driver), inverse=edit.inverse))

    push(driver, edit)
    driver.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    assert bench.configuration() == start


def test_refused_commit_leaves_nothing_live(bench: Bench, driver: Driver, lab: EmbeddedLab, start: str) -> None:
    edit = bench.edit(driver)
    lab.faults.set(bench.device.name, Fault("refuse_commit"))
    with pytest.raises(EditRefused):
        push(driver, edit)

    driver.discard()
    assert bench.configuration() == start


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before_commit", "hang_in_commit"])
def test_lost_answer_to_a_commit_is_an_unknown_outcome(fault: str, bench: Bench, lab: EmbeddedLab, start: str) -> None:
    impatient = replace(bench, device=replace(bench.device, timeout_s=0.5))
    driver = impatient.open()
    edit = bench.edit(driver)
    lab.faults.set(bench.device.name, Fault(fault))
    with pytest.raises(OutcomeUnknown):
        push(driver, edit)
    driver.close()

    recovering = bench.open()
    recovering.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    recovering.close()
    assert bench.configuration() == start


def test_rollback_that_the_device_refuses_is_not_hidden(
    bench: Bench, driver: Driver, lab: EmbeddedLab, start: str
) -> None:
    edit = bench.edit(driver)
    push(driver, edit)
    lab.faults.set(bench.device.name, Fault("rollback_fails", -1))
    try:
        driver.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    except EditRefused:
        pass
    else:
        assert bench.configuration() == start, "a rollback that says nothing must have worked"
    lab.faults.clear(bench.device.name)
    driver.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    assert bench.configuration() == start


def test_session_that_a_broken_line_left_behind_does_not_lock_the_switch(lab: EmbeddedLab) -> None:
    bench = lab_bench(lab, "sw1")
    start = bench.configuration()
    broken, next_one = bench.open(), bench.open()
    edit = bench.edit(broken)
    broken.stage(edit, token=f"{TOKEN}-broken")
    broken.close()

    started = time.perf_counter()
    push(next_one, edit)

    assert time.perf_counter() - started < PROMPT_S
    next_one.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    next_one.close()
    assert bench.configuration() == start


def test_session_of_somebody_else_is_respected_and_named(lab: EmbeddedLab) -> None:
    bench = lab_bench(lab, "sw1")
    engineer, ours = bench.open(), bench.open()
    edit = bench.edit(ours)
    engineer.stage(edit, token="adas-work")

    with pytest.raises(EditRefused, match="adas-work is pending"):
        ours.stage(edit, token=TOKEN)

    engineer.discard()
    push(ours, edit)
    ours.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    for session in (engineer, ours):
        session.close()


def test_device_that_is_not_there_is_named_with_its_address(bench: Bench, lab: EmbeddedLab) -> None:
    lab.cut(bench.device.name)
    with pytest.raises(DeviceUnreachable, match=f"{bench.device.address}:{bench.device.port}"):
        bench.open()


def test_cut_session_is_not_alive(bench: Bench, driver: Driver, lab: EmbeddedLab) -> None:
    lab.cut(bench.device.name)
    with pytest.raises(DeviceUnreachable):
        driver.read(())
    assert not driver.alive()


def test_wrong_password_is_unreachable_and_not_told(bench: Bench) -> None:
    wrong = replace(bench, device=replace(bench.device, password="not-this-word"))
    with pytest.raises(DeviceUnreachable) as refused:
        wrong.open()
    assert "not-this-word" not in str(refused.value)
    assert refused.value.device == bench.device.name


def push(driver: Driver, edit: DeviceEdit) -> None:
    driver.stage(edit, token=TOKEN)
    driver.commit(edit, token=TOKEN, confirm_timeout_s=60)


def test_reading_costs_milliseconds(bench: Bench, driver: Driver) -> None:
    # ncclient as shipped takes 100 ms per request whatever the device, netmiko 75 ms per command.
    touched = bench.edit(driver).touched
    started = time.perf_counter()
    for _ in range(50):
        driver.read(touched)
    assert time.perf_counter() - started < 50 * 0.04
