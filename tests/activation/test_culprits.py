"""Who of a group a device's own words are about."""

import pytest

from activation.culprits import alike, named_by
from activation.drivers.netconf_messages import parse_reply
from activation.errors import EditRefused, OutcomeUnknown, PlanError
from activation.model import Fragment, FragmentChange, ServiceId
from activation.report import Report
from activation.work import Member, Work
from inventory.store import Row

ONT = (
    "<interfaces xmlns='urn:if'><interface><name>ont-{n}</name>"
    "<description>Ann &amp; Co {n}</description></interface></interfaces>"
)
VLAN = "vlan {n}\n   name C-{n}\ninterface Ethernet1\n   switchport trunk allowed vlan add {n}\n"
REPLY = """<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1">{errors}</rpc-reply>"""
ERROR = """<rpc-error><error-type>application</error-type><error-tag>invalid-value</error-tag>
<error-severity>error</error-severity><error-path xmlns:if="urn:if">{path}</error-path>
<error-message>no such port</error-message></rpc-error>"""


def member(number: int, text: str) -> Member:
    fragment = Fragment(service_id=ServiceId(f"s{number}"), device="d", intent="i", text=text.format(n=number))
    work = Work(root_id=f"s{number}", old=(), by_device={"d": (FragmentChange(old=None, new=fragment),)})
    monitor = Row(id=f"m{number}", state="", correlation_id="", document={})
    return Member(monitor=monitor, work=work, report=Report(), transactions=None, end=lambda _: None)  # type: ignore[arg-type]  # nothing is written


def path(number: int) -> str:
    return f"/if:interfaces/if:interface[if:name='ont-{number}']/if:description"


def netconf_reason(*paths: str) -> str:
    return parse_reply(REPLY.format(errors="".join(ERROR.format(path=each) for each in paths)).encode()).reason


CASES = {
    "netconf-path": (ONT, "d", netconf_reason(path(7)), [7]),
    "netconf-two": (ONT, "d", netconf_reason(path(7), path(12)), [7, 12]),
    "netconf-none": (ONT, "d", netconf_reason("/if:interfaces"), []),
    "cli-line": (VLAN, "d", "% Invalid input (at token 1: 'x') in: name C-12", [12]),
    "cli-nested": (VLAN, "d", "Invalid input detected at command: switchport trunk allowed vlan add 7", [7]),
    "cli-nobody": (VLAN, "d", "% Command authorization failed", []),
    "other-device": (VLAN, "e", "Invalid input detected at command: name C-12", []),
    "shared": (VLAN, "d", "Invalid input detected at command: interface Ethernet1", []),
}


@pytest.mark.parametrize("case", CASES)
def test_who_is_named(case: str) -> None:
    text, device, reason, expected = CASES[case]
    members = [member(number, text) for number in range(1, 101)]
    named = named_by([PlanError("x"), EditRefused(device, "stage", reason)], members)
    assert [each.work.root_id for each in named] == [f"s{number}" for number in expected]


def test_refusals_that_differ_in_whom_they_name_are_alike() -> None:
    assert alike(netconf_reason(path(7))) == alike(netconf_reason(path(12)))
    assert alike("vlan 7: no licence") == alike("vlan 1207: no licence") != alike("vlan 7: out of range")


def test_a_lost_answer_names_nobody() -> None:
    members = [member(number, ONT) for number in (1, 2)]
    assert named_by([OutcomeUnknown("d", "commit", "no answer within 15 s")], members) == []
