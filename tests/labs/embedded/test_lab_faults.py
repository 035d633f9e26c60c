"""A fault that means nothing on a node is refused, and the answer names those that do."""

from collections.abc import Iterator

import pytest

from labs.embedded.faults import KINDS, Fault
from labs.embedded.lab import EmbeddedLab
from labs.errors import MeaninglessFault
from labs.topology import Topology

pytestmark = pytest.mark.lab

MEANINGLESS = {
    "the router has no candidate": ("r1", "dirty_candidate"),
    "the router has no confirmed commit": ("r1", "timer_early"),
    "the router validates nothing": ("r1", "refuse_validate"),
}
MEANT = {
    "olt1": {"timer_never", "dirty_candidate", "refuse_validate", "stale_lock"},
    "sw1": {"timer_never", "dirty_candidate", "refuse_validate", "stale_lock", "question", "pager", "link_down"},
    "r1": {"stale_lock", "question", "pager", "unknown_prompt", "lock_held"},
}


@pytest.fixture(scope="module")
def lab(ftth: Topology) -> Iterator[EmbeddedLab]:
    with EmbeddedLab(ftth, ssh_port=0, netconf_port=0) as running:
        yield running


@pytest.mark.parametrize("case", MEANINGLESS)
def test_what_means_nothing_is_refused(lab: EmbeddedLab, case: str) -> None:
    node, kind = MEANINGLESS[case]

    with pytest.raises(MeaninglessFault) as refused:
        lab.faults.set(node, Fault(kind))

    said = str(refused.value)
    assert node in said
    assert all(each in said for each in MEANT[node])
    assert lab.faults.list(node) == ()


@pytest.mark.parametrize("node", MEANT)
def test_what_a_node_can_do_wrong_is_listed_for_it(lab: EmbeddedLab, node: str) -> None:
    legal = set(lab.fault_kinds(node))

    assert MEANT[node] <= legal <= set(KINDS)


def test_every_kind_means_something_somewhere(lab: EmbeddedLab) -> None:
    assert set().union(*(lab.fault_kinds(node) for node in MEANT)) == set(KINDS)
