"""An emulated device with a command line alone, on which every line takes effect at once."""

from collections.abc import Callable

import asyncssh

from labs.embedded.cli_server import CliServer, CliShell
from labs.embedded.contracts import Credentials
from labs.embedded.faults import EMULATED, FaultBoard, Trait


class LiveNode:
    """One emulated device; what it is like is in its command line and its configuration.

    Attributes:
        faults: what it is to do wrong.
    """

    def __init__(
        self,
        name: str,
        faults: FaultBoard,
        *,
        login: tuple[Credentials, asyncssh.SSHKey],
        new_shell: Callable[[], CliShell],
        configuration: Callable[[], str],
    ) -> None:
        self.name = name
        self.faults = faults
        credentials, host_key = login
        self._configuration = configuration
        self._server = CliServer(credentials=credentials, host_key=host_key, faults=faults, new_shell=new_shell)

    async def start(self, address: str, *, ssh_port: int, netconf_port: int) -> None:
        """Listen for SSH on ``address``; there is no NETCONF."""
        del netconf_port
        await self._server.start(address, ssh_port)

    async def stop(self) -> None:
        """Close the socket and every session; the configuration stays."""
        await self._server.stop()

    def ports(self) -> dict[str, int]:
        """Return the SSH port in use."""
        return self._server.ports()

    @property
    def traits(self) -> frozenset[Trait]:
        """A command line, and nothing that waits to be committed."""
        return EMULATED | {"prompt"}

    def leftovers(self) -> tuple[str, ...]:
        """Return nothing: what is typed takes effect line by line."""
        return ()

    def running_config(self) -> str:
        """Return the running configuration as the device prints it."""
        return self._configuration()
