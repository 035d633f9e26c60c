"""Devices that page, ask, or hang up at the login, and what the command line drivers make of it."""

import re
import time
from dataclasses import replace

import pytest

from activation.errors import DeviceError, DeviceUnreachable
from activation.terminal import Turn
from labs.embedded.faults import ALWAYS, Fault
from labs.embedded.lab import EmbeddedLab
from tests.activation.drivers.benches import TOKEN, Bench, lab_bench

pytestmark = pytest.mark.lab

YES = Turn(shows=re.compile(r"Are you sure\? \[y/n\]:"), answer="y")
BOXES = ("sw1", "r1")
PATIENCE_S = 4.0
"""Less than the devices' time-out."""


def knowing(bench: Bench, *questions: Turn) -> Bench:
    terminal = bench.platform.terminal.model_copy(update={"questions": questions})
    return replace(bench, platform=bench.platform.model_copy(update={"terminal": terminal}))


@pytest.mark.parametrize("box", BOXES)
def test_pages_are_turned(box: str, lab: EmbeddedLab) -> None:
    bench = lab_bench(lab, box)
    session = bench.open()
    whole = session.read(())
    lab.faults.set(box, Fault("pager"))
    assert session.read(()) == whole
    lab.faults.clear(box)
    session.close()


@pytest.mark.parametrize("box", BOXES)
def test_a_question_that_the_platform_knows_is_answered(box: str, lab: EmbeddedLab) -> None:
    bench = knowing(lab_bench(lab, box), YES)
    before = bench.configuration()
    session = bench.open()
    edit = bench.edit(session)
    lab.faults.set(box, Fault("question", ALWAYS))
    session.stage(edit, token=TOKEN)
    session.commit(edit, token=TOKEN, confirm_timeout_s=60)
    assert bench.done(edit, session)
    session.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    lab.faults.clear(box)
    session.close()
    assert bench.configuration() == before


@pytest.mark.parametrize("box", BOXES)
def test_a_question_that_nobody_knows_is_told_and_not_waited_for(box: str, lab: EmbeddedLab) -> None:
    bench = lab_bench(lab, box)
    before = bench.configuration()
    session = bench.open()
    edit = bench.edit(session)
    lab.faults.set(box, Fault("question", ALWAYS))
    began = time.perf_counter()
    with pytest.raises(DeviceError, match=r"a question without a known answer; the device says .*\[y/n\]"):  # noqa: PT012 - which of the two gets the question depends on the platform
        session.stage(edit, token=TOKEN)
        session.commit(edit, token=TOKEN, confirm_timeout_s=60)
    assert time.perf_counter() - began < PATIENCE_S
    lab.faults.clear(box)
    session.close()
    again = bench.open()
    again.discard()
    again.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    again.close()
    assert bench.configuration() == before


@pytest.mark.parametrize("box", ["sw1", "r1", "olt1 netconf", "olt1 netconf-fast"])
@pytest.mark.parametrize("fault", ["session_limit", "login_rate"])
def test_a_refused_login_is_told_in_the_devices_own_words(fault: str, box: str, lab: EmbeddedLab) -> None:
    bench = lab_bench(lab, *box.split())
    lab.faults.set(bench.device.name, Fault(fault, value=0))
    with pytest.raises(DeviceUnreachable, match=r"session limit of 0 reached|more than 0 logins a minute; try later"):
        bench.open()
    lab.faults.clear(bench.device.name)
