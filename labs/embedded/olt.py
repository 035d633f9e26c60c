"""An emulated OLT: Broadband Forum TR-385 over NETCONF."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Final

import asyncssh

from labs.embedded.contracts import Credentials, forget
from labs.embedded.datastore import Datastores
from labs.embedded.datatree import Branch
from labs.embedded.edit import apply_edit
from labs.embedded.faults import EMULATED, FaultBoard, Trait
from labs.embedded.memory import FileMemory
from labs.embedded.netconf_capabilities import Offer
from labs.embedded.netconf_messages import parse
from labs.embedded.netconf_modules import folder_modules
from labs.embedded.netconf_rpcs import Device
from labs.embedded.netconf_session import NetconfSession
from labs.embedded.netconf_state import Counters, SessionFacts
from labs.embedded.olt_shell import OltShell
from labs.embedded.olt_state import Present
from labs.embedded.rpc_error import RpcError
from labs.embedded.schema import Schema, shipped_schema
from labs.embedded.ssh_server import Door, Listener, listen
from labs.embedded.tree_delta import delta
from labs.embedded.tree_xml import to_text
from labs.embedded.validation import violations
from labs.errors import StartupConfigError

_TRAITS: Final[Mapping[str, Trait]] = {
    "candidate": "candidate",
    "confirmed-commit": "confirmed commit",
    "validate": "validation",
}
"""What a capability brings."""


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
        offer: Offer = Offer(),  # noqa: B008  # a frozen value
    ) -> None:
        self.name = name
        self.faults = FaultBoard()
        self._door = Door(credentials=credentials, host_key=host_key, faults=self.faults)
        schema, offers = shipped_schema("bbf_olt"), offer.capabilities
        stores = Datastores(
            schema,
            _startup(name, startup_config, schema, saved.changes() if isinstance(saved, FileMemory) else ()),
            self.faults,
            _LoopTimer(),
            _keeping(saved, schema),
            separate_startup="startup" in offers,
        )
        self._device = Device(
            schema=schema,
            stores=stores,
            faults=self.faults,
            offers=offers,
            yang=folder_modules(offer.yang) if offer.yang is not None else {},
        )
        self._numbers = count(1)
        self._somebody: Somebody | None = None
        self._careless: int | None = None
        self.faults.changed = self._faults_changed
        self._listener: Listener | None = None

    async def start(self, address: str, *, ssh_port: int, netconf_port: int) -> None:
        """Listen for NETCONF; on the same port a person gets a command line.

        Raises:
            OSError: the port is taken or the address is not local.
        """
        del ssh_port
        self._listener = await listen(
            address=address,
            port=netconf_port,
            door=self._door,
            new_session=lambda: NetconfSession(next(self._numbers), self._device, self._shell),
        )

    def _shell(self, session: int) -> OltShell:
        return OltShell(self.name, session, self._device)

    async def stop(self) -> None:
        """Close every socket and session; the configuration stays."""
        for session in list(self._device.sessions.values()):
            session.kill()
        if self._listener is not None:
            await self._listener.close()
            self._listener = None

    def _faults_changed(self) -> None:
        """Do what cannot wait for the next request."""
        stores = self._device.stores
        held = self.faults.amount("lock_held") is not None
        if held and self._somebody is None and stores.locked_by("candidate") is None:
            self._somebody = Somebody(next(self._numbers), self._device)
        elif not held and self._somebody is not None:
            self._somebody.kill()
            self._somebody = None
        dirty = self.faults.amount("dirty_candidate") is not None
        if dirty and self._careless is None:
            self._careless = next(self._numbers)
            stores.dirty(self._careless)
        elif not dirty and self._careless is not None:
            stores.end_session(self._careless)
            self._careless = None
        for session in list(self._device.sessions.values()):
            if isinstance(session, NetconfSession):
                session.watch_idleness()
        if self._listener is not None:
            self._listener.show_key(self.faults)

    def ports(self) -> dict[str, int]:
        """Return the NETCONF port while listening."""
        return {"netconf": self._listener.port} if self._listener is not None else {}

    @property
    def traits(self) -> frozenset[Trait]:
        """What its capabilities bring."""
        return EMULATED | {_TRAITS[name] for name in self._device.offers & _TRAITS.keys()}

    def leftovers(self) -> tuple[str, ...]:
        """Return locks, uncommitted changes and unconfirmed commits."""
        return self._device.stores.leftovers()

    def running_config(self) -> str:
        """Return the running configuration as indented XML. Callable from any thread."""
        return to_text(self._device.stores.running, self._device.schema)

    def plug(self, present: Present) -> None:
        """Have ``present`` say which ONTs answer; without it, all that are expected do."""
        self._device.present = present

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called on the lab's loop whenever the running configuration is another."""
        self._device.stores.changed = changed


class Somebody:
    """Another client's session, which holds the lock of the candidate until it is killed or leaves."""

    def __init__(self, number: int, device: Device) -> None:
        self.number = number
        self._device = device
        self._facts = SessionFacts(
            number=number, username="noc", source="", since=datetime.now(UTC), counters=Counters()
        )
        device.sessions[number] = self
        device.stores.lock(number, "candidate")

    def kill(self) -> None:
        """End the session."""
        self._device.sessions.pop(self.number, None)
        self._device.stores.end_session(self.number)

    def facts(self) -> SessionFacts:
        """Return who it is."""
        return self._facts


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


def _keeping(saved: Callable[[str], None], schema: Schema) -> Callable[[Branch, Branch], None] | None:
    """Return what keeps a configuration that came after another; the whole as text is dear, so not for nobody."""
    if saved is forget:
        return None

    def keep(before: Branch, after: Branch) -> None:
        if isinstance(saved, FileMemory):
            saved.add(delta(before, after, schema), lambda: to_text(after, schema))
        else:
            saved(to_text(after, schema))

    return keep


def _startup(name: str, text: str, schema: Schema, changes: Iterable[str]) -> Branch:
    tree = Branch(schema.root)
    try:
        for part in (text, *changes):
            tree = apply_edit(tree, parse(part.encode()), schema) if part.strip() else tree
    except RpcError as refused:
        raise StartupConfigError(name, refused.message) from None
    wrong = violations(tree)
    if wrong:
        raise StartupConfigError(name, "; ".join(error.message for error in wrong))
    return tree
