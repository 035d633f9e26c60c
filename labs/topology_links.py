"""Links of a topology file: brief and extended, between nodes and to what is outside."""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Interface
from typing import Any, Final, get_args

from labs.kinds import device_interface
from labs.topology_place import Place, close_to
from labs.topology_values import Endpoint, Link, LinkType, Node, OutsideLink

_CABLES: Final = frozenset({"veth", "veth-stitch"})
_OUTSIDE: Final[Mapping[str, LinkType]] = {name: name for name in get_args(LinkType)}
_HOST_ENDS: Final[Mapping[str, LinkType]] = {"host": "host", "mgmt-net": "mgmt-net", "macvlan": "macvlan"}
"""Names of nodes that mean, in a brief link, that its other end is no node."""
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "mgmt-net": ("host-interface",),
    "host": ("host-interface",),
    "macvlan": ("host-interface",),
    "vxlan": ("remote", "vni"),
    "vxlan-stitch": ("remote", "vni"),
}
_ENDS: Final = 2
_Ends = tuple[Endpoint, Endpoint]


class LinkReader:
    """Reads the links of a topology whose nodes are known."""

    def __init__(self, nodes: Mapping[str, Node], remark: Callable[[str], None]) -> None:
        self._nodes = nodes
        self._remark = remark
        self._taken: dict[tuple[str, str], int] = {}
        self._cables: list[Link] = []
        self._outside: list[OutsideLink] = []

    def read(self, raw: object, at: Place) -> tuple[tuple[Link, ...], tuple[OutsideLink, ...]]:
        """Return the links between nodes, and those to the outside.

        Raises:
            TopologyError: a link cannot be understood, or takes an interface that another has.
        """
        for index, item in enumerate(at.items(raw, "topology.links")):
            here, where = at.under(index), f"link {index + 1}"
            self._read_one(here.mapping(item, where), here, index + 1)
        return tuple(self._cables), tuple(self._outside)

    def _read_one(self, raw: dict[str, Any], here: Place, number: int) -> None:
        kind = str(raw.get("type", "veth"))
        if kind in _OUTSIDE:
            self._outside_link(_OUTSIDE[kind], raw, here, number)
            return
        if kind not in _CABLES:
            known = ", ".join(sorted(_CABLES | set(_OUTSIDE)))
            meant = close_to(kind, _CABLES | set(_OUTSIDE))
            self._remark(f"link {number}: unknown type {kind!r}{meant} is left out; known: {known}")
            return
        ends = here.under("endpoints").items(raw.get("endpoints"), f"link {number}, endpoints")
        if len(ends) != _ENDS:
            problem = "endpoints must be a list of two, e.g. ['a:eth1', 'b:eth1']"
            raise here.under("endpoints").error(f"link {number}", problem)
        outside = [end for end in ends if isinstance(end, str) and self._outside_end(end)]
        if outside:
            self._brief_outside(ends, outside[0], raw, here, number)
        else:
            self._cable(ends, raw, here, number)

    def _outside_end(self, end: str) -> bool:
        name = end.partition(":")[0]
        return name in _HOST_ENDS and name not in self._nodes

    def _cable(self, raw_ends: list[Any], raw: dict[str, Any], here: Place, number: int) -> None:
        at = here.under("endpoints")
        given = raw.get("ipv4") if isinstance(raw.get("ipv4"), list) else []
        addresses = [*(given or []), "", ""]
        a, b = (
            self._endpoint(end, at.under(index), number, str(addresses[index])) for index, end in enumerate(raw_ends)
        )
        for end in (a, b):
            self._take(end, at, number)
        self._cables.append(Link(a=a, b=b, mtu=_mtu(raw, here, number)))

    def _brief_outside(self, ends: list[Any], outside: str, raw: dict[str, Any], here: Place, number: int) -> None:
        name, _, host_interface = outside.partition(":")
        inside = next((end for end in ends if end != outside), outside)
        end = self._endpoint(inside, here.under("endpoints"), number)
        self._take(end, here, number)
        self._outside.append(
            OutsideLink(
                type=_HOST_ENDS[name], end=end, host_interface=host_interface, mtu=_mtu(raw, here, number), settings=raw
            )
        )

    def _outside_link(self, kind: LinkType, raw: dict[str, Any], here: Place, number: int) -> None:
        missing = [key for key in _NEEDS.get(kind, ()) if key not in raw]
        if missing:
            raise here.error(f"link {number}", f"a link of type {kind} needs {', '.join(missing)}")
        if "endpoint" not in raw:
            problem = f"a link of type {kind} needs an endpoint, e.g. endpoint: {{node: a, interface: eth1}}"
            raise here.error(f"link {number}", problem)
        end = self._endpoint(raw["endpoint"], here.under("endpoint"), number)
        self._take(end, here, number)
        host = str(raw.get("host-interface", ""))
        self._outside.append(
            OutsideLink(type=kind, end=end, host_interface=host, mtu=_mtu(raw, here, number), settings=raw)
        )

    def _endpoint(self, raw: object, at: Place, number: int, ipv4: str = "") -> Endpoint:
        given = raw if isinstance(raw, dict) else {}
        if given:
            name, interface = given.get("node"), given.get("interface")
        else:
            name, _, interface = str(raw).partition(":")
        if not name or not interface:
            problem = f"endpoint {raw!r} is neither 'node:interface' nor {{node, interface}}"
            raise at.error(f"link {number}", problem)
        node = self._nodes.get(str(name))
        if node is None:
            known = ", ".join(sorted(self._nodes))
            raise at.error(f"link {number}", f"unknown node {name!r}{close_to(str(name), self._nodes)}; known: {known}")
        ipv4 = str(given.get("ipv4") or ipv4)
        _check_address(ipv4, at, number)
        return Endpoint(
            node=node.name,
            interface=str(interface),
            device_interface=device_interface(node.kind, node.labels, str(interface)),
            mac=str(given.get("mac") or ""),
            ipv4=ipv4,
        )

    def _take(self, end: Endpoint, at: Place, number: int) -> None:
        key = (end.node, end.interface)
        first = self._taken.get(key)
        if first is not None:
            raise at.error(f"link {number}", f"{end.node}:{end.interface} is already used by link {first}")
        self._taken[key] = number


def _mtu(raw: Mapping[str, Any], here: Place, number: int) -> int | None:
    mtu = raw.get("mtu")
    if mtu is None:
        return None
    if not isinstance(mtu, int) or isinstance(mtu, bool) or mtu <= 0:
        raise here.under("mtu").error(f"link {number}", f"mtu {mtu!r} is no number of bytes, e.g. 9500")
    return mtu


def _check_address(text: str, at: Place, number: int) -> None:
    try:
        if text:
            IPv4Interface(text)
    except ValueError:
        raise at.error(f"link {number}", f"ipv4 {text!r} is no address with prefix length, e.g. 10.0.0.1/24") from None
