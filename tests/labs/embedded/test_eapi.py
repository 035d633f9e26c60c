"""The switch's eAPI as stock NAPALM and pyeapi see it."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pyeapi
import pytest
from napalm import get_network_driver
from napalm.base.exceptions import MergeConfigException
from pyeapi.eapilib import CommandError
from pyeapi.eapilib import ConnectionError as EapiConnectionError

from labs.embedded.eos import EosNode
from labs.embedded.faults import Fault
from labs.errors import LabStartError
from tests.labs.embedded.cli_devices import ADMIN, START_CONFIGS, Powered, powered

pytestmark = pytest.mark.lab

START = (START_CONFIGS / "sw1.cfg").read_text()
MERGE = "vlan 1042\n   name ftth-1042\ninterface Ethernet1\n   switchport trunk allowed vlan add 1042\n"


@pytest.fixture(params=["http", "https"])
def switch(request: pytest.FixtureRequest) -> Iterator[tuple[Powered, str]]:
    with powered(partial(EosNode, eapi=request.param), "sw1", START) as device:
        yield device, request.param


@pytest.fixture
def driver(switch: tuple[Powered, str]) -> Iterator[Any]:
    device, scheme = switch
    options = {"transport": scheme, "port": device.node.ports()[scheme]}
    with get_network_driver("eos")("127.0.0.1", ADMIN.username, ADMIN.password, optional_args=options) as opened:
        yield opened


def test_facts(driver: Any) -> None:
    facts = driver.get_facts()
    assert (facts["vendor"], facts["hostname"]) == ("Arista", "sw1")
    assert {"Ethernet1", "Ethernet2"} <= set(facts["interface_list"])


def test_merge_compare_commit_and_roll_back(switch: tuple[Powered, str], driver: Any) -> None:
    node = switch[0].node
    before = node.running_config()
    driver.load_merge_candidate(config=MERGE)
    assert "+vlan 1042" in driver.compare_config()
    assert node.running_config() == before
    driver.commit_config()
    assert "   name ftth-1042\n" in node.running_config()
    driver.rollback()
    assert node.running_config() == before


def test_a_commit_with_a_timer_is_confirmed_or_taken_back(switch: tuple[Powered, str], driver: Any) -> None:
    node = switch[0].node
    before = node.running_config()
    driver.load_merge_candidate(config=MERGE)
    driver.commit_config(revert_in=60)
    assert driver.has_pending_commit()
    driver.rollback()
    assert node.running_config() == before
    driver.load_merge_candidate(config=MERGE)
    driver.commit_config(revert_in=60)
    driver.confirm_commit()
    assert "vlan 1042" in node.running_config()
    assert node.leftovers() == ()


def test_discarding_aborts_the_session(switch: tuple[Powered, str], driver: Any) -> None:
    driver.load_merge_candidate(config=MERGE)
    assert switch[0].node.leftovers()
    driver.discard_config()
    assert switch[0].node.leftovers() == ()


def test_a_line_that_is_refused_names_itself_and_leaves_nothing(switch: tuple[Powered, str], driver: Any) -> None:
    before = switch[0].node.running_config()
    with pytest.raises(MergeConfigException, match="no-such-command"):
        driver.load_merge_candidate(config="vlan 7\nno-such-command at all\n")
    assert switch[0].node.running_config() == before
    assert switch[0].node.leftovers() == ()


def connection(switch: tuple[Powered, str], password: str = ADMIN.password) -> Any:
    device, scheme = switch
    return pyeapi.connect(
        transport=scheme,
        host="127.0.0.1",
        username=ADMIN.username,
        password=password,
        port=device.node.ports()[scheme],
    )


@pytest.mark.parametrize(
    ("commands", "code"),
    [(["show carpets"], 1002), (["show running-config"], 1003), (["enable", "configure session x abort"], 1000)],
)
def test_errors_carry_the_codes_of_eapi(switch: tuple[Powered, str], commands: list[str], code: int) -> None:
    with pytest.raises(CommandError) as refused:
        connection(switch).execute(commands)
    assert refused.value.error_code == code


def test_a_wrong_password_is_turned_away(switch: tuple[Powered, str]) -> None:
    with pytest.raises(EapiConnectionError, match="Unauthorized"):
        connection(switch, "wrong").execute(["show version"])


def test_a_dropped_line_gives_no_answer(switch: tuple[Powered, str]) -> None:
    switch[0].node.faults.set(Fault("drop_before_commit"))
    with pytest.raises(EapiConnectionError):
        connection(switch).execute(["enable", "configure session s1", "vlan 7", "commit"])
    assert "vlan 7\n" not in switch[0].node.running_config()


def test_an_unknown_scheme_is_refused() -> None:
    with (
        pytest.raises(LabStartError, match="legal: http, https"),
        powered(partial(EosNode, eapi="carrier-pigeon"), "sw1", START),
    ):
        pytest.fail("the switch started")


LINE_FAULTS = {
    "garbage": Fault("garbage"),
    "no more requests": Fault("session_limit", value=0),
    "no more logins": Fault("login_rate", value=0),
    "hang": Fault("hang_before_hello"),
}


@pytest.mark.parametrize("case", LINE_FAULTS)
def test_faults_of_the_line_strike_eapi_too(switch: tuple[Powered, str], case: str) -> None:
    switch[0].node.faults.set(LINE_FAULTS[case])
    asking = connection(switch)
    asking.transport.timeout = 1.0
    with pytest.raises(EapiConnectionError):
        asking.execute(["show running-config"], encoding="text")
    switch[0].node.faults.clear()
    connection(switch).execute(["show version"])


def test_a_huge_reply_comes_whole(switch: tuple[Powered, str]) -> None:
    switch[0].node.faults.set(Fault("huge_reply", value=1.0))
    (answer,) = connection(switch).execute(["show running-config"], encoding="text")["result"]
    assert len(answer["output"]) > 1_000_000
    assert switch[0].node.running_config().strip()[-3:] == "end"
