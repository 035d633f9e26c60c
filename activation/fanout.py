"""One phase on many devices at once, through Nornir, with a deadline that no device can stall.

Nornir's own runner waits for its slowest host for ever, and a host that failed once is skipped in silence by later
runs. Here every run starts with a clean slate, every host has an answer, and a thread that outlives its deadline is
abandoned, not joined. Hosts whose session lives in an event loop get no thread at all.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeAlias, TypeVar

from nornir.core import Nornir
from nornir.core.inventory import Host
from nornir.core.task import AggregatedResult, MultiResult, Result, Task

from activation.contracts import WorkLoop
from activation.errors import DeviceError, DeviceUnreachable, OutcomeUnknown
from inventory.model import Device
from inventory.nornir_plugin import DeviceInventory

T = TypeVar("T")
LoopOf: TypeAlias = Callable[[str], WorkLoop | None]
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


def nowhere(name: str) -> None:
    """Return no event loop: the device called ``name`` gets a thread."""
    del name


class _Done:
    """Results as they come; whoever waits is woken once, by the last."""

    def __init__(self, awaited: int) -> None:
        self._left = awaited
        self._guard = threading.Lock()
        self._all = threading.Event()
        self._results: dict[str, MultiResult] = {}
        if not awaited:
            self._all.set()

    def put(self, host: str, result: MultiResult) -> None:
        """Take a host's result in."""
        with self._guard:
            self._results[host] = result
            self._left -= 1
            is_last = not self._left
        if is_last:
            self._all.set()

    def within(self, deadline_s: float) -> Mapping[str, MultiResult]:
        """Return all results, or after ``deadline_s`` those that came."""
        self._all.wait(deadline_s)
        with self._guard:
            return dict(self._results)


class DeadlineRunner:
    """A Nornir runner that returns when every host has answered or ``deadline_s`` is over.

    A host gets a thread of its own, unless ``loop_of`` names the event loop that its work can run in.
    """

    def __init__(self, deadline_s: float = 60.0, loop_of: LoopOf = nowhere) -> None:
        self._deadline_s, self._loop_of = deadline_s, loop_of

    def run(self, task: Task, hosts: list[Host]) -> AggregatedResult:
        """Return one result per host; a host that is late has a failed one with a TimeoutError."""
        done = _Done(len(hosts))
        self._start(task, hosts, done)
        collected = AggregatedResult(task.name)
        collected.update(done.within(self._deadline_s))
        for host in hosts:
            if host.name not in collected:
                collected[host.name] = self._late(task, host)
        return collected

    def _start(self, task: Task, hosts: Iterable[Host], done: "_Done") -> None:
        in_loops: dict[WorkLoop, list[Callable[[], None]]] = defaultdict(list)
        for host in hosts:
            work = partial(_start, task.copy(), host, done)
            loop = self._loop_of(host.name)
            if loop is None:
                threading.Thread(target=work, name=f"{task.name}-{host.name}", daemon=True).start()
            else:
                in_loops[loop].append(work)
        for loop, works in in_loops.items():
            loop.start(works)

    def _late(self, task: Task, host: Host) -> MultiResult:
        result = MultiResult(task.name)
        result.append(Result(host, failed=True, exception=TimeoutError(f"no answer within {self._deadline_s:g} s")))
        return result


def fan_out(
    phase: str,
    devices: Iterable[Device],
    work: Callable[[str], T],
    *,
    deadline_s: float,
    loop_of: LoopOf = nowhere,
) -> Mapping[str, Answer[T]]:
    """Return the answer of each device, by name, in the order of ``devices``, to ``work(name)``, all run at once.

    Where ``loop_of(name)`` is an event loop, ``work(name)`` runs in its thread together with others': it must wait for
    nothing but its device.
    """
    inventory = DeviceInventory(devices).load()
    nornir = Nornir(inventory=inventory, runner=DeadlineRunner(deadline_s, loop_of))
    results = nornir.run(_answer, name=phase, phase=phase, work=work)
    return {name: _collected(name, phase, results[name][0], deadline_s) for name in inventory.hosts}


def _start(task: Task, host: Host, done: "_Done") -> None:
    done.put(host.name, task.start(host))


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
