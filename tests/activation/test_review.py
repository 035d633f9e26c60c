from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from activation.errors import BadPolicy
from activation.review import Foreseen, Requirement, ReviewPolicy, Risk, load_policy, stronger
from tests.activation.rig import TEMPLATES

PLATFORMS = ("bbf_olt", "frr")
CHANGE = Foreseen(
    action="add",
    specifications=frozenset({"internet-access", "gpon-access"}),
    devices=frozenset({"olt1", "r1"}),
    roles=frozenset({"olt", "router"}),
    platforms=frozenset({"bbf_olt", "frr"}),
)
RISK = Risk(shared_services=3, removed_lines=2, unowned_nodes=0)

FITS = {
    "no conditions": ({}, True),
    "its specification": ({"specification": "internet-access"}, True),
    "one of several": ({"specification": ["voice", "gpon-access"]}, True),
    "another specification": ({"specification": "voice"}, False),
    "its action": ({"action": ["add", "delete"]}, True),
    "another action": ({"action": "delete"}, False),
    "a role": ({"role": "router"}, True),
    "another role": ({"role": "switch"}, False),
    "a device": ({"device": "olt1"}, True),
    "another device": ({"device": "olt2"}, False),
    "a platform": ({"platform": "frr"}, True),
    "as many devices": ({"min_devices": 2}, True),
    "more devices": ({"min_devices": 3}, False),
    "as many neighbours": ({"min_shared_services": 3}, True),
    "more neighbours": ({"min_shared_services": 4}, False),
    "as many removed lines": ({"min_removed_lines": 2}, True),
    "more removed lines": ({"min_removed_lines": 3}, False),
    "nodes nobody owns": ({"min_unowned_nodes": 1}, False),
    "all of several": ({"action": "add", "role": "olt", "min_devices": 1}, True),
    "all but one of several": ({"action": "add", "role": "switch", "min_devices": 1}, False),
}


def policy(*rules: dict[str, object], otherwise: str = "auto") -> ReviewPolicy:
    named = [{"name": f"rule {number}", **rule} for number, rule in enumerate(rules)]
    return ReviewPolicy.model_validate({"rules": named, "otherwise": otherwise})


@pytest.mark.parametrize("case", FITS)
def test_a_rule_holds_where_all_its_conditions_do(case: str) -> None:
    when, fits = FITS[case]
    wanted = Requirement.FOUR_EYES if fits else Requirement.AUTO
    assert policy({"when": when, "require": "fourEyes"}).ruling(CHANGE, RISK).requirement is wanted


def test_the_first_rule_that_fits_decides_and_is_named() -> None:
    found = policy(
        {"when": {"action": "delete"}, "require": "fourEyes"},
        {"when": {"action": "add"}, "require": "oneApprover"},
        {"require": "fourEyes"},
    ).ruling(CHANGE, RISK)
    assert (found.requirement, found.rule) == (Requirement.ONE_APPROVER, "rule 1")


def test_where_no_rule_fits_otherwise_holds() -> None:
    found = policy({"when": {"action": "delete"}, "require": "auto"}, otherwise="oneApprover").ruling(CHANGE, RISK)
    assert (found.requirement, found.rule) == (Requirement.ONE_APPROVER, "otherwise")


FORESEEN = {
    "nothing asks": (policy(), False),
    "a rule that fits asks": (policy({"when": {"action": "add"}, "require": "oneApprover"}), True),
    "a rule that cannot fit": (policy({"when": {"action": "delete"}, "require": "oneApprover"}), False),
    "a rule that may fit": (policy({"when": {"min_removed_lines": 99}, "require": "oneApprover"}), True),
    "let through first": (policy({"when": {"role": "olt"}, "require": "auto"}, {"require": "fourEyes"}), False),
    "perhaps let through": (
        policy({"when": {"min_removed_lines": 1}, "require": "auto"}, {"require": "fourEyes"}),
        True,
    ),
    "otherwise asks": (policy(otherwise="fourEyes"), True),
}


@pytest.mark.parametrize("case", FORESEEN)
def test_what_can_be_known_before_the_plan(case: str) -> None:
    rules, expected = FORESEEN[case]
    assert rules.may_need_people(CHANGE) is expected


CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(["add", "modify", "delete"]),
        "role": st.sampled_from(["olt", "switch"]),
        "min_devices": st.integers(1, 3),
        "min_shared_services": st.integers(1, 5),
        "min_removed_lines": st.integers(1, 5),
        "min_unowned_nodes": st.integers(1, 2),
    },
)
RULES = st.lists(st.fixed_dictionaries({"when": CONDITIONS, "require": st.sampled_from(list(Requirement))}), max_size=4)


@given(RULES, st.sampled_from(list(Requirement)), st.integers(0, 5), st.integers(0, 5), st.integers(0, 2))
def test_whoever_was_not_foreseen_to_need_people_never_does(
    rules: list[dict[str, object]], otherwise: str, shared: int, removed: int, unowned: int
) -> None:
    risk = Risk(shared_services=shared, removed_lines=removed, unowned_nodes=unowned)
    found = policy(*rules, otherwise=otherwise)
    if found.ruling(CHANGE, risk).requirement is not Requirement.AUTO:
        assert found.may_need_people(CHANGE)
        assert not found.is_silent


def test_requirements_have_an_order() -> None:
    assert stronger(Requirement.FOUR_EYES, Requirement.AUTO) is Requirement.FOUR_EYES
    assert stronger(Requirement.AUTO, Requirement.ONE_APPROVER) is Requirement.ONE_APPROVER


def test_the_shipped_policy_asks_nobody() -> None:
    assert load_policy(TEMPLATES / "review.yaml", platforms=PLATFORMS).is_silent


def test_names_may_stand_alone_or_in_a_list(tmp_path: Path) -> None:
    file = tmp_path / "review.yaml"
    text = "rules: [{name: a, when: {role: olt, action: [add, delete]}, require: oneApprover}]"
    file.write_text(text, encoding="utf-8")
    found = load_policy(file, platforms=PLATFORMS)
    assert found.ruling(CHANGE, RISK).rule == "a"
    assert found.ruling(replace(CHANGE, action="modify"), RISK).rule == "otherwise"


BAD_FILES = {
    "a requirement": ("rules: [{name: a, require: threeEyes}]", r"rules\[0\].require.*'oneApprover'"),
    "an action": ("rules: [{name: a, when: {action: explode}, require: auto}]", r"rules\[0\].when.action.*add, modify"),
    "a condition": ("rules: [{name: a, when: {colour: red}, require: auto}]", r"when.colour is not known; legal: spec"),
    "a key of a rule": ("rules: [{name: a, colour: red, require: auto}]", r"\[0\].colour is not known; legal: name"),
    "a key of the file": ("regeln: []", r"regeln is not known; legal: rules, otherwise"),
    "a number": (
        "rules: [{name: a, when: {min_devices: 0}, require: auto}]",
        r"min_devices.*greater than or equal to 1",
    ),
    "no name": ("rules: [{require: auto}]", r"rules\[0\].name"),
    "a platform": ("rules: [{name: a, when: {platform: ios}, require: auto}]", r"platform: 'ios'; legal: bbf_olt, frr"),
    "a name twice": ("rules: [{name: a, require: auto}, {name: a, require: auto}]", r"'a' is given twice"),
    "no mapping": ("- 1", r"must hold a mapping"),
    "no YAML": ("rules: [", r"review.yaml"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_with_the_place_and_what_is_legal(case: str, tmp_path: Path) -> None:
    text, words = BAD_FILES[case]
    (tmp_path / "review.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BadPolicy, match=words):
        load_policy(tmp_path / "review.yaml", platforms=PLATFORMS)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy, match="No such file"):
        load_policy(tmp_path / "none.yaml", platforms=PLATFORMS)


def test_what_a_policy_says_survives_yaml() -> None:
    found = policy({"when": {"role": "olt", "min_devices": 2}, "require": "fourEyes"})
    text = yaml.safe_dump(found.model_dump(mode="json", exclude_none=True))
    assert ReviewPolicy.model_validate(yaml.safe_load(text)) == found
