import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from activation.drivers.device_loop import DeviceLoop, LoopClosed
from activation.errors import DeviceUnreachable, OutcomeUnknown
from activation.fanout import fan_out
from tests.activation.rig import fake_device

PATIENCE_S = 5.0
DEVICES = [fake_device(name) for name in ("a", "b", "c")]

pytestmark = pytest.mark.lab  # An event loop holds a pair of sockets.


@pytest.fixture
def loop() -> Iterator[DeviceLoop]:
    made = DeviceLoop()
    yield made
    made.close()


async def _echo(word: str) -> str:
    await asyncio.sleep(0)
    return word


def test_thread_waits_for_the_answer(loop: DeviceLoop) -> None:
    assert loop.wait(_echo("x"), PATIENCE_S) == "x"


def test_error_of_what_is_waited_for_comes_back(loop: DeviceLoop) -> None:
    async def fail() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        loop.wait(fail(), PATIENCE_S)


def test_waiting_ends_with_its_deadline(loop: DeviceLoop) -> None:
    with pytest.raises(TimeoutError, match=r"no answer within 0\.01 s"):
        loop.wait(asyncio.Event().wait(), 0.01)


def test_closed_loop_says_so(loop: DeviceLoop) -> None:
    loop.wait(_echo("x"), PATIENCE_S)
    loop.close()
    with pytest.raises(LoopClosed):
        loop.wait(_echo("y"), PATIENCE_S)


def test_a_loop_that_closes_tells_whoever_waits(loop: DeviceLoop) -> None:
    waits = threading.Event()

    async def forever() -> None:
        waits.set()
        await asyncio.Event().wait()

    def close() -> None:
        waits.wait(PATIENCE_S)
        loop.close()

    closing = threading.Thread(target=close)
    closing.start()
    with pytest.raises(LoopClosed):
        loop.wait(forever(), PATIENCE_S)
    closing.join()


def test_works_wait_side_by_side_in_one_thread(loop: DeviceLoop) -> None:
    together = asyncio.Barrier(len(DEVICES))

    def work(name: str) -> str:
        loop.wait(together.wait(), PATIENCE_S)
        return f"{name} {threading.current_thread().name}"

    answers = fan_out("read", DEVICES, work, deadline_s=PATIENCE_S, loop_of=lambda _: loop)

    assert [answer.value for answer in answers.values()] == ["a device-loop", "b device-loop", "c device-loop"]


def test_devices_with_and_without_a_loop_share_a_phase(loop: DeviceLoop) -> None:
    def work(name: str) -> str:
        del name
        return threading.current_thread().name

    answers = fan_out("read", DEVICES, work, deadline_s=PATIENCE_S, loop_of=lambda name: loop if name == "b" else None)

    assert answers["b"].value == "device-loop"
    assert {answers["a"].value, answers["c"].value} == {"read-a", "read-c"}


def test_error_in_one_work_is_its_devices_alone(loop: DeviceLoop) -> None:
    def work(name: str) -> str:
        if name == "b":
            raise DeviceUnreachable("b", "read", "gone")
        return loop.wait(_echo(name), PATIENCE_S)

    answers = fan_out("read", DEVICES, work, deadline_s=PATIENCE_S, loop_of=lambda _: loop)

    assert str(answers["b"].error) == "b: read: gone"
    assert (answers["a"].value, answers["c"].value) == ("a", "c")


def test_work_that_hangs_in_the_loop_is_left_behind(loop: DeviceLoop) -> None:
    def work(name: str) -> str:
        if name == "b":
            loop.wait(asyncio.Event().wait(), PATIENCE_S)
        return name

    answers = fan_out("commit", DEVICES, work, deadline_s=0.1, loop_of=lambda _: loop)

    assert answers["b"].abandoned
    assert isinstance(answers["b"].error, OutcomeUnknown)
    assert (answers["a"].value, answers["c"].value) == ("a", "c")


def test_error_of_what_a_work_waits_for_is_raised_in_the_work(loop: DeviceLoop) -> None:
    async def fail() -> None:
        raise OSError("line cut")

    def work(name: str) -> str:
        try:
            loop.wait(fail(), PATIENCE_S)
        except OSError as error:
            return f"{name}: {error}"
        return "no error"

    answers = fan_out("read", DEVICES[:1], work, deadline_s=PATIENCE_S, loop_of=lambda _: loop)

    assert answers["a"].value == "a: line cut"


def test_what_goes_on_while_the_loop_closes_is_told_at_its_next_wait(loop: DeviceLoop) -> None:
    told: list[str] = []
    waits = threading.Event()

    async def forever() -> None:
        waits.set()
        await asyncio.Event().wait()

    def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            loop.wait(forever(), PATIENCE_S)
        try:
            loop.wait(forever(), PATIENCE_S)
        except LoopClosed as error:
            told.append(str(error))

    loop.start([stubborn])
    assert waits.wait(PATIENCE_S)
    loop.close()

    assert told == ["the session's event loop is closed"]


def test_the_last_call_is_made_in_the_loop_when_all_else_has_ended(loop: DeviceLoop) -> None:
    seen: list[tuple[str, int]] = []
    loop.wait(_echo("x"), PATIENCE_S)

    loop.close(lambda: seen.append((threading.current_thread().name, len(asyncio.all_tasks()))))

    assert seen == [("device-loop", 1)]
