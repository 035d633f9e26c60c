"""A topology as a picture: Mermaid, Graphviz, and SVG that any browser shows."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Final

from labs.topology import Link, Node, Topology

LAYERS: Final = ("subscriber", "ont", "olt", "switch", "router", "core")
"""From left to right; nodes of other roles stand beside what they are cabled to."""
COLOURS: Final[Mapping[str, str]] = {
    "olt": "#2563eb",
    "switch": "#0f766e",
    "router": "#b45309",
    "subscriber": "#64748b",
    "core": "#64748b",
}
_PLAIN: Final = "#64748b"
_COLUMN, _ROW, _WIDTH, _HEIGHT, _MARGIN = 230, 86, 132, 46, 40


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
    for name, column in _columns(topology):
        columns[column].append(name)
    tallest = max(map(len, columns.values()), default=0)
    places = {}
    for x, column in enumerate(sorted(columns)):
        names = columns[column]
        lead = (tallest - len(names)) * _ROW // 2
        for y, name in enumerate(names):
            places[name] = (_MARGIN + x * _COLUMN, _MARGIN + lead + y * _ROW)
    return places


def _columns(topology: Topology) -> Iterator[tuple[str, int]]:
    """Yield every node's column: its role's; without one, beside its first neighbour that has one."""
    by_role = {name: LAYERS.index(node.role) for name, node in topology.nodes.items() if node.role in LAYERS}
    beside: dict[str, int] = {}
    for link in topology.links:
        for end, other in ((link.a.node, link.b.node), (link.b.node, link.a.node)):
            if end not in by_role and other in by_role:
                beside.setdefault(end, by_role[other] + 1)
    for number, name in enumerate(topology.nodes):
        yield name, by_role.get(name, beside.get(name, number % len(LAYERS)))


def _svg_link(link: Link, places: Mapping[str, tuple[int, int]]) -> str:
    (ax, ay), (bx, by) = places[link.a.node], places[link.b.node]
    start, end = (ax + _WIDTH // 2, ay + _HEIGHT // 2), (bx + _WIDTH // 2, by + _HEIGHT // 2)
    line = (
        f'<line x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}" stroke="#94a3b8" stroke-width="2">'
        f"<title>{escape(f'{link.a.node}:{link.a.device_interface} - {link.b.node}:{link.b.device_interface}')}</title>"
        "</line>"
    )
    return line + _end_label(link.a.device_interface, start, end) + _end_label(link.b.device_interface, end, start)


def _end_label(interface: str, at: tuple[int, int], towards: tuple[int, int]) -> str:
    across, down = towards[0] - at[0], towards[1] - at[1]
    # Just outside the node's box on the way to the other end, a little above the line.
    share = min((_WIDTH / 2 + 6) / abs(across) if across else 1, (_HEIGHT / 2 + 14) / abs(down) if down else 1)
    x, y = at[0] + across * share, at[1] + down * share - 5
    anchor = "start" if across > 0 else "end" if across < 0 else "middle"
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="10" fill="#475569" text-anchor="{anchor}">{escape(interface)}</text>'
    )


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
