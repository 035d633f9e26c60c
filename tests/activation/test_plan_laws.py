"""What holds for every sequence of adding, modifying and deleting services on one device."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.dialects import notation_for
from activation.fragments import Ownership
from activation.model import DeviceEdit, Fragment, FragmentChange
from activation.notation import Scope
from activation.plan import matches_before, plan_device, plan_nodes, readback_matches
from activation.platforms import Platform
from tests.activation.appliers import (
    CliDevice,
    EosDevice,
    FrrDevice,
    cli_apply,
    eos_normal,
    frr_normal,
    netconf_apply,
    netconf_merge_fragment,
    netconf_normal,
    smartax_apply,
    smartax_merge,
    smartax_normal,
)
from tests.activation.services import BASES, DEVICE, OLT, ROUTER, SMARTAX, SWITCH, fragment
from tests.activation.test_part_reading import shown

VLAN_IDS = (1042, 1043, 1044)
SPEEDS = (100, 500)
Apply = Callable[[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A platform and the small device that stands for it."""

    platform: Platform
    apply: Apply
    merge: Apply
    normal: Callable[[str], str]


def typing_into(device: type[CliDevice], normal: Callable[[str], str]) -> Apply:
    """Return the function that types a fragment in, leaving every section it enters."""

    def merge(running: str, text: str) -> str:
        one = device(running)
        lines = [line for line in text.splitlines() if line.strip() not in ("", "exit")]
        starts = [at for at, line in enumerate(lines) if not line.startswith(" ")]
        for first, last in itertools.pairwise([*starts, len(lines)]):
            block = [line.strip() for line in lines[first:last]]
            one.run("\n".join([*block, *["exit" for line in block if device.opens.fullmatch(line)]]))
        return normal(one.normal())

    return merge


BENCHES = {
    "bbf_olt": Bench(platform=OLT, apply=netconf_apply, merge=netconf_merge_fragment, normal=netconf_normal),
    "arista_eos": Bench(
        platform=SWITCH, apply=cli_apply(EosDevice), merge=typing_into(EosDevice, eos_normal), normal=eos_normal
    ),
    "frr": Bench(
        platform=ROUTER, apply=cli_apply(FrrDevice), merge=typing_into(FrrDevice, frr_normal), normal=frr_normal
    ),
    "smartax": Bench(platform=SMARTAX, apply=smartax_apply, merge=smartax_merge, normal=smartax_normal),
}


def plan_node_by_node(
    platform: Platform, running: str, changes: list[FragmentChange], others: list[Fragment]
) -> tuple[DeviceEdit, tuple[FragmentChange, ...]]:
    """Return the plan made without knowledge of what comes or goes as a whole."""
    notation = notation_for(platform)
    ownership = Ownership.of(notation, changes, others)
    standing = notation.parse(running, Scope.of(ownership.covers))
    return plan_nodes(DEVICE, platform, standing, changes, ownership)


class Network:
    """One device, the services on it, and the laws that every change of them keeps."""

    def __init__(self, bench: Bench, base: str) -> None:
        self.bench, self.base, self.running = bench, bench.normal(base), bench.normal(base)
        self.live: dict[str, Fragment] = {}

    def change(self, vlan_id: int, mbps: int | None, *, active: bool = True) -> None:
        """Bring the service on ``vlan_id`` to ``mbps``, in service or only configured, or end it."""
        old = self.live.get(str(vlan_id))
        new = None if mbps is None else fragment(self.bench.platform.name, vlan_id, mbps, active=active)
        if old is None and new is None:
            return
        (settled,) = self.push([FragmentChange(old=old, new=new)])
        if settled.new is None:
            del self.live[str(vlan_id)]
        else:
            self.live[str(vlan_id)] = settled.new

    def push(self, changes: list[FragmentChange]) -> tuple[FragmentChange, ...]:
        before, platform = self.running, self.bench.platform
        edit, settled = self._plan(changes)
        assert matches_before(edit, before, platform) == []
        self.running = self.bench.apply(before, edit.edit)
        assert readback_matches(edit, self.running, platform) == []
        assert self.bench.apply(self.running, edit.inverse) == before, "the inverse undoes the edit"
        again, _ = self._plan(changes)
        assert not again.changes, "the plan after the push is empty"
        assert again.diff == ""
        return settled

    def _plan(self, changes: list[FragmentChange]) -> tuple[DeviceEdit, tuple[FragmentChange, ...]]:
        changed = {f.service_id for c in changes for f in (c.old, c.new) if f}
        others = [f for f in self.live.values() if f.service_id not in changed]
        found = plan_device(DEVICE, self.bench.platform, self.running, changes, others)
        assert found == plan_node_by_node(self.bench.platform, self.running, changes, others)
        part = shown(self.bench.platform, self.running, found[0].touched)
        assert found == plan_device(DEVICE, self.bench.platform, part, changes, others)
        return found

    def union(self) -> str:
        """Return the base with the live fragments merged into it."""
        text = self.base
        for one in self.live.values():
            text = self.bench.merge(text, one.text)
        return text


histories = st.lists(
    st.tuples(st.sampled_from(VLAN_IDS), st.sampled_from((*SPEEDS, None)), st.sampled_from((True, False))), max_size=8
)


@pytest.mark.parametrize("platform", BENCHES)
@given(history=histories, occupied=st.booleans())
@settings(max_examples=20, deadline=None)
def test_any_history_ends_where_fresh_services_would(
    platform: str, history: list[tuple[int, int | None, bool]], *, occupied: bool
) -> None:
    network = Network(BENCHES[platform], BASES[platform][occupied])
    for vlan_id, mbps, active in history:
        network.change(vlan_id, mbps, active=active)
    assert network.running == network.union()
    for vlan_id in VLAN_IDS:
        network.change(vlan_id, None)
    assert network.running == network.base


@pytest.mark.parametrize("platform", BENCHES)
def test_out_of_service_and_back_leaves_no_trace(platform: str) -> None:
    network = Network(BENCHES[platform], BASES[platform][0])
    network.change(1042, 100)
    in_service = network.running
    network.change(1042, 100, active=False)
    assert network.running != in_service
    network.change(1042, 100)
    assert network.running == in_service
    network.change(1042, 100, active=False)
    network.change(1042, None)
    assert network.running == network.base


@pytest.mark.parametrize("platform", BENCHES)
@given(speeds=st.lists(st.sampled_from(SPEEDS), min_size=3, max_size=3))
@settings(max_examples=5, deadline=None)
def test_many_services_in_one_plan(platform: str, speeds: list[int]) -> None:
    network = Network(BENCHES[platform], BASES[platform][0])
    together = [FragmentChange(old=None, new=fragment(platform, v, s)) for v, s in zip(VLAN_IDS, speeds, strict=True)]
    settled = network.push(together)
    network.live = {f.service_id: f for c in settled if (f := c.new)}
    assert network.running == network.union()
    network.push([FragmentChange(old=change.new, new=None) for change in settled])
    assert network.running == network.base


@pytest.mark.parametrize("platform", BENCHES)
def test_what_stood_there_before_gets_its_value_back(platform: str) -> None:
    network = Network(BENCHES[platform], BASES[platform][1])
    for mbps in (100, 500, 100):
        network.change(1043, mbps)
        network.change(1042, 100)
        network.change(1042, None)
    assert network.running == network.union()
    network.change(1043, None)
    assert network.running == network.base
