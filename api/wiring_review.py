"""The review gate as the settings want it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import templates
from activation.contracts import Devices
from activation.gate import ReviewGate
from activation.platforms import Platform
from activation.review import load_policy
from api.authors import RecordedAuthors

SHIPPED: Final = Path(templates.__file__).parent / "review.yaml"


def review_gate(file: Path | None, devices: Devices, platforms: Mapping[str, Platform]) -> ReviewGate:
    """Return the gate under the policy in ``file``; the shipped policy lets everything through.

    Raises:
        BadPolicy: the file cannot be used; names every place and what is legal there.
    """
    return ReviewGate(
        policy=load_policy(file or SHIPPED, platforms=platforms),
        authors=RecordedAuthors(),
        devices=devices,
        platform_of=lambda name: platforms[devices.device(name).platform],
    )
