"""Where ``lastmile`` begins: imports what the command at hand needs, and no more.

The whole platform takes seconds to import; ``lastmile lab …``, and what only asks a running platform, such as
``lastmile order …``, need none of it and answer at once.
"""

import sys
from importlib import import_module
from typing import Final

from labs.runtimes.ahead import started_for

WHOLE: Final = "api.cli"
LAB: Final = "lab"
REMOTE: Final = ("device", "feasibility", "order", "plan", "transactions")
QUICK: Final = {LAB: "api.lab_cli"} | dict.fromkeys(REMOTE, "api.remote_cli")


def main() -> None:
    """Run the command line; a lab's own process starts on its way before anything else is imported."""
    words = sys.argv[1:]
    command = words[0] if words else ""
    module = QUICK.get(command, WHOLE)
    if command == LAB:
        import_module(module).main(started_for(words))
    else:
        import_module(module).main()
