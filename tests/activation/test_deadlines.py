"""How long a device may take over what is large."""

from dataclasses import replace

import pytest

from activation.deadlines import BYTES_PER_S, CALLS_PER_PHASE, LINE_S, allowed_s, phase_s
from activation.model import DeviceEdit

EMPTY = DeviceEdit(
    device="a",
    platform="fake",
    dialect="netconf",
    edit="",
    inverse="",
    diff="",
    touched=(),
    before="",
    after="",
    base_fingerprint="",
)
TIMEOUT_S = 10.0


def test_a_phase_takes_several_calls() -> None:
    assert phase_s(TIMEOUT_S) == phase_s(TIMEOUT_S, EMPTY) == CALLS_PER_PHASE * TIMEOUT_S


def test_a_large_edit_may_take_longer_than_its_largest_call() -> None:
    large = replace(EMPTY, edit="x" * 10 * BYTES_PER_S)
    assert phase_s(TIMEOUT_S, large) == CALLS_PER_PHASE * TIMEOUT_S + 10
    assert phase_s(TIMEOUT_S, large) > allowed_s(TIMEOUT_S, len(large.edit))


def test_lines_of_a_command_line_have_time_each() -> None:
    lines = replace(EMPTY, dialect="cli", edit="vlan 1\n" * 1000)
    as_text = phase_s(TIMEOUT_S, replace(lines, dialect="netconf"))
    assert phase_s(TIMEOUT_S, lines) == pytest.approx(as_text + 1000 * LINE_S)
