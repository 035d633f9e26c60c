"""What the embedded runtime leaves out of a topology, and why."""

from collections import Counter

from labs.contracts import Lack
from labs.topology import Topology


def embedded_gaps(topology: Topology) -> tuple[Lack, ...]:
    """Return what of ``topology`` the embedded runtime only draws; nothing of it forbids the deploy."""
    found = []
    drawn = [node.name for node in topology.nodes.values() if not node.managed]
    if drawn:
        why = "no platform speaks to them, so they are drawn only; a label lastmile.platform names one"
        found.append(Lack(what=f"nodes {', '.join(drawn)}", why=why, fatal=False))
    if topology.links:
        why = "the devices have no data plane here; runtime netns moves packets"
        found.append(Lack(what=f"traffic over {len(topology.links)} links", why=why, fatal=False))
    kinds = Counter(link.type for link in topology.outside)
    for kind, count in sorted(kinds.items()):
        found.append(Lack(what=f"{count} link(s) of type {kind}", why="they lead out of the lab", fatal=False))
    commands = [node.name for node in topology.nodes.values() if node.exec]
    if commands:
        found.append(Lack(what=f"exec of {', '.join(commands)}", why="there is no shell to run it in", fatal=False))
    return tuple(found)
