"""A topology as a picture: Mermaid, Graphviz, and SVG that any browser shows."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Final

from labs.topology import Link, Node, Topology

LAYERS: Final = ("subscriber", "ont", "olt", "switch", "router", "core")
"""From left to right; plain hosts stand beside what they are cabled to."""
COLOURS: Final[Mapping[str, str]] = {
    "olt": "#2563eb",
    "switch": "#0f766e",
    "router": "#b45309",
    "subscriber": "#64748b",
    "core": "#64748b",
}
_PLAIN: Final = "#64748b"
_COLUMN, _ROW, _WIDTH, _HEIGHT, _MARGIN, _BULGE = 270, 96, 132, 46, 48, 44


def mermaid(topology: Topology) -> str:
    """Return a Mermaid flowchart."""
    ids = {name: f"n{number}" for number, name in enumerate(topology.nodes)}
    nodes = [f'  {ids[node.name]}["{node.name}<br/><i>{_caption(node)}</i>"]' for node in topology.nodes.values()]
    links = [
        f'  {ids[link.a.node]} -- "{link.a.device_interface} · {link.b.device_interface}" --- {ids[link.b.node]}'
        for link in topology.links
    ]
    outside = [
        f'  {ids[link.end.node]} -. "{link.end.device_interface}" .- o{number}(["{link.type} {link.host_interface}"])'
        for number, link in enumerate(topology.outside)
    ]
    return "\n".join(["graph LR", *nodes, *links, *outside, ""])


def dot(topology: Topology) -> str:
    """Return a Graphviz graph."""
    nodes = [f'  "{node.name}" [label="{node.name}\\n{_caption(node)}"];' for node in topology.nodes.values()]
    links = [
        f'  "{link.a.node}" -- "{link.b.node}" '
        f'[taillabel="{link.a.device_interface}", headlabel="{link.b.device_interface}"];'
        for link in topology.links
    ]
    head = [f'graph "{topology.name}" {{', "  rankdir=LR;", '  node [shape=box, style=rounded, fontname="sans-serif"];']
    return "\n".join([*head, *nodes, *links, "}", ""])


def svg(topology: Topology) -> str:
    """Return an SVG picture: nodes in columns by role, cables with the devices' own interface names."""
    places = _places(topology)
    width = max((x for x, _ in places.values()), default=0) + _WIDTH + 2 * _MARGIN
    height = max((y for _, y in places.values()), default=0) + _HEIGHT + 2 * _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif" role="img" aria-label="lab {escape(topology.name)}">'
    )
    title = f'<text x="{_MARGIN}" y="26" font-size="15" font-weight="600" fill="#334155">{escape(topology.name)}</text>'
    links = [_svg_link(link, places) for link in topology.links]
    nodes = [_svg_node(node, places[node.name]) for node in topology.nodes.values()]
    return "\n".join([head, title, *links, *nodes, "</svg>\n"])


def html(topology: Topology) -> str:
    """Return a page with the SVG picture."""
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        f"<title>lab {escape(topology.name)}</title>\n"
        f'<body style="margin:2rem;background:#f8fafc">\n{svg(topology)}</body></html>\n'
    )


FORMATS: Final[Mapping[str, Callable[[Topology], str]]] = {"mermaid": mermaid, "dot": dot, "svg": svg, "html": html}


def _caption(node: Node) -> str:
    return " ".join(dict.fromkeys(word for word in (node.role, node.platform or node.kind) if word))


def _places(topology: Topology) -> dict[str, tuple[int, int]]:
    columns: dict[int, list[str]] = defaultdict(list)
    for name, column in _columns(topology).items():
        columns[column].append(name)
    tallest = max(map(len, columns.values()), default=0)
    places = {}
    for x, column in enumerate(sorted(columns)):
        names = _in_order(topology, columns[column])
        lead = (tallest - len(names)) * _ROW // 2
        for y, name in enumerate(names):
            places[name] = (_MARGIN + x * _COLUMN, _MARGIN + lead + y * _ROW)
    return places


def _columns(topology: Topology) -> dict[str, int]:
    """Return every node's column: a device's is its role's; a plain host stands beside what it is cabled to.

    Hosts of the first devices stand before them, all others behind theirs: no cable runs across a column.
    """
    layers = {name: LAYERS.index(node.role) for name, node in topology.nodes.items() if node.role in LAYERS}
    devices = {name: 2 * layer for name, layer in layers.items() if topology.nodes[name].managed}
    first = min(devices.values(), default=0)
    found = dict(devices)
    for name, neighbours in _neighbours(topology).items():
        beside = next((devices[each] for each in neighbours if each in devices), None)
        if name not in devices and beside is not None:
            found[name] = beside - 1 if beside == first else beside + 1
    left = (name for name in topology.nodes if name not in found)
    return found | {name: 2 * layers.get(name, number % len(LAYERS)) for number, name in enumerate(left)}


