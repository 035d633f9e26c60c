"""An emulated OLT: Broadband Forum TR-385 over NETCONF."""

import asyncio
from collections.abc import Callable
from itertools import count

import asyncssh

from labs.embedded.contracts import Credentials, FaultBoard, forget
from labs.embedded.datastore import Datastores
from labs.embedded.datatree import Branch
from labs.embedded.edit import apply_edit
from labs.embedded.netconf_messages import parse
from labs.embedded.netconf_rpcs import Device
from labs.embedded.netconf_session import NetconfSession
from labs.embedded.rpc_error import RpcError
from labs.embedded.schema import Schema, shipped_schema
from labs.embedded.ssh_server import Listener, listen
from labs.embedded.tree_xml import to_text
from labs.embedded.validation import violations
from labs.errors import StartupConfigError


class OltNode:
    """One OLT. Its configuration survives ``stop``; open sessions, locks and uncommitted changes do not."""

    def __init__(
        self,
        *,
        name: str,
        startup_config: str,
        credentials: Credentials,
        host_key: asyncssh.SSHKey,
        saved: Callable[[str], None] = forget,
    ) -> None:
        self.name = name
        self.faults = FaultBoard()
        self._credentials = credentials
        self._host_key = host_key
        schema = shipped_schema("bbf_olt")
        stores = Datastores(
            schema,
            _startup(name, startup_config, schema),
            self.faults,
            _LoopTimer(),
            # The whole configuration as text is dear: made only for who keeps it.
            (lambda running: saved(to_text(running, schema))) if saved is not forget else None,
        )
        self._device = Device(schema=schema, stores=stores, faults=self.faults)
        self._numbers = count(1)
        self._listener: Listener | None = None

    async def start(self, address: str, *, ssh_port: int, netconf_port: int) -> None:
        """Listen for NETCONF; an OLT has no SSH command line here.

        Raises:
            OSError: the port is taken or the address is not local.
        """
        del ssh_port
        self._listener = await listen(
            address=address,
            port=netconf_port,
            credentials=self._credentials,
            host_key=self._host_key,
            new_session=lambda: NetconfSession(next(self._numbers), self._device),
        )

    async def stop(self) -> None:
        """Close every socket and session; the configuration stays."""
        for session in list(self._device.sessions.values()):
            session.kill()
        if self._listener is not None:
            await self._listener.close()
            self._listener = None

    def ports(self) -> dict[str, int]:
        """Return the NETCONF port while listening."""
        return {"netconf": self._listener.port} if self._listener is not None else {}

    def running_config(self) -> str:
        """Return the running configuration as indented XML. Callable from any thread."""
        return to_text(self._device.stores.running, self._device.schema)

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called on the lab's loop whenever the running configuration is another."""
        self._device.stores.changed = changed


class _LoopTimer:
    """A commit timer on the running event loop."""

    def __init__(self) -> None:
        self._handle: asyncio.TimerHandle | None = None

    def start(self, seconds: float, expired: Callable[[], object]) -> None:
        self.stop()
        self._handle = asyncio.get_running_loop().call_later(seconds, expired)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


def _startup(name: str, text: str, schema: Schema) -> Branch:
    empty = Branch(schema.root)
    if not text.strip():
        return empty
    try:
        tree = apply_edit(empty, parse(text.encode()), schema)
    except RpcError as refused:
        raise StartupConfigError(name, refused.message) from None
    wrong = violations(tree)
    if wrong:
        raise StartupConfigError(name, "; ".join(error.message for error in wrong))
    return tree
