"""The deliverers: a worker of their own, so that no order waits for a subscriber."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from api.hub.address import AddressGuard
from api.hub.delivery import Delivery, Patience
from api.hub.post import HttpPost
from api.hub.store import DELIVER
from api.hub.traffic import Traffic
from api.runtime.database import Database
from api.runtime.worker import Worker

AT_ONCE: Final = 16
_GRACE_S: Final = 2.0


@contextmanager
def delivering(database: Database, guard: AddressGuard, *, patience: Patience, timeout_s: float) -> Iterator[None]:
    """Deliver events to subscribers while the block runs; what is under way at its end is finished or runs again."""
    post = HttpPost(guard=guard, timeout_s=timeout_s)
    delivery = Delivery(post=post, traffic=Traffic(), patience=patience)
    worker = Worker(database=database, handlers={}, device_handlers={DELIVER: delivery}, concurrency=AT_ONCE)
    worker.start()
    try:
        yield
    finally:
        worker.stop(grace_s=timeout_s + _GRACE_S)
        post.close()
