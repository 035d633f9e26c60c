"""The emulated router as stock netmiko sees it."""

from collections.abc import Iterator

import netmiko
import pytest
from netmiko.exceptions import ReadException, ReadTimeout

from labs.embedded.faults import Fault
from labs.embedded.frr import FrrNode
from labs.errors import StartupConfigError
from tests.labs.embedded.cli_devices import START_CONFIGS, Powered, powered

pytestmark = pytest.mark.lab

START = (START_CONFIGS / "r1.cfg").read_text()
SERVICE = [
    "interface eth1.1042",
    " description lastmile vlan 1042",
    " ip address 10.42.1.1/32",
    "exit",
    "ip route 10.42.1.15/32 eth1.1042",
]
EMPTIED = ["interface eth1.1042", "no ip address 10.42.1.1/32", "no description", "exit"]
NO_SERVICE = ["no ip route 10.42.1.15/32 eth1.1042", *EMPTIED]


@pytest.fixture
def router() -> Iterator[Powered]:
    with powered(FrrNode, "r1", START) as device:
        yield device


@pytest.fixture(scope="module")
def unchanged() -> Iterator[Powered]:
    """A router for tests that change nothing."""
    with powered(FrrNode, "r1", START) as device:
        yield device


@pytest.fixture(scope="module")
def reader(unchanged: Powered) -> Iterator[netmiko.BaseConnection]:
    with netmiko.ConnectHandler(**unchanged.netmiko("cisco_ios")) as connection:
        yield connection


@pytest.fixture
def cli(router: Powered) -> Iterator[netmiko.BaseConnection]:
    with netmiko.ConnectHandler(**router.netmiko("cisco_ios")) as connection:
        yield connection


def test_the_start_configuration_is_what_the_router_shows(router: Powered, cli: netmiko.BaseConnection) -> None:
    assert router.node.running_config() == f"Building configuration...\n\nCurrent configuration:\n!\n{START}"
    assert f"{cli.send_command('show running-config')}\n" == router.node.running_config()
    assert cli.find_prompt() == "r1#"


def test_a_service_comes_and_goes(router: Powered, cli: netmiko.BaseConnection) -> None:
    before = router.node.running_config()
    assert "%" not in cli.send_config_set(SERVICE)
    assert (
        "interface eth1.1042\n description lastmile vlan 1042\n ip address 10.42.1.1/32\nexit\n"
        in router.node.running_config()
    )
    assert "%" not in cli.send_config_set(NO_SERVICE)
    assert router.node.running_config() == before


def test_an_interface_that_the_kernel_has_is_emptied_but_not_deleted(
    router: Powered, cli: netmiko.BaseConnection
) -> None:
    before = router.node.running_config()
    cli.send_config_set(SERVICE[:-1])
    configured = router.node.running_config()
    assert "only inactive interfaces can be deleted" in cli.send_config_set(["no interface eth1.1042"])
    assert router.node.running_config() == configured
    assert "only inactive" in cli.send_config_set([*EMPTIED, "no interface eth1.1042"])
    assert router.node.running_config() == before


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("frobnicate", "% Unknown command: frobnicate"),
        ("ip route 10.42.1.300/32 eth1", "% Unknown command: ip route 10.42.1.300/32 eth1"),
        ("ip route 10.42.1.1/33 eth1", "% Unknown command: ip route 10.42.1.1/33 eth1"),
        ("ip route 10.42.1.1/32", "% Command incomplete: ip route 10.42.1.1/32"),
        ("no ip route 10.42.1.1/32 eth1", "% Refusing to remove a non-existent route"),
        ("no interface eth9", "% Can't find interface"),
        ("ip", "% Command incomplete: ip"),
        ("i", "% Command incomplete: i"),
    ],
)
def test_a_wrong_line_is_answered_as_vtysh_does(
    unchanged: Powered, reader: netmiko.BaseConnection, line: str, answer: str
) -> None:
    before = unchanged.node.running_config()
    assert answer in reader.send_config_set([line])
    assert unchanged.node.running_config() == before


