"""What is taken back on a device is taken back for its packets: timers, cancelled commits, failed service checks."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import netmiko
import pytest
from ncclient import manager
from ncclient.manager import Manager

from api.demo import bodies
from inventory.documents import characteristics
from labs.contracts import LabNode
from labs.netns.commands import run
from labs.netns.traffic import obtain_lease, ping
from tests.labs.netns.conftest import CORE, Site

pytestmark = [pytest.mark.lab, pytest.mark.netns, pytest.mark.e2e, pytest.mark.slow]

PATIENCE_S = 15.0
TIMER_S = 3
NETCONF = "urn:ietf:params:xml:ns:netconf:base:1.0"
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"


@pytest.fixture(scope="module")
def line(site: Site) -> Iterator[str]:
    """Return the VLAN of a subscriber who is in service."""
    tree = site.order(bodies.add("fibre-10"))
    assert obtain_lease(site.namespace("sub1"), "eth1") is not None
    assert reaches(site)
    values = [
        characteristics(each["orderItem"][0]["resource"], "resourceCharacteristic") for each in tree["resourceOrder"]
    ]
    yield next(str(each["vlanId"]) for each in values if "vlanId" in each)
    site.order(bodies.cease(tree["productOrder"]["productOrderItem"][0]["product"]["id"]))


def reaches(site: Site) -> bool:
    return ping(site.namespace("sub1"), CORE, count=1).received == 1


def becomes(wanted: bool, found: Callable[[], bool]) -> bool:  # noqa: FBT001 - what is waited for
    deadline_s = time.monotonic() + PATIENCE_S
    while found() is not wanted:
        if time.monotonic() > deadline_s:
            return False
    return True


def node(site: Site, name: str) -> LabNode:
    return next(each for each in site.lab.nodes() if each.name == name)


def test_an_eos_commit_timer_that_expires_brings_the_packets_back(site: Site, line: str) -> None:
    switch = node(site, "sw1")
    with netmiko.ConnectHandler(
        device_type="arista_eos",
        host=switch.address,
        port=switch.port,
        username=switch.username,
        password=switch.password,
    ) as cli:
        cli.enable()
        for words in (
            "configure session stray",
            "interface Ethernet2",
            f"switchport trunk allowed vlan remove {line}",
            f"commit timer 00:00:{TIMER_S:02}",
        ):
            cli.send_command(words, expect_string=r"#\s*$")
        assert becomes(False, lambda: reaches(site))
        assert becomes(True, lambda: reaches(site))


@contextmanager
def olt(site: Site) -> Iterator[Manager]:
    place = node(site, "olt1")
    with manager.connect(
        host=place.address,
        port=place.port,
        username=place.username,
        password=place.password,
        hostkey_verify=False,
        allow_agent=False,
        look_for_keys=False,
    ) as session:
        yield session


def lock_out(session: Manager, line: str, **commit: Any) -> None:
    """Take the subscriber's ONT out of service, for a time only."""
    v_ani = f"<interface><name>vani-{line}</name><enabled>false</enabled></interface>"
    session.edit_config(
        f'<config xmlns="{NETCONF}"><interfaces xmlns="{IF}">{v_ani}</interfaces></config>', target="candidate"
    )
    session.commit(confirmed=True, persist="stray", **commit)


def test_a_confirmed_commit_that_times_out_brings_the_packets_back(site: Site, line: str) -> None:
    with olt(site) as session:
        lock_out(session, line, timeout=str(TIMER_S))
        assert becomes(False, lambda: reaches(site))
        assert becomes(True, lambda: reaches(site))


def test_a_confirmed_commit_that_is_cancelled_brings_the_packets_back(site: Site, line: str) -> None:
    with olt(site) as session:
        lock_out(session, line, timeout="60")
        assert becomes(False, lambda: reaches(site))
        session.cancel_commit(persist_id="stray")
        assert becomes(True, lambda: reaches(site))


def failed_checks(tree: dict[str, Any]) -> set[tuple[str, str]]:
    checks = [each for monitor in tree["monitor"] for each in monitor["plan"]["serviceChecks"]]
    return {(each["level"], each["name"]) for each in checks if each["state"] == "failed"}


def test_a_state_check_that_fails_takes_the_change_back_everywhere(site: Site) -> None:
    before = site.configurations()
    # The ONT of the second subscriber is plugged into the second PON; the place says the first.
    tree = site.order(bodies.add("fibre-10", serial_number="LMLE0000A017", place_id="ADDR-1016"), state="failed")
    assert failed_checks(tree) == {("L2", "the ONT is up")}
    assert site.configurations() == before
    assert site.dark("sub2")


def test_a_traffic_check_that_fails_takes_the_change_back_everywhere(site: Site) -> None:
    before = site.configurations()
    core = site.namespace("core1")
    run(["ip", "address", "del", f"{CORE}/30", "dev", "eth1"], namespace=core)
    try:
        body = bodies.add("fibre-10", serial_number="LMLE0000A017", place_id="ADDR-1017")
        tree = site.order(body, state="failed")
    finally:
        for command in site.lab_topology.nodes["core1"].exec:
            run(command.split(), namespace=core)
    assert failed_checks(tree) == {("L3", "the core answers")}
    said = [error for monitor in tree["monitor"] for error in monitor.get("errorMessage", ())]
    assert {error["code"] for error in said} == {"serviceCheckFailed"}
    assert site.configurations() == before
    assert site.dark("sub2")
