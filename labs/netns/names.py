"""What a lab's parts are called on the machine."""

from typing import Final

from labs.errors import LabStartError

LONGEST_INTERFACE: Final = 15
"""The kernel's limit."""


def namespace_name(lab: str, node: str) -> str:
    """Return the name of a node's network namespace."""
    return f"lm-{lab}-{node}"


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
