"""DHCP at the edge: one dnsmasq per sub-interface, which hands out the one address reserved for it."""

import os
import signal
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

from labs.netns.commands import start_daemon
from labs.netns.namespaces import processes
from labs.netns.plane_router import Lease

LEASE_TIME: Final = "2m"


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpServers:
    """The servers of one router.

    Attributes:
        folder: their process and lease files.
    """

    namespace: str
    folder: Path

    def start(self, lease: Lease) -> None:
        """Serve a lease on its sub-interface.

        Raises:
            CommandFailed: dnsmasq does not start; says why.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        mask = IPv4Network(f"0.0.0.0/{lease.prefix_length}").netmask
        place = self.folder / lease.interface
        start_daemon(
            [
                "dnsmasq",
                "--conf-file=/dev/null",
                "--port=0",
                "--user=root",
                f"--interface={lease.interface}",
                "--except-interface=lo",
                "--bind-interfaces",
                # Nobody else has the address: no pause to ask for it first.
                "--no-ping",
                "--dhcp-authoritative",
                f"--dhcp-range={lease.address},{lease.address},{mask},{LEASE_TIME}",
                f"--dhcp-option=option:router,{lease.gateway}",
                f"--dhcp-leasefile={place}.leases",
                f"--pid-file={place}.pid",
            ],
            namespace=self.namespace,
            log=self.folder / f"{lease.interface}.out",
            environ={},
        )

    def stop(self, lease: Lease) -> None:
        """End the server of a lease and forget who had it; does nothing where none runs."""
        place = self.folder / lease.interface
        pid_file = Path(f"{place}.pid")
        if pid_file.exists():
            pid = int(pid_file.read_text(encoding="utf-8"))
            # A number that came free may belong to anybody by now; only what runs in our namespace is ours.
            if pid in processes(self.namespace):
                os.kill(pid, signal.SIGTERM)
        for suffix in ("pid", "leases", "out"):
            Path(f"{place}.{suffix}").unlink(missing_ok=True)
