"""containerlab topology files: the values, and how to get them from a file."""

from labs.topology_file import expand, load_topology
from labs.topology_values import (
    DEFAULT_SUBNET,
    PLATFORM_LABEL,
    ROLE_LABEL,
    Endpoint,
    Link,
    LinkType,
    Node,
    OutsideLink,
    Topology,
    only,
    prepared,
)

__all__ = [
    "DEFAULT_SUBNET",
    "PLATFORM_LABEL",
    "ROLE_LABEL",
    "Endpoint",
    "Link",
    "LinkType",
    "Node",
    "OutsideLink",
    "Topology",
    "expand",
    "load_topology",
    "only",
    "prepared",
]
