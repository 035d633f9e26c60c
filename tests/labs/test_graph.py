"""The picture of a topology can be read: nothing lies on anything else."""

import os
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from lxml import etree

from labs.graph import svg
from labs.topology import Topology, load_topology

LABS = Path(__file__).parents[2] / "labs"
SVG = {"svg": "http://www.w3.org/2000/svg"}
STEPS = 200
LETTER = 5.5
"""Width of a letter at the size that interfaces are written in."""
Box = tuple[float, float, float, float]


@pytest.fixture(params=["ftth", "metro"])
def topology(request: pytest.FixtureRequest) -> Topology:
    return load_topology(LABS / request.param / f"{request.param}.clab.yml", os.environ)


@pytest.fixture
def picture(topology: Topology) -> etree._Element:
    return etree.fromstring(svg(topology).encode())


def _boxes(picture: etree._Element) -> dict[str, Box]:
    found = {}
    for group in picture.findall("svg:g", SVG):
        rect, name = group.find("svg:rect", SVG), group.findtext("svg:text", namespaces=SVG)
        assert rect is not None
        x, y, width, height = (float(str(rect.get(key))) for key in ("x", "y", "width", "height"))
        found[str(name)] = (x, y, x + width, y + height)
    return found


def _cables(picture: etree._Element) -> Iterator[tuple[set[str], list[tuple[float, float]]]]:
    """Yield the nodes at the ends of each cable, and points along it."""
    for path in picture.findall("svg:path", SVG):
        title = str(path.findtext("svg:title", namespaces=SVG))
        numbers = [float(word) for word in str(path.get("d")).split() if word not in "MLQ"]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        yield {end.split(":")[0] for end in title.split(" - ")}, [_along(points, n / STEPS) for n in range(STEPS + 1)]


def _along(points: list[tuple[float, float]], share: float) -> tuple[float, float]:
    while len(points) > 1:
        points = [(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share) for a, b in pairwise(points)]
    return points[0]


def _labels(picture: etree._Element) -> Iterator[tuple[str, Box]]:
    for text in picture.findall("svg:text", SVG)[1:]:
        words, anchor = str(text.text), text.get("text-anchor")
        x, y, width = float(str(text.get("x"))), float(str(text.get("y"))), LETTER * len(str(text.text))
        left = x - width if anchor == "end" else x
        yield words, (left, y - 9, left + width, y + 1)


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_no_cable_runs_behind_a_node_that_it_does_not_lead_to(picture: etree._Element, topology: Topology) -> None:
    boxes, cables = _boxes(picture), list(_cables(picture))
    assert set(boxes) == set(topology.nodes)
    assert len(cables) == len(topology.links)
    for ends, points in cables:
        crossed = {
            name for name, (x, y, right, low) in boxes.items() for px, py in points if x < px < right and y < py < low
        }
        assert crossed <= ends


def test_every_interface_is_named_and_can_be_read(picture: etree._Element, topology: Topology) -> None:
    labels = list(_labels(picture))
    named = sorted(end.device_interface for link in topology.links for end in (link.a, link.b))
    assert sorted(words for words, _ in labels) == named
    assert [pair for pair in combinations(labels, 2) if _overlap(pair[0][1], pair[1][1])] == []
    nodes = _boxes(picture).values()
    assert [words for words, label in labels if any(_overlap(label, node) for node in nodes)] == []


def test_the_picture_holds_all_of_itself(picture: etree._Element) -> None:
    width, height = float(str(picture.get("width"))), float(str(picture.get("height")))
    everything = [*_boxes(picture).values(), *(label for _, label in _labels(picture))]
    assert all(x >= 0 and y >= 0 and right <= width and low <= height for x, y, right, low in everything)
