"""Whatever groups services come, change and go in, devices carry the union of what is live, and nothing is left."""

import threading
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activation.drivers.registry import DriverRegistry
from activation.model import DeviceEdit
from activation.states import MonitorState
from tests.activation.rig import Rig, database, fake_device, part
from tests.activation.services import BASES, PLATFORMS, characteristics
from tests.activation.small import PATIENCE_S, VLAN_IDS, SmallDevice, SmallDriver, Wish, small_core, small_site
from tests.activation.test_plan_laws import BENCHES, SPEEDS

wishes = st.tuples(st.sampled_from(VLAN_IDS), st.sampled_from((*SPEEDS, None)))
groups = st.lists(st.lists(wishes, min_size=1, max_size=6, unique_by=lambda wish: wish[0]), max_size=5)
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("platform", BENCHES)
@given(history=groups, occupied=st.booleans())
@few
def test_after_every_group_the_device_carries_the_union_of_what_is_live(
    platform: str, history: list[list[Wish]], *, occupied: bool
) -> None:
    with small_site(platform, occupied=occupied) as site:
        for group in history:
            assert set(site.bring(group).values()) == {MonitorState.COMPLETED}
            assert site.device.running == site.union()
        assert site.device.running == site.fresh()
        site.bring([(vlan_id, None) for vlan_id in VLAN_IDS])
        assert site.device.running == site.base, "after all are gone nothing is left"
        assert site.live == {}


@pytest.mark.parametrize("platform", BENCHES)
@given(history=groups, bad=st.sampled_from(VLAN_IDS))
@few
def test_one_that_is_refused_changes_nothing_for_the_others(platform: str, history: list[list[Wish]], bad: int) -> None:
    with small_site(platform, occupied=False) as site:
        site.device.refuses = str(bad)
        for group in history:
            there = bad in site.live
            states = site.bring(group)
            refused = {vlan_id for vlan_id, state in states.items() if state == MonitorState.IN_ERROR}
            assert refused <= {bad}
            assert not there
            assert site.device.running == site.union()
        site.device.refuses = ""
        site.bring([(vlan_id, None) for vlan_id in VLAN_IDS])
        assert site.device.running == site.base


@pytest.mark.parametrize("platform", BENCHES)
def test_a_group_is_one_commit(platform: str) -> None:
    with small_site(platform, occupied=False) as site:
        site.bring([(vlan_id, 100) for vlan_id in VLAN_IDS])
        site.bring([(vlan_id, None) for vlan_id in VLAN_IDS])
        assert site.device.commits == 2


def test_groups_on_other_devices_go_side_by_side() -> None:
    """Each device's commit waits until the others' have begun: only then all of them get through."""
    together = threading.Barrier(3)

    class Waiting(SmallDriver):
        def commit(self, edit: DeviceEdit, *, token: str, confirm_timeout_s: int) -> None:
            together.wait(PATIENCE_S)
            super().commit(edit, token=token, confirm_timeout_s=confirm_timeout_s)

    devices = {name: SmallDevice(BENCHES["arista_eos"], BASES["arista_eos"][0]) for name in ("a", "b", "c")}
    drivers = DriverRegistry({PLATFORMS["arista_eos"].driver: lambda device, _: Waiting(devices[device.name])})
    with TemporaryDirectory(prefix="lastmile-laws-") as folder:
        listed = [fake_device(name, "arista_eos", timeout_s=PATIENCE_S) for name in devices]
        rig = Rig(small_core(listed, drivers), database(Path(folder)))
        wanted = {**characteristics("arista_eos", 1042, 100)}
        asked = [
            rig.accept(part(f"svc-{name}", "aggregation-transport", **{**wanted, "switch": name})) for name in devices
        ]
        ended: SimpleQueue[object] = SimpleQueue()
        rig.core.accept([rig.job(monitor_id, ended.put) for monitor_id in asked])
        assert [ended.get(timeout=PATIENCE_S) for _ in asked] == [None] * 3
        assert [rig.monitor(monitor_id).state for monitor_id in asked] == [MonitorState.COMPLETED] * 3
        rig.core.close()
        rig.database.close()
