"""The drift page's commands are run, one after the other, on a platform whose devices somebody has changed."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
import yaml

from activation.drift_policy import DriftRule
from api.demo import bodies
from tests.api.by_hand import type_in
from tests.api.conftest import Platform
from tests.api.test_drift import edited, lastmile, node
from tests.docs.test_docs import BLOCKS, Block
from tests.labs.embedded.netconf_client import logged_in

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PAGE: Final = "how-to/drift.md"
VLAN: Final = 1042
"""The VLAN that the page's paths name: the first that the lab hands out."""
PATIENCE_S: Final = 60.0
PLACEHOLDER: Final = "lm-5c0b7f0e2d"
"""The transaction that the page undoes."""
VARYING: Final = (
    (r"[0-9a-f]{8}-[0-9a-f-]*(…)?", "ID"),
    (r"changed by .+ from [\d.]+, session \d+", "changed by SOMEBODY"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What somebody did on the devices before a command, and what it says then."""

    before: Callable[[Platform], object] = lambda platform: platform
    code: int = 0
    words: tuple[str, ...]


def ordered(platform: Platform, body: dict[str, Any]) -> None:
    tree = platform.client.follow(platform.client.place(body), timeout_s=PATIENCE_S)
    assert tree["productOrder"]["state"] == "completed"


def ordered_next_door(platform: Platform) -> None:
    ordered(platform, bodies.add(serial_number="LMLE0000A016", place_id="ADDR-1016"))


def renamed(platform: Platform) -> None:
    type_in(node(platform, "sw1"), f"vlan {VLAN}", "name mine")


def renamed_and_shut(platform: Platform) -> None:
    renamed(platform)
    type_in(node(platform, "r1"), f"interface eth1.{VLAN}", "shutdown")


EXPECTED: Final = {
    "drift": Expected(before=renamed_and_shut, code=1, words=("sw1", "drifted", "r1", "olt1", "inSync")),
    "drift sw1 --diff": Expected(code=1, words=(f"vlan {VLAN} / name", "-   name mine", f"+   name ftth-{VLAN}")),
    "drift --last": Expected(code=1, words=("sw1", "drifted", "Z")),
    "reconcile sw1 --reapply --dry-run": Expected(words=(f"name ftth-{VLAN}",)),
    "reconcile sw1 --reapply 'vlan 1042'": Expected(words=(f"name ftth-{VLAN}",)),
    "reconcile r1 --reapply --remove 'interface eth1.1042 / shutdown'": Expected(words=("shutdown",)),
    "reconcile sw1 --adopt 'vlan * / name'": Expected(before=renamed, words=("name mine",)),
    "transactions --device sw1": Expected(words=("lm-", "sw1")),
    f"rollback {PLACEHOLDER} --dry-run": Expected(before=ordered_next_door, words=("sw1",)),
}


def blocks(language: str) -> list[Block]:
    return [each for each in BLOCKS if PAGE in each.place and each.language == language]


def commands() -> list[str]:
    lines = (line for block in blocks("console") for line in block.text.splitlines())
    return [line.removeprefix("$ lastmile ") for line in lines if line.startswith("$ lastmile ")]


@pytest.fixture(scope="module")
def served(platform: Platform) -> Platform:
    """Return a platform with one household's broadband."""
    ordered(platform, bodies.add())
    assert f"vlan {VLAN}" in platform.configurations()["sw1"]
    return platform


def test_the_commands_do_what_the_page_says(served: Platform) -> None:
    assert commands() == list(EXPECTED)
    for line, expected in EXPECTED.items():
        expected.before(served)
        transaction = str(served.client.get("/lastmile/v1/transaction")[0]["id"])
        said = lastmile(served, *shlex.split(line.replace(PLACEHOLDER, transaction)))
        assert said.exit_code == expected.code, (line, said.output, said.exception)
        for words in expected.words:
            assert words in said.output, (line, words, said.output)
    assert {each["state"] for each in served.client.get("/lastmile/v1/drift")} == {"inSync"}


def test_what_the_olt_tells_is_shown_as_on_the_page(served: Platform) -> None:
    (shown,) = blocks("text")
    with logged_in(node(served, "olt1")) as person:
        edited(person, f"vani-{VLAN}", "<enabled>false</enabled>")
        said = lastmile(served, "drift", "olt1").stdout
        edited(
            person,
            f"vani-{VLAN}",
            '<enabled xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="remove"/>',
        )
    for line in shown.text.splitlines():
        assert constant(line) in constant(said), said


def constant(text: str) -> str:
    """Return ``text`` without what differs from day to day."""
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return text


def test_the_policy_is_legal() -> None:
    (block,) = blocks("yaml")
    rules: list[Any] = yaml.safe_load(block.text)["drift"]
    assert [DriftRule.model_validate(rule).policy for rule in rules] == ["ignore", "adopt", "reapply"]
