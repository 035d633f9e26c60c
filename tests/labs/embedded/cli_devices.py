"""Emulated command-line devices running on a thread of their own, for clients that block."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

from labs.embedded.contracts import Credentials, EmulatedNode

ADMIN = Credentials(username="admin", password="admin")
START_CONFIGS = Path(__file__).parents[3] / "labs" / "ftth"
Result = TypeVar("Result")


class Powered:
    """A running device and the loop it lives on."""

    def __init__(self, node: EmulatedNode, loop: asyncio.AbstractEventLoop) -> None:
        self.node = node
        self._loop = loop

    @property
    def port(self) -> int:
        return self.node.ports()["ssh"]

    def do(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=20)

    def netmiko(self, device_type: str) -> dict[str, Any]:
        return {
            "device_type": device_type,
            "host": "127.0.0.1",
            "port": self.port,
            "username": ADMIN.username,
            "password": ADMIN.password,
        }


@contextmanager
def powered(build: Callable[..., EmulatedNode], name: str, startup_config: str) -> Iterator[Powered]:
    node = build(
        name=name,
        startup_config=startup_config,
        credentials=ADMIN,
        host_key=asyncssh.generate_private_key("ssh-ed25519"),
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=f"device-{name}")
    thread.start()
    device = Powered(node, loop)
    try:
        device.do(node.start("127.0.0.1", ssh_port=0, netconf_port=0))
        yield device
    finally:
        device.do(node.stop())
        device.do(loop.shutdown_default_executor())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
