"""What the NETCONF drivers hear from an OLT about who changed it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import etree

from activation.contracts import Driver, Telling
from activation.drivers.netconf_changes import notes_of, path_of
from activation.errors import DeviceUnreachable, DoesNotTell
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from labs.topology import Topology, load_topology
from tests.activation.drivers.benches import TOKEN, Bench, lab_bench
from tests.activation.rig import ROOT
from tests.labs.embedded.netconf_client import logged_in

DRIVERS = ("netconf", "netconf-fast")
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
UPLINK = (
    '<nc:config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">'
    f'<interfaces xmlns="{IF}"><interface><name>uplink1</name>{{}}</interface></interfaces></nc:config>'
)
TARGETS = {
    "/if:interfaces/if:interface[if:name='a/b']/if:enabled": (
        f"{{{IF}}}interfaces",
        f"{{{IF}}}interface[name='a/b']",
        f"{{{IF}}}enabled",
    ),
    '/if:interfaces/interface[name="it\'s"]': (f"{{{IF}}}interfaces", f'{{{IF}}}interface[name="it\'s"]'),
    " /if:interfaces ": (f"{{{IF}}}interfaces",),
    "/no:such": (),
    "not a path": (),
    "": (),
}


def since(**back: float) -> datetime:
    return datetime.now(UTC) - timedelta(**back)


@pytest.fixture(params=DRIVERS)
def bench(request: pytest.FixtureRequest, lab: EmbeddedLab) -> Bench:
    return lab_bench(lab, "olt1", request.param)


@pytest.fixture
def session(bench: Bench) -> Iterator[Any]:
    opened = bench.open()
    yield opened
    opened.close()


def pushed(bench: Bench, driver: Driver) -> None:
    edit = bench.edit(driver)
    driver.stage(edit, token=TOKEN)
    driver.commit(edit, token=TOKEN, confirm_timeout_s=60)
    driver.rollback(edit, token=TOKEN, undone=bench.undone(edit))


@pytest.mark.lab
def test_our_changes_and_those_of_others_are_told_apart(bench: Bench, session: Any, lab: EmbeddedLab) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    pushed(bench, session)
    (node,) = (each for each in lab.nodes() if each.name == "olt1")
    with logged_in(node) as person:
        for enabled in ("<enabled>false</enabled>", '<enabled nc:operation="delete"/>'):
            person.edit_config(target="candidate", config=UPLINK.format(enabled))
            person.commit()
        theirs = str(person.session_id)
    notes = [note for note in session.changes("NETCONF", began) if datetime.fromisoformat(note.at) >= began]
    assert [note.ours for note in notes[:4]] == [False, False, True, True]
    newest = notes[0]
    assert (newest.who, newest.session, newest.own_login) == (node.username, theirs, True)
    assert newest.source.startswith("127.")
    assert newest.places == ((f"{{{IF}}}interfaces", f"{{{IF}}}interface[name='uplink1']", f"{{{IF}}}enabled"),)
    assert newest.text == "delete interfaces / interface[name='uplink1'] / enabled"
    assert not session.alive()


@pytest.mark.lab
def test_a_refused_replay_is_told_in_the_devices_words_and_the_session_stays_good(session: Any) -> None:
    with pytest.raises(DoesNotTell, match="later than now"):
        session.changes("NETCONF", since(days=-1))
    with pytest.raises(DoesNotTell, match="known: NETCONF"):
        session.changes("SNMP", since(days=1))
    session.ping()


@pytest.mark.lab
def test_a_device_that_breaks_off_does_not_keep_anybody(bench: Bench, lab: EmbeddedLab) -> None:
    session: Any = replace(bench, device=replace(bench.device, timeout_s=5.0)).open()
    lab.faults.set("olt1", Fault("garbage"))
    with pytest.raises(DeviceUnreachable):
        session.changes("NETCONF", since(days=1))
    assert not session.alive()


@pytest.mark.lab
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_device_without_notifications_does_not_tell(driver: str) -> None:
    with EmbeddedLab(_olt("candidate,validate"), ssh_port=0, netconf_port=0) as lab:
        opened = lab_bench(lab, "olt1", driver).open()
        assert isinstance(opened, Telling)
        session: Any = opened
        with pytest.raises(DoesNotTell, match="offers no notifications"):
            session.changes("NETCONF", since(days=1))
        session.ping()
        session.close()


def _olt(offers: str) -> Topology:
    topology = load_topology(ROOT / "labs/ftth/ftth.clab.yml", environ={})
    node = topology.nodes["olt1"]
    labels = {**node.labels, "lastmile.netconf": offers}
    return replace(topology, nodes={"olt1": replace(node, labels=labels)}, links=())


@pytest.mark.parametrize("text", TARGETS)
def test_targets_are_paths(text: str) -> None:
    target = etree.fromstring(f'<target xmlns:if="{IF}"/>')
    target.text = text
    assert path_of(target) == TARGETS[text]


def test_what_a_device_leaves_out_is_left_out() -> None:
    change = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
    event = (
        '<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><eventTime>{}</eventTime>'
        f'<netconf-config-change xmlns="{change}">{{}}</netconf-config-change></notification>'
    )
    told = (
        ("2026-01-01T00:00:00Z", "<changed-by><server/></changed-by>"),
        ("2026-01-03T00:00:00+02:00", "<edit><operation>merge</operation></edit>"),
        ("soon", "<changed-by><username>noc</username><session-id>7</session-id></changed-by>"),
        ("2026-01-09T00:00:00Z", "<datastore>startup</datastore>"),
    )
    events = [etree.fromstring(event.format(*each)) for each in told]
    notes = notes_of(events, login="noc", is_ours=lambda number: number == "7")
    assert [(note.who, note.at, note.ours) for note in notes] == [
        ("somebody it does not name", "2026-01-03T00:00:00+02:00", False),
        ("the device itself", "2026-01-01T00:00:00Z", False),
        ("noc", "soon", True),
    ]
