"""One emulated device alone, as a container runs it: ``python -m labs.device``.

The environment says what it is: ``LASTMILE_PLATFORM``, ``LASTMILE_NAME`` (the host name), ``LASTMILE_USERNAME`` and
``LASTMILE_PASSWORD`` (admin), ``LASTMILE_STARTUP`` (/etc/lastmile/startup, where there is such a file),
``LASTMILE_ADDRESS`` (all), ``LASTMILE_SSH_PORT`` (22), ``LASTMILE_NETCONF_PORT`` (830).
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncssh

from labs.embedded.contracts import Credentials, EmulatedNode
from labs.embedded.lab import PLATFORMS
from labs.errors import LabError, LabStartError

STARTUP: Final = "/etc/lastmile/startup"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - a container has its network to itself


def device(environ: Mapping[str, str]) -> EmulatedNode:
    """Return the device that the environment describes.

    Raises:
        LabStartError: its platform is not one that can be emulated; lists them.
        StartupConfigError: it refuses its start configuration.
    """
    platform = PLATFORMS.get(environ.get("LASTMILE_PLATFORM", ""))
    if platform is None:
        raise LabStartError(
            f"LASTMILE_PLATFORM is {environ.get('LASTMILE_PLATFORM')!r}; legal: {', '.join(sorted(PLATFORMS))}"
        )
    startup = Path(environ.get("LASTMILE_STARTUP", STARTUP))
    return platform.build(
        name=environ.get("LASTMILE_NAME") or socket.gethostname(),
        startup_config=startup.read_text(encoding="utf-8") if startup.is_file() else "",
        credentials=Credentials(
            username=environ.get("LASTMILE_USERNAME", "admin"), password=environ.get("LASTMILE_PASSWORD", "admin")
        ),
        host_key=asyncssh.generate_private_key("ssh-ed25519"),
    )


async def run(environ: Mapping[str, str]) -> None:
    """Run the device until SIGTERM or SIGINT, and print its ports once they are open."""
    node, ended = device(environ), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await node.start(
        environ.get("LASTMILE_ADDRESS", EVERYWHERE),
        ssh_port=int(environ.get("LASTMILE_SSH_PORT", "22")),
        netconf_port=int(environ.get("LASTMILE_NETCONF_PORT", "830")),
    )
    sys.stdout.write(f"{node.name}: {' '.join(f'{name} {port}' for name, port in node.ports().items())}\n")
    sys.stdout.flush()
    await ended.wait()
    await node.stop()


if __name__ == "__main__":
    try:
        asyncio.run(run(os.environ))
    except LabError as error:
        sys.exit(str(error))