def test_commands_and_their_answers(cli: netmiko.BaseConnection) -> None:
    cli.send_config_set(SERVICE)
    assert "FRRouting 8.4.4 (r1)" in cli.send_command("show version")
    routes = cli.send_command("show ip route")
    assert "S>* 10.42.1.15/32 [1/0] is directly connected, eth1.1042" in routes
    assert "C>* 10.42.1.1/32 is directly connected, eth1.1042" in routes
    assert "S>* 0.0.0.0/0 [1/0] via 192.0.2.1" in routes
    assert "eth1.1042       up      default         10.42.1.1/32" in cli.send_command("show interface brief")
    assert cli.send_command("show running-config | include hostname") == "hostname r1"
    assert "% Unknown command: show carpets" in cli.send_command("show carpets")
    assert "% Unknown command" in cli.send_command("show version | dance x")


def test_saving(cli: netmiko.BaseConnection) -> None:
    cli.send_config_set(SERVICE)
    assert "eth1.1042" not in cli.send_command("show startup-config")
    assert "[OK]" in cli.save_config()
    assert "eth1.1042" in cli.send_command("show startup-config")


def test_prompts_follow_the_mode(cli: netmiko.BaseConnection) -> None:
    for line, prompt in [
        ("configure terminal", "r1(config)#"),
        ("interface eth1", "r1(config-if)#"),
        ("router bgp 65001", "r1(config-router)#"),
        ("address-family ipv4 unicast", "r1(config-router-af)#"),
        ("exit-address-family", "r1(config-router)#"),
        ("do show version", "r1(config-router)#"),
        ("end", "r1#"),
    ]:
        cli.send_command(line, expect_string=r"#")
        assert cli.find_prompt() == prompt


def test_a_startup_configuration_it_does_not_understand_is_refused() -> None:
    with pytest.raises(StartupConfigError, match="frobnicate"), powered(FrrNode, "r1", "hostname r1\nfrobnicate\n"):
        pytest.fail("the router started")


# Faults


def test_fault_refuse_edit(router: Powered, cli: netmiko.BaseConnection) -> None:
    router.node.faults.set(Fault("refuse_edit"))
    before = router.node.running_config()
    assert "% Configuration failed" in cli.send_config_set(["ip route 10.42.1.15/32 eth1"])
    assert router.node.running_config() == before


def test_fault_refuse_commit_undoes_the_last_line(router: Powered, cli: netmiko.BaseConnection) -> None:
    router.node.faults.set(Fault("refuse_commit"))
    assert "% Configuration failed" in cli.send_config_set(SERVICE)
    assert "interface eth1.1042" in router.node.running_config()
    assert "ip route 10.42.1.15/32" not in router.node.running_config()


def test_fault_commit_changes_nothing(router: Powered, cli: netmiko.BaseConnection) -> None:
    router.node.faults.set(Fault("commit_changes_nothing"))
    before = router.node.running_config()
    assert "%" not in cli.send_config_set(SERVICE)
    assert router.node.running_config() == before


def test_fault_rollback_fails(router: Powered, cli: netmiko.BaseConnection) -> None:
    cli.send_config_set(SERVICE)
    router.node.faults.set(Fault("rollback_fails", -1))
    assert "% Configuration failed" in cli.send_config_set(NO_SERVICE)
    assert "ip route 10.42.1.15/32" in router.node.running_config()


@pytest.mark.parametrize(
    ("fault", "routes"), [("hang_in_commit", 1), ("drop_before_commit", 0), ("drop_after_commit", 1)]
)
def test_fault_without_an_answer(router: Powered, fault: str, routes: int) -> None:
    router.node.faults.set(Fault(fault))
    cli = netmiko.ConnectHandler(**router.netmiko("cisco_ios"), read_timeout_override=0.5)
    with pytest.raises((ReadTimeout, ReadException, OSError)):
        cli.send_config_set(SERVICE)
    # disconnect() would first talk to the device, which does not answer any more.
    cli.paramiko_cleanup()
    assert router.node.running_config().count("ip route 10.42.1.15/32") == routes


def test_a_session_that_already_waits_is_dropped_when_it_idles(router: Powered) -> None:
    with netmiko.ConnectHandler(**router.netmiko("cisco_ios")) as connection:
        router.do(_set(router, Fault("idle_disconnect", value=0.05)))
        with pytest.raises((ReadException, OSError, EOFError)):
            connection.read_until_pattern("never", read_timeout=10)
        router.node.faults.clear()


async def _set(device: Powered, fault: Fault) -> None:
    device.node.faults.set(fault)
