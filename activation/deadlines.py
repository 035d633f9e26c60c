"""How long a device may take: its own time-out, and more for what is large."""

from typing import Final

from activation.model import DeviceEdit

BYTES_PER_S: Final = 50_000
"""What a slow device digests of an edit; old OLTs take seconds for a hundred kilobytes."""
LINE_S: Final = 0.1
"""What a line of a command line may take besides: each is sent and answered by itself."""
CALLS_PER_PHASE: Final = 3
"""A phase may take this many times a device's own time-out, as it asks the device several things."""


def allowed_s(timeout_s: float, size_bytes: int) -> float:
    """Return how long a device with that time-out may take over an exchange of that size."""
    return timeout_s + size_bytes / BYTES_PER_S


def phase_s(timeout_s: float, edit: DeviceEdit | None = None) -> float:
    """Return how long a phase with a device of that time-out may take, one about ``edit`` if there is one.

    It is the outermost deadline: every single call within it has a tighter one that names what was asked.
    """
    if edit is None:
        return CALLS_PER_PHASE * timeout_s
    texts = (edit.edit, edit.inverse) if edit.dialect == "cli" else ()
    lines_s = LINE_S * sum(text.count("\n") for text in texts)
    size = len(edit.edit) + len(edit.inverse) + len(edit.before) + len(edit.after)
    return allowed_s(CALLS_PER_PHASE * timeout_s, size) + lines_s
