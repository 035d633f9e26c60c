"""Where ``lastmile`` begins: imports what the command at hand needs, and no more.

The whole platform takes seconds to import; ``lastmile lab …``, and what only asks a running platform, such as
``lastmile order …``, need none of it and answer at once.
"""

import sys
from importlib import import_module
from typing import Final

WHOLE: Final = "api.cli"
REMOTE: Final = ("device", "feasibility", "order", "plan", "transactions")
QUICK: Final = {"lab": "api.lab_cli"} | dict.fromkeys(REMOTE, "api.remote_cli")


def main() -> None:
    """Run the command line."""
    module = QUICK.get(sys.argv[1], WHOLE) if len(sys.argv) > 1 else WHOLE
    import_module(module).main()
