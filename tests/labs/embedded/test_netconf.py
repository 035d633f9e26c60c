"""The emulated OLT as stock ncclient sees it, over real sockets."""

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from lxml import etree
from ncclient.operations import RPCError
from ncclient.operations.errors import TimeoutExpiredError
from ncclient.transport.errors import AuthenticationError, SessionCloseError
from ncclient.xml_ import to_ele

from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from tests.labs.embedded.netconf_client import logged_in
from tests.labs.embedded.olt_configs import config, profile

pytestmark = pytest.mark.lab
DEADLINE_S = 5.0
NC = "urn:ietf:params:xml:ns:netconf:base:1.0"

Connect = Callable[[], AbstractContextManager[Any]]


def edit(inner: str) -> str:
    return etree.tostring(config(inner), encoding="unicode")


def until(holds: Callable[[], bool], what: str) -> None:
    """Poll until ``holds``; fail at the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {what}"
        time.sleep(0.01)


@pytest.fixture
def connect(olt_lab: EmbeddedLab) -> Connect:
    (node,) = olt_lab.nodes()
    return partial(logged_in, node)


def test_hello_offers_what_the_device_can(connect: Connect) -> None:
    with connect() as olt:
        capabilities = {str(uri) for uri in olt.server_capabilities}
        for needed in (
            "urn:ietf:params:netconf:base:1.1",
            "urn:ietf:params:netconf:capability:candidate:1.0",
            "urn:ietf:params:netconf:capability:confirmed-commit:1.1",
            "urn:ietf:params:netconf:capability:validate:1.1",
            "urn:ietf:params:netconf:capability:rollback-on-error:1.0",
        ):
            assert needed in capabilities
        assert not any("writable-running" in uri for uri in capabilities)
        assert any(uri.startswith("urn:bbf:yang:bbf-xponvani?module=bbf-xponvani&revision=") for uri in capabilities)


def test_wrong_password_is_turned_away(connect: Callable[..., AbstractContextManager[Any]]) -> None:
    with pytest.raises(AuthenticationError), connect(password="wrong"):
        pass


def test_edit_validate_commit_read_back_and_cease(connect: Connect, olt_lab: EmbeddedLab) -> None:
    before = olt_lab.running_config("olt1")
    with connect() as olt:
        with olt.locked("candidate"):
            olt.edit_config(target="candidate", config=edit(profile("p")))
            olt.validate("candidate")
            olt.commit()
        wanted = '<t:xpongemtcont xmlns:t="urn:bbf:yang:bbf-xpongemtcont"/>'
        data = olt.get_config("running", filter=("subtree", wanted)).data_xml
        assert "<name>p</name>" in data
        assert "interfaces" not in data
        assert olt.get(filter=("subtree", wanted)).data_xml == data
        with olt.locked("candidate"):
            olt.edit_config(target="candidate", config=edit(profile("p", "delete", "")))
            olt.commit()
    assert olt_lab.running_config("olt1") == before


def test_refusal_carries_type_tag_path_and_message(connect: Connect) -> None:
    with connect() as olt:
        with pytest.raises(RPCError) as refused:
            olt.edit_config(target="candidate", config=edit(profile("p", "", "<t:colour>1</t:colour>")))
        error = refused.value
        assert (error.type, error.tag, error.severity) == ("application", "unknown-element", "error")
        assert error.path.strip().endswith("[bbf-xpongemtcont:name='p']/bbf-xpongemtcont:colour")
        assert "unknown element bbf-xpongemtcont:colour" in error.message
        assert "<bad-element>colour</bad-element>" in error.info


def test_several_errors_come_together(connect: Connect) -> None:
    inner = profile("p", "", "") + profile("q", "", "")
    with connect() as olt:
        olt.edit_config(target="candidate", config=edit(inner))
        with pytest.raises(RPCError) as refused:
            olt.validate("candidate")
        assert [error.tag for error in refused.value.errors] == ["missing-element", "missing-element"]


def test_lock_is_denied_with_the_holders_number(connect: Connect) -> None:
    with connect() as first, connect() as second:
        first.lock("candidate")
        with pytest.raises(RPCError) as denied:
            second.lock("candidate")
        assert denied.value.tag == "lock-denied"
        assert f"<session-id>{first.session_id}</session-id>" in denied.value.info
        first.close_session()
        until(lambda: succeeds(lambda: second.lock("candidate")), "the lock of a closed session is released")


def succeeds(act: Callable[[], object]) -> bool:
    try:
        act()
    except RPCError:
        return False
    return True


def test_killed_session_loses_lock_and_changes(connect: Connect) -> None:
    with connect() as victim, connect() as killer:
        victim.lock("candidate")
        victim.edit_config(target="candidate", config=edit(profile("p")))
        with pytest.raises(RPCError, match="no other session has the number '99'"):
            killer.kill_session("99")
        killer.kill_session(victim.session_id)
        killer.lock("candidate")
        assert "<name>p</name>" not in killer.get_config("candidate").data_xml
        until(lambda: not victim.connected, "the victim notices")


@pytest.mark.parametrize("persist", [None, "order-1"])
def test_confirmed_commit_when_the_session_dies(connect: Connect, olt_lab: EmbeddedLab, persist: str | None) -> None:
    before = olt_lab.running_config("olt1")
    with connect() as olt:
        olt.edit_config(target="candidate", config=edit(profile("p")))
        olt.commit(confirmed=True, timeout="60", persist=persist)
        assert olt_lab.running_config("olt1") != before
    if persist is None:
        until(lambda: olt_lab.running_config("olt1") == before, "the commit is taken back")
        return
    with connect() as other:
        assert "<name>p</name>" in other.get_config("running").data_xml
        other.commit(persist_id=persist)
    assert "<name>p</name>" in olt_lab.running_config("olt1")


def test_confirmed_commit_is_taken_back_at_the_timer_and_by_cancel(connect: Connect, olt_lab: EmbeddedLab) -> None:
    before = olt_lab.running_config("olt1")
    with connect() as olt:
        olt.edit_config(target="candidate", config=edit(profile("p")))
        olt.commit(confirmed=True, timeout="1")
        assert olt_lab.running_config("olt1") != before
        until(lambda: olt_lab.running_config("olt1") == before, "the timer fires")
        olt.edit_config(target="candidate", config=edit(profile("p")))
        olt.commit(confirmed=True, timeout="60")
        olt.cancel_commit()
        assert olt_lab.running_config("olt1") == before


def test_copy_and_delete_reach_the_candidate_only(connect: Connect, olt_lab: EmbeddedLab) -> None:
    before = olt_lab.running_config("olt1")
    with connect() as olt:
        olt.delete_config("candidate")
        assert "<interface>" not in olt.get_config("candidate").data_xml
        olt.copy_config(source="running", target="candidate")
        assert "<interface>" in olt.get_config("candidate").data_xml
        with pytest.raises(RPCError, match="running is not writable"):
            olt.edit_config(target="running", config=edit(profile("p")))
        with pytest.raises(RPCError, match="running is not writable"):
            olt.copy_config(source="candidate", target="running")
        olt.discard_changes()
    assert olt_lab.running_config("olt1") == before


PROTOCOL_ERRORS = {
    "unknown-operation": ("<reboot/>", "operation-not-supported"),
    "no-target": ("<edit-config/>", "missing-element"),
    "no-config": ("<edit-config><target><candidate/></target></edit-config>", "missing-element"),
    "startup": ("<get-config><source><startup/></source></get-config>", "operation-not-supported"),
    "xpath": ('<get><filter type="xpath" select="/"/></get>', "bad-attribute"),
    "option": (
        "<edit-config><target><candidate/></target><default-operation>guess</default-operation><config/></edit-config>",
        "invalid-value",
    ),
    "timeout": ("<commit><confirmed/><confirm-timeout>soon</confirm-timeout></commit>", "invalid-value"),
    "nothing-to-cancel": ("<cancel-commit/>", "operation-failed"),
    "not-locked": ("<unlock><target><candidate/></target></unlock>", "operation-failed"),
    "kill-nobody": ("<kill-session/>", "missing-element"),
}


def in_base_namespace(body: str) -> str:
    return re.sub(r"^<([\w-]+)", rf'<\1 xmlns="{NC}"', body)


def test_protocol_errors_leave_the_session_usable(connect: Connect) -> None:
    with connect() as olt:
        for case, (body, tag) in PROTOCOL_ERRORS.items():
            operation = etree.fromstring(in_base_namespace(body))
            with pytest.raises(RPCError) as refused:
                olt.dispatch(operation)
            assert refused.value.tag == tag, case
        assert olt.dispatch(to_ele(f'<get xmlns="{NC}"><filter/></get>')).ok


REFUSALS: dict[str, str] = {
    "refuse_edit": "ONU table full on channel-partition",
    "refuse_commit": "commit failed",
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_fault_refusals(connect: Connect, olt_lab: EmbeddedLab, kind: str) -> None:
    before = olt_lab.running_config("olt1")
    olt_lab.faults.set("olt1", Fault(kind))
    with connect() as olt:
        with pytest.raises(RPCError, match=REFUSALS[kind]):
            add(olt)
        assert olt_lab.running_config("olt1") == before
        add(olt)
    assert "<name>p</name>" in olt_lab.running_config("olt1")


def add(olt: Any) -> None:
    olt.edit_config(target="candidate", config=edit(profile("p")))
    olt.commit()


DROPS: dict[str, bool] = {"drop_before_commit": False, "drop_after_commit": True}


@pytest.mark.parametrize("kind", DROPS)
def test_fault_drops(connect: Connect, olt_lab: EmbeddedLab, kind: str) -> None:
    olt_lab.faults.set("olt1", Fault(kind))
    with connect() as olt, pytest.raises(SessionCloseError):
        add(olt)
    assert ("<name>p</name>" in olt_lab.running_config("olt1")) is DROPS[kind]


def test_fault_hang_holds_the_lock_until_the_client_leaves(
    connect: Callable[..., AbstractContextManager[Any]], olt_lab: EmbeddedLab
) -> None:
    before = olt_lab.running_config("olt1")
    olt_lab.faults.set("olt1", Fault("hang_in_commit"))
    with connect() as other:
        with connect(timeout=0.3) as olt:
            olt.lock("candidate")
            with pytest.raises(TimeoutExpiredError):
                add(olt)
            with pytest.raises(RPCError, match="lock of candidate denied"):
                other.lock("candidate")
        until(lambda: succeeds(lambda: other.lock("candidate")), "the lock of the session that hung is released")
        assert other.get_config("candidate").data_xml == other.get_config("running").data_xml
    assert olt_lab.running_config("olt1") == before


def test_fault_delays(connect: Connect, olt_lab: EmbeddedLab) -> None:
    with connect() as olt:
        for fault in (Fault("latency", value=0.2), Fault("commit_time", value=0.3)):
            olt_lab.faults.set("olt1", fault)
        started = time.monotonic()
        olt.commit()
        assert time.monotonic() - started >= 0.5


def test_a_thousand_entries_in_one_edit(connect: Connect, olt_lab: EmbeddedLab) -> None:
    many = edit("".join(profile(f"p{number}") for number in range(1000)))
    with connect() as olt:
        olt.edit_config(target="candidate", config=many)
        olt.commit()
    assert olt_lab.running_config("olt1").count("<traffic-descriptor-profile>") == 1000
