"""The runtimes there are."""

from collections.abc import Mapping
from typing import Final

from labs.contracts import LabRuntime
from labs.errors import LabError
from labs.runtimes.ahead import FACTORIES
from labs.runtimes.containerlab import ContainerlabRuntime
from labs.runtimes.held import HeldRuntime

EMBEDDED: Final = "embedded"
RUNTIMES: Final[Mapping[str, LabRuntime]] = {
    runtime.name: runtime
    for runtime in (
        HeldRuntime(name=EMBEDDED, factory=FACTORIES[EMBEDDED], probe="labs.runtimes.gaps:embedded_gaps"),
        HeldRuntime(
            name="netns",
            factory=FACTORIES["netns"],
            probe="labs.netns.probe:netns_gaps",
            sweep="labs.netns.held:sweep",
        ),
        ContainerlabRuntime(),
    )
}


def runtime_named(name: str) -> LabRuntime:
    """Return a runtime.

    Raises:
        LabError: there is none of that name; lists them.
    """
    runtime = RUNTIMES.get(name)
    if runtime is None:
        raise LabError(f"unknown runtime {name!r}; legal: {', '.join(RUNTIMES)}")
    return runtime
