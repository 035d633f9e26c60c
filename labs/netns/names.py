"""What a lab's parts are called on the machine."""

import hashlib
from typing import Final

from labs.errors import LabStartError

LONGEST_INTERFACE: Final = 15
"""The kernel's limit."""


def namespace_name(lab: str, node: str) -> str:
    """Return the name of a node's network namespace."""
    return f"lm-{lab}-{node}"


def vrf_namespace(router: str, vrf: str) -> str:
    """Return the name of the namespace of a VRF of the router in namespace ``router``."""
    return f"{router}-vrf-{vrf}"


def inner(interface: str) -> str:
    """Return what the router's end of the cable to a VRF's interface is called.

    Raises:
        LabStartError: the name is too long for the kernel.
    """
    return netdev(f"v-{interface}")


def netdev(device_interface: str) -> str:
    """Return what the kernel calls a device's interface: it takes no slash.

    Raises:
        LabStartError: the name is too long for the kernel.
    """
    name = device_interface.replace("/", "_")
    if len(name) > LONGEST_INTERFACE:
        raise LabStartError(f"interface {device_interface!r}: the kernel takes {LONGEST_INTERFACE} characters at most")
    return name


def wire(interface: str) -> str:
    """Return what the cable in an interface is called where the interface itself stands on a switch of its own.

    Raises:
        LabStartError: the name is too long for the kernel.
    """
    return netdev(f"w-{interface}")


def mac_address(namespace: str, interface: str) -> str:
    """Return a locally administered address that is always the same for an interface."""
    digest = hashlib.sha256(f"{namespace}/{interface}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))
