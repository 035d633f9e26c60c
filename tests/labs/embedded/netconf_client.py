"""Stock ncclient, logged in to an emulated device."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ncclient import manager

from labs.embedded.lab import RunningNode

DEADLINE_S = 5.0


@contextmanager
def logged_in(node: RunningNode, **options: Any) -> Iterator[Any]:
    """Yield a session; ``options`` are ncclient's, instead of the node's own login."""
    login = {"username": node.username, "password": node.password, "timeout": DEADLINE_S} | options
    opened = manager.connect(
        host=node.address, port=node.port, hostkey_verify=False, allow_agent=False, look_for_keys=False, **login
    )
    try:
        yield opened
    finally:
        opened._session.close()
