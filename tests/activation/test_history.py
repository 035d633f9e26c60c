"""Which changes are told of a device, and what a platform's data may say about them."""

from typing import Any

import pytest
from pydantic import ValidationError

from activation.history import NEWEST, HistoryRules, concerning, culprit
from activation.model import ChangeNote, Path

ENTRY = r"(?P<at>\S+) by (?P<who>\S+)"
VLAN: Path = ("vlan 7",)
NAME: Path = ("vlan 7", "name")
OTHER: Path = ("vlan 8",)
WRONG: dict[str, dict[str, Any]] = {
    "nothing": {},
    "two ways": {"command": "show log", "entry": ENTRY, "stream": "NETCONF"},
    "a command without a pattern": {"command": "show log"},
    "a pattern without a command": {"entry": ENTRY, "stream": "NETCONF"},
    "no days": {"stream": "NETCONF", "days": 0},
    "a group too few": {"command": "show log", "entry": "(?P<at>.*)"},
}


def note(at: str, *places: Path, ours: bool = False) -> ChangeNote:
    return ChangeNote(at=at, who="noc", text="", ours=ours, places=places)


@pytest.mark.parametrize("case", WRONG)
def test_rules_that_say_nothing_or_two_things_are_refused(case: str) -> None:
    with pytest.raises(ValidationError, match=r"legal|greater than"):
        HistoryRules.model_validate(WRONG[case])


def test_a_log_is_read_newest_first() -> None:
    rules = HistoryRules.model_validate({"command": "show log", "entry": ENTRY})
    log = "\n".join([*(f"{hour} by noc" for hour in range(NEWEST + 2)), "noise", "99 by lm lm-0123"])
    notes = rules.notes(log)
    assert len(notes) == NEWEST
    assert (notes[0].at, notes[1].at) == ("99", str(NEWEST + 1))
    assert HistoryRules(stream="NETCONF").notes(log) == ()


def test_changes_of_the_place_come_before_newer_ones_elsewhere() -> None:
    notes = (note("3", OTHER), note("2", NAME), note("1", VLAN))
    assert [each.at for each in concerning(notes, [NAME])] == ["2", "1"]
    assert [each.at for each in concerning(notes, [("ntp",)])] == ["3", "2", "1"]
    assert concerning((), [NAME]) == ()


def test_whoever_is_not_this_platform_comes_first() -> None:
    notes = (note("3", NAME, ours=True), note("2", VLAN), note("1", NAME))
    found = culprit(notes, NAME)
    assert found is not None
    assert found.at == "2"
    only_ours = culprit(notes[:1], NAME)
    assert only_ours is not None
    assert only_ours.ours
    assert culprit(notes, OTHER) is None


def test_the_culprit_is_told_however_busy_the_device_was_since() -> None:
    busy = tuple(note(str(number), NAME, ours=True) for number in range(NEWEST * 2))
    told = concerning((*busy, note("old", NAME)), [NAME])
    assert [each.at for each in told] == ["0", "1", "2", "3", "4", "old"]