def _in_order(topology: Topology, names: Sequence[str]) -> list[str]:
    """Return the nodes of a column so that cables of plain hosts cross little: in the order of what they lead to."""
    rank = {name: number for number, name in enumerate(topology.nodes)}
    neighbours = _neighbours(topology)

    def key(name: str) -> tuple[float, int]:
        leads_to = [rank[each] for each in neighbours[name]]
        own = topology.nodes[name].managed or not leads_to
        return (rank[name] if own else sum(leads_to) / len(leads_to), rank[name])

    return sorted(names, key=key)


def _neighbours(topology: Topology) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {name: [] for name in topology.nodes}
    for link in topology.links:
        found[link.a.node].append(link.b.node)
        found[link.b.node].append(link.a.node)
    return found


def _svg_link(link: Link, places: Mapping[str, tuple[int, int]]) -> str:
    a, b = places[link.a.node], places[link.b.node]
    start, end = _middle(a), _middle(b)
    if a[0] == b[0] and abs(a[1] - b[1]) > _ROW:
        shape, labels = _around(link, start, end)
    else:
        shape = f"M {start[0]} {start[1]} L {end[0]} {end[1]}"
        labels = [_end_label(link.a.device_interface, start, end), _end_label(link.b.device_interface, end, start)]
    title = escape(f"{link.a.node}:{link.a.device_interface} - {link.b.node}:{link.b.device_interface}")
    path = f'<path d="{shape}" fill="none" stroke="#94a3b8" stroke-width="2"><title>{title}</title></path>'
    return path + "".join(labels)


def _around(link: Link, start: tuple[int, int], end: tuple[int, int]) -> tuple[str, list[str]]:
    """Return a bow beside a column: straight the cable would run behind the nodes between its ends."""
    outward = _HEIGHT // 4 if start[1] < end[1] else -_HEIGHT // 4
    x, top, bottom = start[0] - _WIDTH // 2, start[1] - outward, end[1] + outward
    shape = f"M {x} {top} Q {x - 2 * _BULGE} {(top + bottom) // 2} {x} {bottom}"
    labels = [
        _label(name, x - 6, y + (12 if y == max(top, bottom) else -4), "end")
        for name, y in ((link.a.device_interface, top), (link.b.device_interface, bottom))
    ]
    return shape, labels


def _middle(place: tuple[int, int]) -> tuple[int, int]:
    return place[0] + _WIDTH // 2, place[1] + _HEIGHT // 2


def _end_label(interface: str, at: tuple[int, int], towards: tuple[int, int]) -> str:
    across, down = towards[0] - at[0], towards[1] - at[1]
    # Just outside the node's box on the way to the other end, a little above the line, or beside an upright one.
    share = min((_WIDTH / 2 + 6) / abs(across) if across else 1, (_HEIGHT / 2 + 10) / abs(down) if down else 1)
    x, y = at[0] + across * share, at[1] + down * share
    if not across:
        return _label(interface, x + 6, y + 3, "start")
    return _label(interface, x, y - 5, "start" if across > 0 else "end")


def _label(interface: str, x: float, y: float, anchor: str) -> str:
    # The halo keeps a name readable where a cable runs through it.
    halo = 'paint-order="stroke" stroke="#f8fafc" stroke-width="3"'
    words = escape(interface)
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="10" fill="#475569" {halo} text-anchor="{anchor}">{words}</text>'


def _svg_node(node: Node, place: tuple[int, int]) -> str:
    x, y = place
    colour = COLOURS.get(node.role, _PLAIN)
    middle = x + _WIDTH // 2
    dashes = "" if node.managed else ' stroke-dasharray="4 3"'
    return (
        f'<g><rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="#fff" stroke="{colour}" '
        f'stroke-width="2"{dashes}/>'
        f'<text x="{middle}" y="{y + 20}" font-size="14" font-weight="600" fill="{colour}" text-anchor="middle">'
        f"{escape(node.name)}</text>"
        f'<text x="{middle}" y="{y + 36}" font-size="10" fill="#475569" text-anchor="middle">'
        f"{escape(_caption(node))}</text></g>"
    )
