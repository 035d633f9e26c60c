"""Troubles that every command line can make, whatever the platform behind it."""

from typing import Final

from labs.embedded.faults import FaultBoard

PAGE_LINES: Final = 24
MORE: Final = " --More-- "
QUESTION: Final = "This operation may interrupt services. Are you sure? [y/n]: "
CANCELLED: Final = "% Operation cancelled\n"
GARBAGE: Final = "\x00\x07\x1b[2J\ufffd\ufffd%$ 0x3f~~\n"
STRANGE_PROMPT: Final = "[[ maintenance shell ]] :: "
WHOLE: Final = ("show running-config", "display current-configuration")
"""Reads of all that is configured."""
PADDING: Final = f"! {'.' * 97}\n"
"""A hundred bytes of comment."""


def shown_prompt(faults: FaultBoard, prompt: str) -> str:
    """Return the prompt the device shows."""
    return prompt if faults.amount("unknown_prompt") is None else STRANGE_PROMPT


def asks_first(faults: FaultBoard, prompt: str) -> bool:
    """Say whether the device wants a yes before it takes the line typed at ``prompt``: in configuration only."""
    return "(config" in prompt and faults.strikes("question")


def spoiled(faults: FaultBoard, line: str, reply: str) -> str:
    """Return what arrives of a reply."""
    if line.startswith(WHOLE) and reply:
        if faults.strikes("garbage"):
            return GARBAGE
        megabytes = faults.amount("huge_reply")
        if megabytes is not None and faults.strikes("huge_reply"):
            return PADDING * int(megabytes * 1_000_000 / len(PADDING)) + reply
    return reply
