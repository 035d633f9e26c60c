"""Other people's locks and uncommitted changes, and sessions of our own that a device has not noticed the end of."""

import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from activation.errors import DeviceUnreachable, EditRefused
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from tests.activation.drivers.benches import TOKEN, Bench, lab_bench

pytestmark = pytest.mark.lab

NETCONF = ("olt1 netconf", "olt1 netconf-fast")
SOON_S = 4.0
STALE_S = 60.0


def with_options(bench: Bench, options: Mapping[str, object]) -> Bench:
    given = {**bench.platform.options, **options}
    return replace(bench, platform=bench.platform.model_copy(update={"options": given}))


@pytest.mark.parametrize("box", NETCONF)
def test_somebodys_uncommitted_change_is_respected_and_told(box: str, lab: EmbeddedLab) -> None:
    bench = lab_bench(lab, *box.split())
    session = bench.open()
    edit = bench.edit(session)
    lab.faults.set("olt1", Fault("dirty_candidate"))
    with pytest.raises(EditRefused, match=r"changed by session \d+; waited 2 s; whoever it is commits or discards"):
        session.stage(edit, token=TOKEN)
    session.close()


@pytest.mark.parametrize("box", NETCONF)
def test_somebodys_uncommitted_change_goes_where_the_platform_says_so(box: str, lab: EmbeddedLab) -> None:
    bench = with_options(lab_bench(lab, *box.split()), {"dirty_candidate": "discard"})
    before = bench.configuration()
    session = bench.open()
    edit = bench.edit(session)
    lab.faults.set("olt1", Fault("dirty_candidate"))
    session.stage(edit, token=TOKEN)
    session.commit(edit, token=TOKEN, confirm_timeout_s=60)
    assert bench.done(edit, session)
    session.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    session.close()
    assert bench.configuration() == before


@pytest.mark.parametrize("box", NETCONF)
def test_a_lock_is_respected_whatever_the_platform_says(box: str, lab: EmbeddedLab) -> None:
    bench = with_options(lab_bench(lab, *box.split()), {"dirty_candidate": "discard"})
    session = bench.open()
    edit = bench.edit(session)
    lab.faults.set("olt1", Fault("lock_held"))
    with pytest.raises(EditRefused, match=r"session \d+"):
        session.stage(edit, token=TOKEN)
    session.close()


def test_others_pending_session_on_the_switch_goes_where_the_platform_says_so(lab: EmbeddedLab) -> None:
    bench = with_options(lab_bench(lab, "sw1"), {"dirty_candidate": "discard"})
    before = bench.configuration()
    engineer, ours = bench.open(), bench.open()
    edit = bench.edit(ours)
    engineer.stage(edit, token="adas-work")
    ours.stage(edit, token=TOKEN)
    ours.discard()
    for session in (engineer, ours):
        session.close()
    assert bench.configuration() == before


@pytest.mark.parametrize("box", ["olt1 netconf-fast", "sw1"])
def test_a_policy_that_nobody_knows_is_answered_with_the_legal_ones(box: str, lab: EmbeddedLab) -> None:
    bench = with_options(lab_bench(lab, *box.split()), {"dirty_candidate": "ignore"})
    with pytest.raises(DeviceUnreachable, match="option dirty_candidate is 'ignore'; legal: refuse, discard"):
        bench.open()


@pytest.mark.parametrize("box", NETCONF)
def test_our_own_session_that_the_device_still_believes_in_is_killed(box: str, lab: EmbeddedLab) -> None:
    bench = lab_bench(lab, *box.split())
    before = bench.configuration()
    lab.faults.set("olt1", Fault("stale_lock", value=STALE_S))
    broken = bench.open()
    edit = bench.edit(broken)
    broken.stage(edit, token=f"{TOKEN}-broken")
    broken.close()
    next_one = bench.open()
    began = time.perf_counter()
    next_one.stage(edit, token=TOKEN)
    assert time.perf_counter() - began < SOON_S
    next_one.discard()
    next_one.close()
    assert bench.configuration() == before


@pytest.mark.parametrize("box", NETCONF)
def test_a_session_that_is_not_our_own_is_never_killed(box: str, lab: EmbeddedLab) -> None:
    bench = lab_bench(lab, *box.split())
    engineer, ours = bench.open(), bench.open()
    edit = bench.edit(ours)
    engineer.stage(edit, token="adas-work")
    with pytest.raises(EditRefused, match="denied"):
        ours.stage(edit, token=TOKEN)
    assert engineer.read(edit.touched)
    engineer.discard()
    for session in (engineer, ours):
        session.close()
