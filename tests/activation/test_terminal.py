"""What a device that waits is answered, and what is left of a paged answer."""

import re

import pytest
from pydantic import ValidationError

from activation.terminal import TerminalRules, Turn, asks

SMART = TerminalRules(
    refusals=(re.compile(r"\s*%"), re.compile(r"\s*Failure: ")),
    pager=Turn(shows=re.compile(r"---- More \( Press 'Q' to break \) ----"), answer=" ", enter=False),
    questions=(
        Turn(shows=re.compile(r"\{ <cr>.*\}:")),
        Turn(shows=re.compile(r"(?i:are you sure to save).*\(y/n\)\[n\]:"), answer="y"),
    ),
)
WAITS: dict[str, str | None] = {
    "display board 0\n{ <cr>||<K> }:": "",
    "Are you sure to save the configuration? (y/n)[n]:": "y",
    "Are you sure to save the configuration? (y/n)[n]: ": "y",
    "line one\n---- More ( Press 'Q' to break ) ----": " ",
    "Are you sure to reset the board? (y/n)[n]:": None,
    "Are you sure to save the configuration? (y/n)[n]:\nMA5800#": None,
    "MA5800(config)#": None,
    "": None,
}
ASKS = {
    "This may interrupt services. Are you sure? [y/n]: ": True,
    "Continue (yes/no)?": True,
    "Proceed with reload? [confirm]": True,
    "Really erase everything? ": True,
    "Overwrite? (Y/N)[N]:": True,
    "r1(config)#": False,
    "description asked y/n\n": False,
    "[[ maintenance shell ]] :: ": False,
    "": False,
}
PAGED = {
    "cr and blanks": ("one\n --More-- \n          \ntwo\nr1#", "one\ntwo\nr1#"),
    "backspaces": ("one\n--More--\x08\x08        \x08\x08two\nr1#", "one\ntwo\nr1#"),
    "cursor left": ("one\n -- More --\x1b[11D           \x1b[11Dtwo\nr1#", "one\ntwo\nr1#"),
    "one page": ("one\n two\nr1#", "one\n two\nr1#"),
}


@pytest.mark.parametrize("said", WAITS)
def test_a_device_that_waits_gets_what_the_platform_says(said: str) -> None:
    turn = SMART.turn(said)
    assert (turn.answer if turn else None) == WAITS[said]


@pytest.mark.parametrize("said", ASKS)
def test_a_question_is_told_from_a_prompt(said: str) -> None:
    assert asks(said) is ASKS[said]


@pytest.mark.parametrize("case", PAGED)
def test_pages_are_put_together(case: str) -> None:
    paged, whole = PAGED[case]
    assert TerminalRules().without_pager(paged) == whole


def test_refused_lines_are_found_by_the_platforms_own_marks() -> None:
    said = "port vlan 9\n  Failure: The VLAN does not exist\nMA5800#\n  % Unknown command\nMA5800#"
    assert SMART.refused(said) == "Failure: The VLAN does not exist; % Unknown command"
    assert TerminalRules(refusals=()).refused(said) == ""


def test_a_refusal_that_is_no_matter_hides_no_other() -> None:
    rules = TerminalRules(tolerated=(re.compile("only inactive interfaces"),))
    idle = (
        "% Configuration failed.\n\nError type: general\nError description: only inactive interfaces can be deleted\n"
    )
    assert not rules.refused(idle)
    assert rules.refused(f"% Unknown command\n{idle}% Ambiguous command\n") == "% Unknown command; % Ambiguous command"


def test_a_pattern_that_cannot_be_joined_is_refused_with_the_legal_way() -> None:
    with pytest.raises(ValidationError, match=r"legal: flags for a part, \(\?i:…\)"):
        TerminalRules.model_validate({"refusals": ["(?i)failure"]})
