"""One phase on many devices at once, through Nornir, with a deadline that no device can stall.

Nornir's own runner waits for its slowest host for ever, and a host that failed once is skipped in silence by later
runs. Here every run starts with a clean slate, every host has an answer, and a thread that outlives its deadline is
abandoned, not joined.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from nornir.core import Nornir
from nornir.core.inventory import Host
from nornir.core.task import AggregatedResult, MultiResult, Result, Task

from activation.errors import DeviceError, DeviceUnreachable, OutcomeUnknown
from inventory.model import Device
from inventory.nornir_plugin import DeviceInventory

T = TypeVar("T")
logger = logging.getLogger(__name__)

UNDECIDED_PHASES: Final = frozenset({"commit", "confirm", "rollback"})
"""Phases whose lost answer leaves open what the device did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[T]):
    """What one device had to say in one phase: a value or an error, never an exception.

    Attributes:
        abandoned: the device did not answer before the deadline; its thread may still hold the session.
    """

    device: str
    value: T | None = None
    error: DeviceError | None = None
    took_s: float = 0.0
    abandoned: bool = False


class DeadlineRunner:
    """A Nornir runner that returns when every host has answered or ``deadline_s`` is over."""

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s

    def run(self, task: Task, hosts: list[Host]) -> AggregatedResult:
        """Return one result per host; a host that is late has a failed one with a TimeoutError."""
        done: queue.SimpleQueue[tuple[str, MultiResult]] = queue.SimpleQueue()
        for host in hosts:
            name = f"{task.name}-{host.name}"
            threading.Thread(target=_start, args=(task.copy(), host, done), name=name, daemon=True).start()
        collected = AggregatedResult(task.name)
        ends_at = time.monotonic() + self._deadline_s
        while len(collected) < len(hosts):
            try:
                host_name, result = done.get(timeout=max(0.0, ends_at - time.monotonic()))
            except queue.Empty:
                break
            collected[host_name] = result
        for host in hosts:
            if host.name not in collected:
                collected[host.name] = self._late(task, host)
        return collected

    def _late(self, task: Task, host: Host) -> MultiResult:
        result = MultiResult(task.name)
        result.append(Result(host, failed=True, exception=TimeoutError(f"no answer within {self._deadline_s:g} s")))
        return result


def fan_out(
    phase: str, devices: Iterable[Device], work: Callable[[str], T], *, deadline_s: float
) -> Mapping[str, Answer[T]]:
    """Return the answer of each device, by name, in the order of ``devices``, to ``work(name)``, all run at once."""
    inventory = DeviceInventory(devices).load()
    nornir = Nornir(inventory=inventory, runner=DeadlineRunner(deadline_s))
    results = nornir.run(_answer, name=phase, phase=phase, work=work)
    return {name: _collected(name, phase, results[name][0], deadline_s) for name in inventory.hosts}


def _start(task: Task, host: Host, done: "queue.SimpleQueue[tuple[str, MultiResult]]") -> None:
    done.put((host.name, task.start(host)))


def _answer(task: Task, phase: str, work: Callable[[str], T]) -> Result:
    """Run ``work`` for the task's host: the one seam where every exception of a device becomes a value."""
    device = task.host.name
    started = time.perf_counter()
    value: T | None = None
    error: DeviceError | None = None
    try:
        value = work(device)
    except DeviceError as failure:
        error = failure
    except Exception as failure:
        logger.exception("%s: %s: unexpected", device, phase)
        error = _undecided(phase)(device, phase, f"unexpected {type(failure).__name__}: {failure}")
    took_s = time.perf_counter() - started
    answer = Answer(device=device, value=value, error=error, took_s=took_s)
    return Result(task.host, result=answer, failed=error is not None)


def _collected(device: str, phase: str, result: Result, deadline_s: float) -> Answer[T]:
    if isinstance(result.result, Answer):
        return result.result
    error = _undecided(phase)(device, phase, str(result.exception))
    return Answer(device=device, error=error, took_s=deadline_s, abandoned=True)


def _undecided(phase: str) -> type[DeviceError]:
    return OutcomeUnknown if phase in UNDECIDED_PHASES else DeviceUnreachable
