"""Business services as packets see them: E-Lines around a ring, and two customers of L3VPN with the same addresses."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.demo import bodies
from labs.contracts import FaultRequest
from labs.netns import namespaces, register
from labs.netns.commands import run
from labs.netns.frr_daemons import FrrDaemons
from labs.netns.hearing import who_hears
from labs.netns.held import sweep
from labs.netns.traffic import ping
from labs.topology import Topology
from tests.labs.netns.conftest import Site
from tests.metro_orders import E_LINE, L3VPN, order

pytestmark = [pytest.mark.lab, pytest.mark.netns, pytest.mark.e2e, pytest.mark.slow]

PATIENCE_S = 90.0
"""A cut ring mostly heals within a second. A switch that a busy machine stops for seconds loses a handshake or its
neighbour (6 s and twice 4 s), and hosts that asked for each other in vain ask again after up to a minute."""
TOLERANCE = 0.2
DEPLOY_S = 10.0
DELTA = {**E_LINE, "vlanId": 2002, "customer": "delta", "aInterface": "Ethernet5", "zInterface": "Ethernet5"}
GAMMA = {**L3VPN, "vrf": "gamma", "vlanId": 301, "aInterface": "eth4", "zInterface": "eth4"}
VERBS = ("rstp/show", "fdb/show br0")
E_LINE_B, L3VPN_B = "10.0.0.2", "10.2.0.10"


def becomes(found: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + PATIENCE_S
    while not found():
        if time.monotonic() > deadline_s:
            return False
    return True


def reaches(site: Site, host: str, address: str) -> bool:
    return ping(site.namespace(host), address).received == 1


def trees(site: Site) -> str:
    """Return the spanning tree and the learned addresses of every switch, for whoever reads a failure."""
    folders = {name: register.RUN / site.lab_topology.name / name for name in ("sw1", "sw2", "sw3", "sw4")}
    controls = [(name, str(next(folder.rglob("ovs-vswitchd.ctl")))) for name, folder in folders.items()]
    asked = [(name, run(["ovs-appctl", "-t", control, *verb.split()])) for name, control in controls for verb in VERBS]
    return "\n".join(f"{name}\n{said}" for name, said in asked)


def sold(site: Site, offering: str, values: Mapping[str, object]) -> str:
    return product_of(site.order(order(offering, values)))


def product_of(tree: Mapping[str, Any]) -> str:
    return str(tree["productOrder"]["productOrderItem"][0]["product"]["id"])


def heard(site: Site, speaker: str, addresses: tuple[str, ...]) -> set[str]:
    """Return which hosts hear what one of them says to some addresses and to all."""
    hosts = {site.namespace(name): name for name, node in site.lab_topology.nodes.items() if not node.managed}
    listeners = [each for each in hosts if hosts[each] != speaker]
    return {hosts[each] for each in who_hears(site.namespace(speaker), addresses, listeners, "eth1")}


def states(found: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: each["state"] for name, each in found.items() if each["state"] != "passed"}


def measured_mbps(site: Site, product: str) -> list[float]:
    """Test an E-Line, see all of it pass, and return the speed that was measured there and back."""
    found = site.tested(product)
    assert states(found) == {}, found
    words = found["the ordered speed in both directions"]["measured"].split()
    return [float(word) for word in words if word[0].isdigit()]


def test_e_lines_join_their_ends_at_the_ordered_speed_and_nobody_else(metro: Site) -> None:
    before = metro.configurations()
    assert heard(metro, "acme-a", (E_LINE_B,)) == set()
    acme, delta = sold(metro, "e-line", E_LINE), sold(metro, "e-line", DELTA)
    assert heard(metro, "acme-a", (E_LINE_B,)) == {"acme-b"}
    assert heard(metro, "delta-b", ("10.0.0.1",)) == {"delta-a"}
    assert measured_mbps(metro, acme) == pytest.approx([20, 20], rel=TOLERANCE)
    metro.order(order("e-line", {"bandwidthMbps": 50}, "modify", acme))
    assert measured_mbps(metro, acme) == pytest.approx([50, 50], rel=TOLERANCE)
    metro.order(bodies.cease(acme))
    assert heard(metro, "acme-a", (E_LINE_B,)) == set()
    assert reaches(metro, "delta-a", E_LINE_B)
    metro.order(bodies.cease(delta))
    assert heard(metro, "delta-a", (E_LINE_B,)) == set()
    assert metro.configurations() == before


def test_a_cut_ring_heals_and_the_service_test_says_what_is_left(metro: Site) -> None:
    product = sold(metro, "e-line", E_LINE)
    assert becomes(lambda: reaches(metro, "acme-a", E_LINE_B))
    # The tree's root is sw1: this is the way that the packets take.
    metro.lab.fault(FaultRequest(node="sw1", kind="link_down", value=1))
    try:
        assert becomes(lambda: reaches(metro, "acme-a", E_LINE_B)), trees(metro)
        found = metro.results(product)
        failed = [(each["device"], each["name"]) for each in found if each["state"] != "passed"]
        assert failed == [("sw1", "both ring links are up")], found
    finally:
        metro.lab.fault(FaultRequest(node="sw1", kind="link_down", times=0))
    assert becomes(lambda: reaches(metro, "acme-a", E_LINE_B))
    metro.order(bodies.cease(product))


def test_customers_with_the_same_addresses_stay_apart(metro: Site) -> None:
    before = metro.configurations()
    assert heard(metro, "beta-a", (L3VPN_B,)) == set()
    beta, gamma = sold(metro, "l3vpn", L3VPN), sold(metro, "l3vpn", GAMMA)
    for customer, product in (("beta", beta), ("gamma", gamma)):
        assert heard(metro, f"{customer}-a", (L3VPN_B,)) == {f"{customer}-b"}
        found = metro.tested(product)
        assert states(found) == {}, found
        assert {each["level"] for each in found.values()} == {"L1", "L2", "L3"}
    metro.order(bodies.cease(beta))
    assert heard(metro, "beta-a", (L3VPN_B,)) == set()
    assert heard(metro, "gamma-a", (L3VPN_B,)) == {"gamma-b"}
    metro.order(bodies.cease(gamma))
    assert becomes(lambda: metro.configurations() == before)
    assert not any("-vrf-" in name for name in _namespaces(metro))


def _namespaces(site: Site) -> list[str]:
    return [place.name for place in namespaces.PLACES.glob(f"lm-{site.lab_topology.name}-*")]


def test_a_traffic_check_that_fails_takes_an_l3vpn_back_everywhere(metro: Site) -> None:
    before = metro.configurations()
    gamma = sold(metro, "l3vpn", GAMMA)
    between = metro.configurations()
    host = metro.namespace("beta-b")
    run(["ip", "address", "del", "10.2.0.10/24", "dev", "lo"], namespace=host)
    try:
        tree = metro.order(order("l3vpn", L3VPN), state="failed")
    finally:
        run(["ip", "address", "add", "10.2.0.10/24", "dev", "lo"], namespace=host)
        run(["ip", "route", "replace", "default", "via", "192.168.2.1", "src", "10.2.0.10"], namespace=host)
    checks = [each for monitor in tree["monitor"] for each in monitor["plan"]["serviceChecks"]]
    assert "the sites reach each other" in {each["name"] for each in checks if each["state"] == "failed"}
    assert becomes(lambda: metro.configurations() == between)
    assert heard(metro, "beta-a", (L3VPN_B, "192.168.2.2")) == set()
    assert heard(metro, "gamma-a", (L3VPN_B,)) == {"gamma-b"}
    metro.order(bodies.cease(gamma))
    assert becomes(lambda: metro.configurations() == before)


def test_written_memory_brings_the_routers_back_with_what_they_carried(metro: Site) -> None:
    product = sold(metro, "l3vpn", L3VPN)
    with_it = metro.configurations()
    for router in ("r1", "r2"):
        assert "[OK]" in metro.lab.exec(router, "write memory").stdout
        daemons = metro.daemons(router)
        _end(daemons)
        daemons.start(daemons.saved_config())
    metro.lab.settle()
    assert metro.configurations() == with_it
    assert becomes(lambda: reaches(metro, "beta-a", L3VPN_B))
    assert states(metro.tested(product)) == {}
    metro.order(bodies.cease(product))


def _end(daemons: FrrDaemons) -> None:
    """End the routing daemons and see their routes go with them."""
    for place in list(daemons.folder.glob("*.pid")):
        process = Path("/proc") / place.read_text(encoding="utf-8").strip()
        os.kill(int(process.name), signal.SIGTERM)
        assert becomes(partial(_is_gone, process))


def _is_gone(process: Path) -> bool:
    return not process.exists()


LEAVE_IT = """
import os, sys, time
from dataclasses import replace
from functools import partial
from pathlib import Path
from labs.contracts import DeployOptions
from labs.netns.held import NetnsHeld
from labs.topology import load_topology
topology = replace(load_topology(Path(sys.argv[1]), os.environ), name=sys.argv[2])
lab = NetnsHeld(topology, DeployOptions(folder=Path(sys.argv[3]), ssh_port=0, netconf_port=0))
began_s = time.monotonic()
lab.start()
print(time.monotonic() - began_s, flush=True)
lab.exec("r1", "configure\\nvrf stray\\nip route 10.9.0.0/16 192.0.2.9")
lab.settle()
print("up", flush=True)
time.sleep(600)
"""


@pytest.mark.usefixtures("able")
def test_it_comes_up_in_seconds_and_a_killed_one_is_cleared_up_with_its_vrfs(
    own_metro: Topology, tmp_path: Path
) -> None:
    name = f"k{os.getpid()}"
    words = [sys.executable, "-c", LEAVE_IT, str(own_metro.path), name, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert float(holder.stdout.readline()) < DEPLOY_S
        assert holder.stdout.readline() == "up\n"
        holder.kill()
    left = [place.name for place in namespaces.PLACES.glob(f"lm-{name}-*")]
    assert f"lm-{name}-r1-vrf-stray" in left
    assert sweep(replace(own_metro, name=name))
    assert not list(namespaces.PLACES.glob(f"lm-{name}-*"))
    assert not (register.RUN / name).exists()
