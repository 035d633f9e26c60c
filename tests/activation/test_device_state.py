import pytest
from pydantic import ValidationError

from activation.device_state import Expectation, Question

VALUES = {"vlan": 1042, "port": "Ethernet1", "address": "10.42.1.15"}
VLAN = '{"vlans": {"1042": {"status": "active", "interfaces": {"Ethernet1": {}}, "dynamic": false}}}'
ROUTE = '{"10.42.1.15/32": [{"installed": true, "distance": 1}]}'
JSON_CASES = {
    "a value": (VLAN, ("vlans", "{vlan}", "status"), "active", True, "active"),
    "another value": (VLAN, ("vlans", "{vlan}", "status"), "suspended", False, "active instead of suspended"),
    "a word of JSON": (ROUTE, ("{address}/32", "0", "installed"), "true", True, "true"),
    "a number": (ROUTE, ("{address}/32", "0", "distance"), "1", True, "1"),
    "something": (VLAN, ("vlans", "{vlan}", "interfaces", "{port}"), None, True, "there"),
    "a key that is not there": (VLAN, ("vlans", "7", "status"), "active", False, "nothing instead of active"),
    "an entry that is not there": (ROUTE, ("{address}/32", "1"), None, False, "nothing instead of something"),
    "no JSON": ("% Invalid input", ("vlans",), None, False, "cannot be understood"),
}


@pytest.mark.parametrize("name", JSON_CASES)
def test_json(name: str) -> None:
    answer, at, equals, is_good, words = JSON_CASES[name]
    question = Question(ask="show vlan {vlan} | json", expect=(Expectation(at=at, equals=equals),))
    found = question.judged(answer, VALUES, {})
    assert found[0] is is_good
    assert words in found[1]


OLT = '<data xmlns:i="urn:if"><i:interface><i:name>v-{0}</i:name><i:status>{1}</i:status></i:interface></data>'


@pytest.mark.parametrize(
    ("answer", "is_good", "words"),
    [
        (OLT.format(1042, "up"), True, "status of v-1042: up"),
        (OLT.format(1042, "down"), False, "status of v-1042: down instead of up"),
        (OLT.format(7, "up"), False, "nothing instead of up"),
        ("<data/>", False, "nothing instead of up"),
        ("<data", False, "cannot be understood"),
    ],
)
def test_xml(answer: str, is_good: bool, words: str) -> None:  # noqa: FBT001 - a value of the table
    at = "//if:interface[if:name='v-{vlan}']/if:status"
    expected = Expectation(at=at, equals="up", called="status of v-{vlan}")
    question = Question(ask="<interface><name>v-{vlan}</name></interface>", expect=(expected,))
    found = question.judged(answer, VALUES, {"if": "urn:if"})
    assert found[0] is is_good
    assert words in found[1]


def test_values_go_into_the_question_and_cannot_leave_their_place_in_it() -> None:
    at = Expectation(at="//x")
    assert Question(ask="<name>{name}</name>", expect=(at,)).text({"name": "a<b&c"}) == "<name>a&lt;b&amp;c</name>"


@pytest.mark.parametrize(("ask", "at"), [("<interfaces/>", ("a",)), ("show vlan | json", "//a")])
def test_where_to_look_must_fit_what_is_asked(ask: str, at: str | tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="legal for 'at'"):
        Question(ask=ask, expect=(Expectation(at=at),))
