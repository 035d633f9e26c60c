"""How long a device may take: its own time-out, and more for what is large."""

from typing import Final

BYTES_PER_S: Final = 50_000
"""What a slow device digests of an edit; old OLTs take seconds for a hundred kilobytes."""


def allowed_s(timeout_s: float, size_bytes: int) -> float:
    """Return how long a device with that time-out may take over an exchange of that size."""
    return timeout_s + size_bytes / BYTES_PER_S
