"""One event loop, in one thread, for all sessions that need no thread of their own.

Drivers stay synchronous: a method that must wait hands its coroutine to :meth:`DeviceLoop.wait`. Called from a thread,
that blocks the thread. Called from work that :meth:`DeviceLoop.start` runs, it suspends the work (a greenlet) and the
loop's thread goes on with another device's: two hundred devices wait for their answers in one thread.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, Final, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")
GRACE_S: Final = 1.0
"""How much later than the loop's own clock a waiting thread gives up: only where the loop itself is stuck."""


CLOSING_S: Final = 10.0
"""How long a closing loop waits for what runs in it; on a busy machine that takes longer than an answer."""
ROUNDS_TO_CLOSE: Final = 4
"""Rounds of the loop from the cut of a connection to its closed socket: asyncssh, transport, protocol; and one more."""
_CLOSED: Final = "the session's event loop is closed"


class LoopClosed(OSError):
    """The loop has been closed; what ran in it is over."""


class _Work(greenlet):
    """A piece of work that the loop's thread runs."""


class DeviceLoop:
    """An event loop that starts with its first use and ends with :meth:`close`."""

    def __init__(self, name: str = "device-loop") -> None:
        self._name = name
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._works: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def wait(self, work: Coroutine[Any, Any, T], deadline_s: float) -> T:
        """Return what ``work`` returns, done in the loop; give up after ``deadline_s``.

        Raises:
            TimeoutError: it took longer.
            LoopClosed: the loop is closed.
        """
        current = getcurrent()
        limited = _limited(work, deadline_s)
        if isinstance(current, _Work) and current.parent is not None:
            if self._is_closed:
                _never_run(work, limited)
                raise LoopClosed(_CLOSED)
            answer: T = current.parent.switch(limited)
            return answer
        future: Future[T] = asyncio.run_coroutine_threadsafe(limited, self._running(work, limited))
        try:
            return future.result(deadline_s + GRACE_S)
        except TimeoutError as error:
            future.cancel()
            raise TimeoutError(f"no answer within {deadline_s:g} s") from error
        except CancelledError as error:
            # Python's futures know another CancelledError than its event loops: nobody but close() cancels this one.
            raise LoopClosed("the loop of the device sessions was closed meanwhile") from error

    def start(self, works: Iterable[Callable[[], None]]) -> None:
        """Begin each of ``works`` in the loop and return at once; they must not raise, nor block but in :meth:`wait`.

        Raises:
            LoopClosed: the loop is closed.
        """
        begun = tuple(works)
        self._running().call_soon_threadsafe(self._begin, begun)

    def soon(self, call: Callable[[], object]) -> None:
        """Have ``call`` called in the loop's thread; does nothing once the loop is closed."""
        with suppress(RuntimeError, LoopClosed):
            self._running().call_soon_threadsafe(call)

    def close(self, last: Callable[[], object] | None = None) -> None:
        """End everything that runs in the loop, call ``last`` in it, and end its thread."""
        with self._guard:
            self._is_closed = True
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_end_others(last), loop).result(CLOSING_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSING_S)
        if not thread.is_alive():
            loop.close()

    def _running(self, *unused: Coroutine[Any, Any, Any]) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._is_closed:
                _never_run(*unused)
                raise LoopClosed(_CLOSED)
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
                self._thread.start()
            return self._loop

    def _begin(self, works: Iterable[Callable[[], None]]) -> None:
        for work in works:
            task = asyncio.get_running_loop().create_task(_driven(work))
            self._works.add(task)
            task.add_done_callback(self._works.discard)


async def _limited(work: Coroutine[Any, Any, T], deadline_s: float) -> T:
    try:
        async with asyncio.timeout(deadline_s):
            return await work
    except TimeoutError as error:
        raise TimeoutError(f"no answer within {deadline_s:g} s") from error


async def _driven(work: Callable[[], None]) -> None:
    """Run ``work`` in a greenlet; await, on its behalf, each coroutine that it hands out."""
    running = _Work(work)
    handed = running.switch()
    while not running.dead:
        try:
            answer = await handed
        except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the work that waits for it
            handed = running.throw(error)
        else:
            handed = running.switch(answer)


async def _end_others(last: Callable[[], object] | None) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    if last is not None:
        last()
    for _ in range(ROUNDS_TO_CLOSE):
        await asyncio.sleep(0)


def _never_run(*works: Coroutine[Any, Any, Any]) -> None:
    for work in works:
        work.close()
