"""An SSH server in front of yuma123: ``python -m tests.labs.referees.ssh_front ADDRESS USER PROGRAM SOCKET``.

Prints its port. It stands where OpenSSH would, and needs neither root nor a user of the machine.
"""

import asyncio
import os
import sys
from typing import Any

import asyncssh


async def main(address: str, user: str, program: str, socket: str) -> None:
    """Serve until the process is ended."""

    class Gate(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            del username
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return username == password == user

    async def serve(process: "asyncssh.SSHServerProcess[Any]") -> None:
        environ = {**os.environ, "SSH_CONNECTION": f"127.0.0.1 50000 {address} 830", "USER": user, "LOGNAME": user}
        inner = await asyncio.create_subprocess_exec(
            program,
            f"--ncxserver-sockname=830@{socket}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environ,
        )
        await process.redirect(stdin=inner.stdin, stdout=inner.stdout)
        process.exit(await inner.wait())

    listener = await asyncssh.listen(
        address,
        0,
        server_factory=Gate,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        process_factory=serve,
        encoding=None,
    )
    sys.stdout.write(f"{listener.get_port()}\n")
    sys.stdout.flush()
    await listener.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
