"""What is done with somebody else's uncommitted change that lies in the way."""

from typing import Final

from activation.contracts import PlatformRules
from activation.errors import DeviceUnreachable
from inventory.model import Device

OPTION: Final = "dirty_candidate"
LEGAL: Final = ("refuse", "discard")


def discards_foreign(device: Device, rules: PlatformRules) -> bool:
    """Say whether the platform throws it away; by itself it refuses the edit, and names whose change it is.

    Raises:
        DeviceUnreachable: the platform says neither; the message names what is legal.
    """
    wanted = str(rules.options.get(OPTION, LEGAL[0]))
    if wanted not in LEGAL:
        reason = f"platform {rules.name!r}: option {OPTION} is {wanted!r}; legal: {', '.join(LEGAL)}"
        raise DeviceUnreachable(device.name, "connect", reason)
    return wanted == "discard"
