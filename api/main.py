"""Where ``lastmile`` begins: imports what the command at hand needs, and no more.

The whole platform takes seconds to import; ``lastmile --help``, ``lastmile lab …``, and what only asks a running
platform, such as ``lastmile order …``, need none of it and answer at once.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

from labs.runtimes.ahead import started_for

WHOLE: Final = "api.cli"
LAB: Final = "lab"
REMOTE: Final = (
    "device",
    "drift",
    "feasibility",
    "hub",
    "order",
    "plan",
    "reconcile",
    "redeploy",
    "review",
    "rollback",
    "service",
    "transactions",
)
HELP: Final = "api.help_cli"
ASKING: Final[tuple[list[str], ...]] = ([], ["--help"])
"""Words that ask what there is."""
COMPLETE: Final = "_LASTMILE_COMPLETE"
"""Set by a shell that completes a command line: it has no words then."""
QUICK: Final = {LAB: "api.lab_cli"} | dict.fromkeys(REMOTE, "api.remote_cli")


def module_for(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return the module whose ``main`` knows what these words of the command line mean."""
    if list(words) in ASKING and COMPLETE not in environment:
        return HELP
    return QUICK.get(words[0], WHOLE) if words else WHOLE


def main() -> None:
    """Run the command line; a lab's own process starts on its way before anything else is imported."""
    words = sys.argv[1:]
    ahead = (started_for(words),) if words[:1] == [LAB] else ()
    import_module(module_for(words, os.environ)).main(*ahead)
