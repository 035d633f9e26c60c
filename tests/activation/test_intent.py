from pathlib import Path
from typing import Any

import pytest

from activation.errors import ActivationError, BadIntent
from activation.intent import build_intent, camel_case, load_intents
from activation.model import ServiceId
from tests.activation.services import INTENTS, characteristics

GPON = INTENTS["gpon-access"]
SERVICE = ServiceId("svc")


def good(**changes: Any) -> dict[str, Any]:
    return characteristics("bbf_olt", 1042, 50) | changes


def test_an_intent_knows_its_device_and_its_variables_in_snake_case() -> None:
    intent = build_intent(GPON, SERVICE, good())
    assert (intent.name, intent.device, intent.service_id) == ("gpon-access", "dut", "svc")
    assert intent.variables["ont_serial_number"] == "ABCD00000001"


def test_computed_variables() -> None:
    variables = build_intent(GPON, SERVICE, good()).variables
    assert (variables["upstream_mbps"], variables["alloc_id"], variables["gemport_id"]) == (50, 1024, 1024)


@pytest.mark.parametrize("text", ["1, 'b': 2", "1}, {2: 3", "1), 'b': (2"])
def test_a_computed_expression_cannot_be_two(text: str) -> None:
    spec = GPON.model_copy(update={"computed": {"a": text}})
    with pytest.raises(BadIntent, match="computed variables"):
        build_intent(spec, SERVICE, good())


BAD = {
    "ill-typed": ({"vlanId": "1042"}, "vlanId is '1042'; legal: an integer from 1 to 4094"),
    "a boolean is no integer": ({"vlanId": True}, "vlanId is True; legal: an integer from 1 to 4094"),
    "out of range": ({"onuId": 254}, "onuId is 254; legal: an integer from 0 to 253"),
    "wrong pattern": ({"ontSerialNumber": "abc"}, "ontSerialNumber is 'abc'; legal: a string that matches"),
    "more after the pattern": ({"subscriber": "1042\nreload"}, "subscriber is '1042\\nreload'; legal"),
    "unknown": ({"speed": 1}, "speed is unknown; known: assuredBps, channelPair"),
}


@pytest.mark.parametrize(("changes", "problem"), BAD.values(), ids=BAD)
def test_a_bad_characteristic_is_named_with_what_is_legal(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadIntent) as raised:
        build_intent(GPON, SERVICE, good(**changes))
    assert len(raised.value.problems) == 1
    assert raised.value.problems[0].startswith(problem)


def test_every_problem_is_told_at_once() -> None:
    posted = good(vlanId=0, onuId="x")
    del posted["olt"]
    with pytest.raises(BadIntent) as raised:
        build_intent(GPON, SERVICE, posted)
    assert [problem.split(maxsplit=1)[0] for problem in raised.value.problems] == ["olt", "onuId", "vlanId"]


@pytest.mark.parametrize("address", ["10.42.1.256", "10.42.1.0/24", "::1", 7, "10.42.1.1 "])
def test_only_an_address_is_an_address(address: object) -> None:
    with pytest.raises(BadIntent, match="legal: an IPv4 address"):
        build_intent(INTENTS["ip-edge"], SERVICE, characteristics("frr", 1042, 50) | {"gateway": address})


def test_wire_names() -> None:
    assert [camel_case(name) for name in ("olt", "onu_id", "ont_serial_number")] == ["olt", "onuId", "ontSerialNumber"]


FILES = {
    "no YAML": ("a: [", "while parsing"),
    "a string without bounds": ("a: {device: d, variables: {d: {type: string}}}", "needs a pattern"),
    "an integer without bounds": ("a: {device: d, variables: {d: {type: integer, minimum: 1}}}", "minimum and maximum"),
    "a device nobody declares": ("a: {device: x, variables: {d: {type: ipv4}}}", "'x' is no variable; known: d"),
    "an unknown word": ("a: {device: d, variables: {d: {type: ipv4}}, colour: red}", "colour"),
    "no mapping": ("- a", "list"),
}


@pytest.mark.parametrize(("text", "reason"), FILES.values(), ids=FILES)
def test_a_bad_file_is_refused_with_its_name(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "intents.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ActivationError, match=rf"intents\.yaml: (.|\n)*{reason}"):
        load_intents(file)


@pytest.mark.parametrize("expression", ["missing + 1", "d.__class__.__mro__", "1 // 0", "1 +"])
def test_a_computed_variable_that_fails_is_a_bad_intent(tmp_path: Path, expression: str) -> None:
    file = tmp_path / "intents.yaml"
    text = f"a: {{device: d, variables: {{d: {{type: ipv4}}}}, computed: {{c: '{expression}'}}}}"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadIntent, match="computed variables"):
        build_intent(load_intents(file)["a"], SERVICE, {"d": "10.0.0.1"})
