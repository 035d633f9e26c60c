"""The emulated switch as stock clients see it: netmiko, NAPALM, OpenSSH."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import napalm
import netmiko
import pytest
from netmiko.exceptions import NetmikoAuthenticationException, ReadException, ReadTimeout

from labs.embedded.eos import EosNode
from labs.embedded.faults import Fault
from labs.errors import StartupConfigError
from tests.labs.embedded.cli_devices import ADMIN, START_CONFIGS, Powered, powered

pytestmark = pytest.mark.lab

START = (START_CONFIGS / "sw1.cfg").read_text()
SERVICE = """\
vlan 1042
   name ftth-1042
interface Ethernet1
   switchport trunk allowed vlan add 1042
interface Ethernet2
   switchport trunk allowed vlan add 1042
   service-policy type qos input lm-downstream
class-map type qos match-any lm-vlan-1042
   match vlan 1042
policy-map type quality-of-service lm-downstream
   class lm-vlan-1042
      police rate 100 mbps burst-size 256 kbytes
"""
NO_SERVICE = """\
interface Ethernet2
   no service-policy type qos input lm-downstream
   switchport trunk allowed vlan remove 1042
interface Ethernet1
   switchport trunk allowed vlan remove 1042
no policy-map type quality-of-service lm-downstream
no class-map type qos match-any lm-vlan-1042
no vlan 1042
"""
EFFECT_DEADLINE_S = 5.0


@pytest.fixture
def switch() -> Iterator[Powered]:
    with powered(EosNode, "sw1", START) as device:
        yield device


@pytest.fixture
def cli(switch: Powered) -> Iterator[netmiko.BaseConnection]:
    with netmiko.ConnectHandler(**switch.netmiko("arista_eos")) as connection:
        yield connection


@pytest.fixture(scope="module")
def reader() -> Iterator[netmiko.BaseConnection]:
    """A connection for tests that change nothing."""
    with powered(EosNode, "sw1", START) as switch, netmiko.ConnectHandler(**switch.netmiko("arista_eos")) as connection:
        yield connection


@pytest.fixture
def driver(switch: Powered) -> Iterator[Any]:
    with _napalm(switch) as opened:
        yield opened


def _napalm(switch: Powered) -> Any:
    optional = {"transport": "ssh", "port": switch.port}
    return napalm.get_network_driver("eos")("127.0.0.1", ADMIN.username, ADMIN.password, optional_args=optional)


def until(condition: Callable[[], bool]) -> bool:
    """Say whether ``condition`` comes true before the deadline."""
    deadline = time.monotonic() + EFFECT_DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


# netmiko


def test_the_start_configuration_is_what_the_switch_shows(switch: Powered, cli: netmiko.BaseConnection) -> None:
    assert switch.node.running_config() == START
    assert f"{cli.send_command('show running-config')}\n" == START


def test_a_wrong_password_is_refused(switch: Powered) -> None:
    with pytest.raises(NetmikoAuthenticationException):
        netmiko.ConnectHandler(**switch.netmiko("arista_eos") | {"password": "wrong"})


def test_a_configuration_set_takes_effect_and_its_removal_restores_the_start(
    switch: Powered, cli: netmiko.BaseConnection
) -> None:
    cli.send_config_set(SERVICE.splitlines())
    assert "switchport trunk allowed vlan 1000,1042\n" in switch.node.running_config()
    cli.send_config_set(NO_SERVICE.splitlines())
    assert switch.node.running_config() == START


@pytest.mark.parametrize("line", ["vlan 0", "vlan 4095", "vlan abc", "frobnicate", "interface Ethernet99"])
def test_a_wrong_line_is_answered_with_invalid_input(reader: netmiko.BaseConnection, line: str) -> None:
    assert "% Invalid input" in reader.send_config_set([line])


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("show version", "Software image version: 4.32.2F"),
        ("show hostname", "Hostname: sw1"),
        ("show vlan", "1000  access-mgmt                      active    Ethernet1, Ethernet2"),
        ("show interfaces status", "Et1        olt1 uplink1         connected    trunk"),
        ("sh int", "Ethernet2 is up, line protocol is up"),
        ("show running-config section vlan 1000", "vlan 1000\n   name access-mgmt"),
        ("show running-config | section ^(vlan 1.00|end)$", "vlan 1000\n   name access-mgmt\nend"),
        ("show running-config section (", "% Invalid input"),
        ("show running-config interfaces Ethernet2", "interface Ethernet2\n   description r1 eth1"),
        ("show running-config | include hostname", "hostname sw1"),
        ("show running-config all", "no aaa root"),
        ("show startup-config", "hostname sw1"),
        ("show lldp neighbors", "Neighbor Device ID"),
        ("show vlan | dance", "% Invalid input"),
        ("show running-config | json", "% This is an unconverted command"),
        ("show v", "% Ambiguous command"),
        ("show", "% Incomplete command"),
        ("configure replace flash:nothing", "% Error opening flash:nothing"),
        ("configure session s commit", "% Cannot find configuration session s"),
    ],
)
def test_commands_and_their_answers(reader: netmiko.BaseConnection, command: str, expected: str) -> None:
    assert expected in reader.send_command(command)


def test_saving_makes_the_running_configuration_the_startup_configuration(cli: netmiko.BaseConnection) -> None:
    cli.send_config_set(["vlan 7"])
    assert "vlan 7" not in cli.send_command("show startup-config")
    assert "Copy completed successfully" in cli.save_config()
    assert "vlan 7" in cli.send_command("show startup-config")


def test_copying_onto_the_running_configuration_merges(switch: Powered, cli: netmiko.BaseConnection) -> None:
    cli.send_config_set(["vlan 7", "no vlan 1000"])
    cli.send_command("copy startup-config running-config")
    assert "vlan 7\n!\nvlan 1000\n" in switch.node.running_config()


def test_without_authorization_a_user_must_enable() -> None:
    start = START.replace("aaa authorization exec default local\n", "")
    with powered(EosNode, "sw1", start) as switch, netmiko.ConnectHandler(**switch.netmiko("arista_eos")) as cli:
        assert cli.find_prompt() == "sw1>"
        assert "privileged mode required" in cli.send_command("show running-config")
        cli.enable()
        assert f"{cli.send_command('show running-config')}\n" == start


def test_a_startup_configuration_it_does_not_understand_is_refused() -> None:
    with (
        pytest.raises(StartupConfigError, match="frobnicate"),
        powered(EosNode, "sw1", "hostname sw1\nfrobnicate all\n"),
    ):
        pytest.fail("the switch started")


# Sessions


def test_two_sessions_are_separate_candidates(switch: Powered, cli: netmiko.BaseConnection) -> None:
    with netmiko.ConnectHandler(**switch.netmiko("arista_eos")) as other:
        cli.send_config_set(["vlan 7"], config_mode_command="configure session mine")
        other.send_config_set(["vlan 8"], config_mode_command="configure session yours")
        assert str(cli.send_command("show session-config named mine diffs")).splitlines()[2:] == ["+vlan 7"]
        assert str(other.send_command("show session-config named yours diffs")).splitlines()[2:] == ["+vlan 8"]
        listed = json.loads(str(cli.send_command("show configuration sessions detail | json")))["sessions"]
        assert {name: each["state"] for name, each in listed.items()} == {"mine": "pending", "yours": "pending"}
        assert switch.node.running_config() == START
        cli.send_command("configure session mine commit")
        other.send_command("configure session yours abort")
    assert "vlan 7\n" in switch.node.running_config()
    assert "vlan 8\n" not in switch.node.running_config()


def test_prompts_follow_the_mode(cli: netmiko.BaseConnection) -> None:
    for line, prompt in [
        ("configure session napalm_1", "sw1(config-s-napalm)#"),
        ("interface Ethernet1", "sw1(config-s-napalm-if-Et1)#"),
        ("vlan 7", "sw1(config-s-napalm-vlan-7)#"),
        ("exit", "sw1(config-s-napalm)#"),
        ("show session-config diffs", "sw1(config-s-napalm)#"),
        ("abort", "sw1#"),
    ]:
        cli.send_command(line, expect_string=r"#")
        assert cli.find_prompt() == prompt


def test_a_commit_with_missing_references_is_refused_and_the_session_stays(
    switch: Powered, cli: netmiko.BaseConnection
) -> None:
    lines = ["interface Ethernet1", "service-policy type qos input nowhere"]
    cli.send_config_set(lines, config_mode_command="configure session s1")
    assert "policy-map nowhere does not exist" in cli.send_command("configure session s1 commit")
    assert "s1                       pending" in cli.send_command("show configuration sessions")
    assert switch.node.running_config() == START


def test_a_sixth_pending_session_is_refused(cli: netmiko.BaseConnection) -> None:
    for number in range(5):
        cli.send_config_set(["vlan 7"], config_mode_command=f"configure session s{number}")
    assert "Maximum number of pending sessions" in cli.send_command("configure session s5")


def test_a_commit_timer_reverts_although_its_session_is_gone(switch: Powered) -> None:
    with netmiko.ConnectHandler(**switch.netmiko("arista_eos")) as cli:
        cli.send_config_set(["vlan 7"], config_mode_command="configure session s1")
        cli.send_command("configure session s1 commit timer 00:00:01")
        assert "vlan 7\n" in switch.node.running_config()
        cli.send_config_set(["vlan 8"], config_mode_command="configure session s2")
        assert "session s1 is pending commit timer" in cli.send_command("configure session s2 commit")
        assert "s1 is pending commit timer" in cli.send_command("configure session s1")
    assert until(lambda: switch.node.running_config() == START)


def test_a_malformed_commit_timer_is_refused(cli: netmiko.BaseConnection) -> None:
    cli.send_config_set(["vlan 7"], config_mode_command="configure session s1")
    assert "% Invalid input" in cli.send_command("configure session s1 commit timer 90")


# NAPALM


def test_napalm_commits_and_rolls_back(switch: Powered, driver: Any) -> None:
    driver.load_merge_candidate(config=SERVICE)
    assert driver.compare_config().splitlines()[:2] == ["+vlan 1042", "+   name ftth-1042"]
    assert "vlan 1042" in driver.get_config()["candidate"]
    driver.commit_config()
    assert "police rate 100 mbps burst-size 256 kbytes" in switch.node.running_config()
    assert not driver.has_pending_commit()
    driver.rollback()
    assert switch.node.running_config() == START


def test_napalm_confirms_a_timed_commit(switch: Powered, driver: Any) -> None:
    driver.load_merge_candidate(config=SERVICE)
    driver.commit_config(revert_in=60)
    assert driver.has_pending_commit()
    assert driver._get_pending_commits() == {driver.config_session: pytest.approx(60, abs=2)}
    driver.confirm_commit()
    assert not driver.has_pending_commit()
    assert "vlan 1042\n" in driver.get_config()["startup"]
    driver.load_merge_candidate(config=NO_SERVICE)
    driver.commit_config()
    assert switch.node.running_config() == START


def test_napalm_takes_a_timed_commit_back(switch: Powered, driver: Any) -> None:
    driver.load_merge_candidate(config=SERVICE)
    driver.commit_config(revert_in=60)
    driver.rollback()
    assert switch.node.running_config() == START
    assert not driver.has_pending_commit()


def test_napalm_discards(switch: Powered, driver: Any) -> None:
    driver.load_merge_candidate(config=SERVICE)
    driver.discard_config()
    assert switch.node.running_config() == START
    assert json.loads(driver.device.send_command("show configuration sessions | json"))["sessions"] == {}


def test_napalm_replaces_with_the_same_configuration_without_a_difference(driver: Any) -> None:
    driver.load_replace_candidate(config=START)
    assert driver.compare_config() == ""
    driver.discard_config()
    driver.load_replace_candidate(config=START.replace("vlan 1000\n   name access-mgmt\n", "vlan 1000\n"))
    assert driver.compare_config() == "vlan 1000\n-   name access-mgmt"


def test_napalm_reads_facts_vlans_and_interfaces(driver: Any) -> None:
    assert driver.get_facts()["interface_list"] == ["Ethernet1", "Ethernet2", "Ethernet3", "Management0"]
    assert driver.get_vlans()["1000"] == {"name": "access-mgmt", "interfaces": ["Ethernet1", "Ethernet2"]}
    assert driver.get_interfaces()["Ethernet1"]["description"] == "olt1 uplink1"
    assert driver.get_lldp_neighbors() == {}
    assert driver.is_alive() == {"is_alive": True}


# Faults


def _commit(switch: Powered, timer: str = "") -> str:
    cli = netmiko.ConnectHandler(**switch.netmiko("arista_eos"))
    try:
        cli.send_config_set(["vlan 7"], config_mode_command="configure session s1")
        return str(cli.send_command(f"configure session s1 commit{timer}", read_timeout=1))
    finally:
        # disconnect() would first talk to the device, which may not answer any more.
        cli.paramiko_cleanup()


def test_fault_refuse_edit(switch: Powered, cli: netmiko.BaseConnection) -> None:
    switch.node.faults.set(Fault("refuse_edit"))
    assert "% Error: cannot apply 'vlan 7'" in cli.send_config_set(["vlan 7", "vlan 8"])
    assert "vlan 8\n" in switch.node.running_config()
    assert "vlan 7\n" not in switch.node.running_config()


def test_fault_refuse_commit(switch: Powered) -> None:
    switch.node.faults.set(Fault("refuse_commit"))
    assert "% Commit failed" in _commit(switch)
    assert switch.node.running_config() == START


def test_fault_commit_changes_nothing(switch: Powered) -> None:
    switch.node.faults.set(Fault("commit_changes_nothing"))
    assert _commit(switch) == ""
    assert switch.node.running_config() == START


def test_fault_hang_in_commit(switch: Powered) -> None:
    switch.node.faults.set(Fault("hang_in_commit"))
    with pytest.raises(ReadTimeout):
        _commit(switch)
    assert switch.node.running_config() == START


@pytest.mark.parametrize(("fault", "effective"), [("drop_before_commit", False), ("drop_after_commit", True)])
def test_fault_drop(switch: Powered, fault: str, effective: bool) -> None:  # noqa: FBT001 - a table's column
    switch.node.faults.set(Fault(fault))
    with pytest.raises((ReadTimeout, ReadException, OSError)):
        _commit(switch)
    assert ("vlan 7\n" in switch.node.running_config()) is effective


def test_fault_rollback_fails(switch: Powered, cli: netmiko.BaseConnection) -> None:
    switch.node.faults.set(Fault("rollback_fails", 2))
    assert _commit(switch, " timer 00:10:00") == ""
    assert "% Error: cannot restore" in cli.send_command("configure session s1 abort")
    assert "% Error: configuration replace" in cli.send_command("configure replace startup-config")
    assert "vlan 7\n" in switch.node.running_config()


def test_latency_and_commit_time_are_felt(switch: Powered) -> None:
    switch.node.faults.set(Fault("commit_time", value=0.3))
    switch.node.faults.set(Fault("latency", value=0.02))
    began = time.monotonic()
    assert _commit(switch) == ""
    assert time.monotonic() - began > 0.3


# Power and people


def test_stopping_cuts_sessions_and_keeps_the_configuration(switch: Powered) -> None:
    cli = netmiko.ConnectHandler(**switch.netmiko("arista_eos"))
    cli.send_config_set(["vlan 7"])
    switch.do(switch.node.stop())
    assert switch.node.ports() == {}
    assert until(lambda: not cli.is_alive())
    cli.paramiko_cleanup()
    switch.do(switch.node.start("127.0.0.1", ssh_port=0, netconf_port=0))
    assert "vlan 7\n" in switch.node.running_config()


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs the OpenSSH client")
@pytest.mark.parametrize(
    ("command", "stdin", "expected"),
    [
        (["show hostname"], "", "Hostname: sw1\nFQDN:     sw1\n"),
        (["show version | json"], "", '"version": "4.32.2F"'),
        ([], "configure terminal\nvlan 7\nend\nshow running-config section vlan 7\n", "vlan 7\n"),
        (["-tt"], "sho?w hostname\rexit\r", "  show\r\nsw1#show hostname\r\nHostname: sw1\r\n"),
    ],
)
def test_the_openssh_client_works(
    switch: Powered, tmp_path: Path, command: list[str], stdin: str, expected: str
) -> None:
    password = tmp_path / "password"
    password.write_text(f"#!/bin/sh\necho {ADMIN.password}\n")
    password.chmod(0o700)
    options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    flags, words = ([], command) if command != ["-tt"] else (command, [])
    target = [*flags, "-F", "none", *options, "-p", str(switch.port), f"{ADMIN.username}@127.0.0.1", *words]
    finished = subprocess.run(
        [shutil.which("ssh") or "ssh", *target],
        env=os.environ | {"SSH_ASKPASS": str(password), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"},
        input=stdin.encode(),
        capture_output=True,
        timeout=20,
        check=True,
    )
    assert expected in finished.stdout.decode()
