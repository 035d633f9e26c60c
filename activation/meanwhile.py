"""Work of this side that is done while the devices do theirs."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def meanwhile(work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Do ``work``, which waits for nobody, in a thread while the block runs; yield what waits for its result.

    The result's error, if there is one, is raised where it is asked for.
    """
    future: Future[T] = Future()
    threading.Thread(target=_do, args=(work, future), name="meanwhile", daemon=True).start()
    yield future.result


def _do(work: Callable[[], T], future: "Future[T]") -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
        future.set_exception(error)
