"""The emulated OLT's log of changes, as stock ncclient hears it: who, from where, what, when."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from lxml import etree
from ncclient.operations import RPCError
from ncclient.xml_ import to_ele

from labs.embedded.change_log import FINE, changed_nodes
from labs.embedded.edit import apply_edit
from labs.embedded.lab import EmbeddedLab
from labs.topology import Topology
from tests.labs.embedded.netconf_client import logged_in
from tests.labs.embedded.olt_configs import SCHEMA, config, empty, profile

pytestmark = pytest.mark.lab
NOTIFICATION = "urn:ietf:params:xml:ns:netconf:notification:1.0"
CHANGE = "{urn:ietf:params:xml:ns:yang:ietf-netconf-notifications}"
ALWAYS = "2020-01-01T00:00:00Z"
PROFILE = (
    "/bbf-xpongemtcont:xpongemtcont/bbf-xpongemtcont:traffic-descriptor-profiles"
    "/bbf-xpongemtcont:traffic-descriptor-profile[bbf-xpongemtcont:name='{}']"
)
DEADLINE_S = 10.0
REFUSED = {
    "unknown stream": ("<stream>SNMP</stream>", "known: NETCONF"),
    "stop without start": (f"<stopTime>{ALWAYS}</stopTime>", "needs a startTime"),
    "start in the future": ("<startTime>2999-01-01T00:00:00Z</startTime>", "later than now"),
    "stop before start": (
        f"<startTime>{ALWAYS}</startTime><stopTime>2019-01-01T00:00:00Z</stopTime>",
        "earlier than startTime",
    ),
    "no time": ("<startTime>yesterday</startTime>", "legal: 2026-01-31T12:00:00Z"),
    "no zone": ("<startTime>2020-01-01T00:00:00</startTime>", "is no time"),
    "unknown filter": ('<filter type="xpath"/>', "known: subtree"),
}

Connect = Callable[[], AbstractContextManager[Any]]


@pytest.fixture
def connect(olt_lab: EmbeddedLab) -> Connect:
    (node,) = olt_lab.nodes()
    return partial(logged_in, node)


@pytest.fixture
def olt(connect: Connect) -> Iterator[Any]:
    with connect() as opened:
        yield opened


def edit(inner: str) -> str:
    return etree.tostring(config(inner), encoding="unicode")


def commit(olt: Any, inner: str, **options: Any) -> None:
    with olt.locked("candidate"):
        olt.edit_config(target="candidate", config=edit(inner))
        olt.commit(**options)


def subscribe(olt: Any, inner: str) -> None:
    olt.rpc(to_ele(f'<create-subscription xmlns="{NOTIFICATION}">{inner}</create-subscription>'))


def heard(olt: Any) -> etree._Element:
    event = olt.take_notification(timeout=DEADLINE_S)
    assert event is not None
    return etree.fromstring(event.notification_xml.encode())


def replayed(olt: Any, inner: str = f"<startTime>{ALWAYS}</startTime>") -> list[etree._Element]:
    subscribe(olt, inner)
    found: list[etree._Element] = []
    while etree.QName((event := heard(olt))[-1]).localname != "replayComplete":
        found.append(event)
    return found


def texts(event: etree._Element, name: str) -> list[str]:
    return [str(leaf.text) for leaf in event.iter(CHANGE + name)]


def test_a_change_is_kept_with_its_author_and_its_places(connect: Connect, olt: Any) -> None:
    commit(olt, profile("p"))
    commit(olt, profile("p", maximum="<t:maximum-bandwidth>8</t:maximum-bandwidth>"))
    commit(olt, profile("p", "delete", ""))
    with connect() as other:
        events = replayed(other)
    assert [(texts(each, "operation"), texts(each, "target")) for each in events] == [
        (["create"], [PROFILE.format("p")]),
        (["replace"], [f"{PROFILE.format('p')}/bbf-xpongemtcont:maximum-bandwidth"]),
        (["delete"], [PROFILE.format("p")]),
    ]
    for each in events:
        assert texts(each, "username") == ["admin"]
        assert texts(each, "session-id") == [olt.session_id]
        assert texts(each, "source-host")[0].startswith("127.")
        assert texts(each, "datastore") == ["running"]
    (target,) = events[0].iter(CHANGE + "target")
    assert target.nsmap["bbf-xpongemtcont"] == "urn:bbf:yang:bbf-xpongemtcont"


def test_what_comes_is_told_as_it_happens_and_the_session_goes_on(connect: Connect, olt: Any) -> None:
    subscribe(olt, "<stream>NETCONF</stream>")
    with connect() as other:
        commit(other, profile("p"))
        assert texts(heard(olt), "session-id") == [other.session_id]
    commit(olt, profile("q"))
    assert texts(heard(olt), "session-id") == [olt.session_id]
    with pytest.raises(RPCError, match="has a subscription"):
        subscribe(olt, "")


def test_a_replay_with_an_end_leaves_the_session_free(olt: Any) -> None:
    commit(olt, profile("p"))
    window = "<startTime>{}</startTime><stopTime>{}</stopTime>"
    assert replayed(olt, window.format(ALWAYS, "2021-01-01T00:00:00Z")) == []
    assert etree.QName(heard(olt)[-1]).localname == "notificationComplete"
    assert len(replayed(olt)) == 1


def test_a_filter_chooses_events_and_what_of_them(connect: Connect, olt: Any) -> None:
    commit(olt, profile("p"))
    wanted = (
        f'<filter type="subtree"><netconf-config-change xmlns="{CHANGE[1:-1]}">{{}}</netconf-config-change></filter>'
    )
    start = f"<startTime>{ALWAYS}</startTime>"
    (event,) = replayed(olt, wanted.format("<changed-by/>") + start)
    assert texts(event, "username") == ["admin"]
    assert texts(event, "target") == []
    for nothing in (wanted.format("<datastore>startup</datastore>"), '<filter><other xmlns="urn:x"/></filter>'):
        with connect() as other:
            assert replayed(other, nothing + start) == []


def test_a_commit_that_nobody_confirms_is_taken_back_by_the_device(connect: Connect, olt: Any) -> None:
    commit(olt, profile("p"), confirmed=True, timeout="1")
    with connect() as other:
        subscribe(other, f"<startTime>{ALWAYS}</startTime>")
        told = [heard(other) for _ in range(3)]
    made, taken_back = (each for each in told if texts(each, "operation"))
    assert (texts(made, "operation"), texts(taken_back, "operation")) == (["create"], ["delete"])
    assert texts(taken_back, "username") == []
    assert len(list(taken_back.iter(CHANGE + "server"))) == 1


def test_a_cancelled_commit_and_a_commit_of_nothing(olt: Any) -> None:
    commit(olt, profile("p"), confirmed=True, timeout="60", persist="order-1")
    olt.cancel_commit(persist_id="order-1")
    olt.commit()
    events = replayed(olt)
    assert [texts(each, "operation") for each in events] == [["create"], ["delete"]]
    assert texts(events[1], "session-id") == [olt.session_id]


@pytest.mark.parametrize("case", REFUSED)
def test_a_subscription_that_makes_no_sense_is_refused(olt: Any, case: str) -> None:
    inner, words = REFUSED[case]
    with pytest.raises(RPCError, match=words):
        subscribe(olt, inner)
    subscribe(olt, "")


def test_an_olt_without_notifications_says_so(olt_only: Topology) -> None:
    node = olt_only.nodes["olt1"]
    nodes = {"olt1": replace(node, labels={**node.labels, "lastmile.netconf": "candidate"})}
    with (
        EmbeddedLab(replace(olt_only, nodes=nodes), ssh_port=0, netconf_port=0) as lab,
        logged_in(lab.nodes()[0]) as olt,
    ):
        assert not any("notification" in str(uri) for uri in olt.server_capabilities)
        with pytest.raises(RPCError, match="needs the capability notification"):
            subscribe(olt, "")


def test_the_log_outlives_a_power_cut(olt_lab: EmbeddedLab, connect: Connect) -> None:
    with connect() as olt:
        commit(olt, profile("p"))
    olt_lab.cut("olt1")
    olt_lab.restore("olt1")
    with connect() as again:
        assert len(replayed(again)) == 1


def test_a_client_that_hears_and_breaks_costs_nobody_a_change(connect: Connect, olt: Any) -> None:
    with connect() as listener:
        subscribe(listener, "")
    for number in range(3):
        commit(olt, profile(f"p{number}"))
    assert len(replayed(olt)) == 3


def test_of_a_large_change_the_branches_are_told() -> None:
    began = time.process_time()
    before = empty()
    many = "".join(profile(f"p{number}") for number in range(FINE + 1))
    edits = changed_nodes(before, apply_edit(before, config(many), SCHEMA))
    assert [(str(each.target), each.operation) for each in edits] == [("/bbf-xpongemtcont:xpongemtcont", "merge")]
    some = apply_edit(before, config(profile("a") + profile("b")), SCHEMA)
    assert [each.operation for each in changed_nodes(before, some)] == ["create", "create"]
    assert [each.operation for each in changed_nodes(some, before)] == ["delete", "delete"]
    assert changed_nodes(some, some) == ()
    assert time.process_time() - began < DEADLINE_S
