"""The VRFs of one router: a network namespace each, which FRR knows by the VRF's name.

Not every kernel has VRF devices; namespaces separate addresses and routes as well, and every kernel here has them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from labs.netns import namespaces
from labs.netns.commands import attempt
from labs.netns.frr_daemons import FrrDaemons
from labs.netns.names import vrf_namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Vrfs:
    """Makes and removes VRFs.

    Attributes:
        claim: told the name of each namespace before it is made.
    """

    daemons: FrrDaemons
    claim: Callable[[str], None]

    def namespace(self, vrf: str) -> str:
        """Return the namespace of a VRF; the router's own for an empty name."""
        return vrf_namespace(self.daemons.namespace, vrf) if vrf else self.daemons.namespace

    def make(self, names: Iterable[str]) -> None:
        """Make VRFs; those that there are stay.

        Raises:
            CommandFailed: the kernel refuses.
        """
        for name in sorted(names):
            place = self.namespace(name)
            if not namespaces.existing([place]):
                self.claim(place)
                namespaces.make(place)
                namespaces.forward(place)
            self.daemons.show_vrf(name)

    def drop(self, names: Iterable[str]) -> None:
        """Remove VRFs with all that stands in them.

        Raises:
            CommandFailed: the kernel refuses.
        """
        for name in sorted(names):
            self.daemons.hide_vrf(name)
            namespaces.remove([self.namespace(name)])
            # FRR keeps the name of a VRF that was configured; without a kernel behind it, nothing holds it.
            attempt([*self.daemons.vtysh_command, "-c", "configure", "-c", f"no vrf {name}"])
