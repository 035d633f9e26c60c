"""The emulated SmartAX OLT as stock netmiko and a person at a terminal see it."""

from collections.abc import Iterator
from pathlib import Path

import netmiko
import pytest

from labs.embedded.faults import Fault
from labs.embedded.smartax import SmartAxNode
from labs.errors import StartupConfigError
from tests.labs.embedded.cli_devices import Powered, powered
from tests.labs.embedded.person import person

pytestmark = pytest.mark.lab

START = (Path(__file__).parent / "configs" / "olt2.cfg").read_text()
SERVICE = [
    'dba-profile add profile-id 50 profile-name "up-50M" type3 assure 25024 max 50048',
    'ont-lineprofile gpon profile-id 50 profile-name "up-50M"',
    "tcont 1 dba-profile-id 50",
    "gem add 1 eth tcont 1",
    "gem mapping 1 0 vlan 100",
    "commit",
    "quit",
    "vlan 1042 smart",
    "port vlan 1042 0/9 0",
    "interface gpon 0/1",
    'ont add 3 7 sn-auth ABCD-12345678 omci ont-lineprofile-id 50 ont-srvprofile-id 1 desc "1042"',
    "quit",
    "service-port 1042 vlan 1042 gpon 0/1/3 ont 7 gemport 1 multi-service user-vlan 100 tag-transform translate",
]
NO_SERVICE = [
    "undo service-port 1042",
    "interface gpon 0/1",
    "ont delete 3 7",
    "quit",
    "undo port vlan 1042 0/9 0",
    "undo vlan 1042",
    "undo ont-lineprofile gpon profile-id 50",
    "dba-profile delete profile-id 50",
]


@pytest.fixture
def olt() -> Iterator[Powered]:
    with powered(SmartAxNode, "olt2", START) as device:
        yield device


@pytest.fixture
def cli(olt: Powered) -> Iterator[netmiko.BaseConnection]:
    with netmiko.ConnectHandler(**olt.netmiko("huawei_smartax")) as connection:
        connection.enable()
        yield connection


def test_the_start_configuration_is_what_the_olt_shows(olt: Powered, cli: netmiko.BaseConnection) -> None:
    assert olt.node.running_config() == START
    assert f"{cli.send_command('display current-configuration')}\n" == START
    assert cli.find_prompt() == "olt2#"


def test_a_service_comes_and_goes(olt: Powered, cli: netmiko.BaseConnection) -> None:
    output = cli.send_config_set(SERVICE)
    assert "Failure" not in output
    assert "%" not in output
    assert "PortID :3, ONTID :7" in output
    assert (
        ' ont add 3 7 sn-auth "4142434412345678" omci ont-lineprofile-id 50 ont-srvprofile-id 1 desc "1042"\n'
        in olt.node.running_config()
    )
    assert "4142434412345678 (ABCD-12345678)" in cli.send_command("display ont info 0 1 3 7")
    assert "1042" in cli.send_command("display service-port all")
    assert "Failure" not in cli.send_config_set(NO_SERVICE)
    assert olt.node.running_config() == START


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["service-port 7 vlan 4000 gpon 0/1/0 ont 1 gemport 1 multi-service user-vlan 1 tag-transform translate"],
         "Failure: The VLAN does not exist"),
        (["service-port 7 vlan 100 gpon 0/1/0 ont 9 gemport 1 multi-service user-vlan 1 tag-transform translate"],
         "Failure: The ONT does not exist"),
        (["undo vlan 100"], "Failure: The VLAN has service virtual ports"),
        (["dba-profile delete profile-id 10"], "Failure: The DBA profile is in use"),
        (["undo ont-lineprofile gpon profile-id 10"], "Failure: The profile has been bound"),
        (["undo service-port 4711"], "Failure: The object does not exist"),
        (["interface gpon 0/1", "ont delete 0 1"], "Failure: This configured object has some service virtual ports"),
        (["interface gpon 0/1", "ont delete 0 9"], "Failure: The object does not exist"),
        (["interface gpon 0/1", "ont modify 0 9 ont-lineprofile-id 10"], "Failure: The ONT does not exist"),
        (["interface gpon 0/1", "ont modify 0 1 ont-lineprofile-id 99"], "Failure: The line profile does not exist"),
        (["interface gpon 0/1", "ont add 0 1 sn-auth ABCD12345678 omci ont-lineprofile-id 10 ont-srvprofile-id 1"],
         "Failure: The ONT ID has existed already"),
        (["interface gpon 0/1", "ont add 0 2 sn-auth HUAW00000001 omci ont-lineprofile-id 10 ont-srvprofile-id 1"],
         "Failure: SN already exists"),
        (["ont-lineprofile gpon profile-id 10", "gem add 2 eth tcont 9"], "Failure: The T-CONT does not exist"),
        (["ont-lineprofile gpon profile-id 10", "undo tcont 1"], "Failure: The T-CONT has GEM ports"),
        (["interface gpon 0/1", "vlan 7 smart"], "Unknown command"),
        (["vlan 5000 smart"], "Unknown command, the error locates at"),
        (["vlan"], "Incomplete command"),
        (["undo ont add 0 1"], "Unknown command"),
        (["frobnicate"], "Unknown command"),
    ],
)  # fmt: skip
def test_what_is_refused_and_how(olt: Powered, cli: netmiko.BaseConnection, lines: list[str], answer: str) -> None:
    assert answer in cli.send_config_set(lines)
    assert olt.node.running_config() == START


def test_an_ont_is_changed_in_place(olt: Powered, cli: netmiko.BaseConnection) -> None:
    cli.send_config_set([*SERVICE, "interface gpon 0/1", "ont modify 3 7 ont-lineprofile-id 10", "ont deactivate 3 7"])
    assert "omci ont-lineprofile-id 10 ont-srvprofile-id 1 desc" in olt.node.running_config()
    assert "deactivated" in cli.send_command("display ont info 0 1 3 all")
    cli.send_config_set(["interface gpon 0/1", "ont activate 3 7", "ont modify 3 7 desc other"])
    assert "deactivate" not in olt.node.running_config()
    assert 'desc "other"' in olt.node.running_config()


def test_a_profile_without_commit_is_lost(olt: Powered, cli: netmiko.BaseConnection) -> None:
    cli.send_config_set(["ont-lineprofile gpon profile-id 10", "gem mapping 1 1 vlan 200", "quit"])
    assert olt.node.running_config() == START
    cli.send_config_set(["ont-lineprofile gpon profile-id 10", "gem mapping 1 1 vlan 200", "commit", "quit"])
    assert " gem mapping 1 1 vlan 200\n" in olt.node.running_config()


def test_questions_are_asked_before_much_goes(olt: Powered, cli: netmiko.BaseConnection) -> None:
    cli.config_mode()
    said = cli.send_command("undo service-port vlan 100", expect_string=r"\[n\]:")
    assert "Are you sure to release service virtual port(s)?" in said
    cli.send_command("n", expect_string="#")
    assert olt.node.running_config() == START
    cli.send_command("undo service-port port 0/1/0 ont 1", expect_string=r"\[n\]:")
    cli.send_command("y", expect_string="#")
    assert "service-port" not in olt.node.running_config()
    cli.send_command("interface gpon 0/1", expect_string="#")
    assert "delete all the ONTs" in cli.send_command("ont delete 0 all", expect_string=r"\[n\]:")
    cli.send_command("y", expect_string="#")
    assert "ont add" not in olt.node.running_config()


def test_saving(cli: netmiko.BaseConnection) -> None:
    cli.send_config_set(SERVICE)
    assert "1042" not in cli.send_command("display saved-configuration")
    assert "had been saved successfully" in cli.save_config()
    assert "1042" in cli.send_command("display saved-configuration")


def test_prompts_follow_the_mode(cli: netmiko.BaseConnection) -> None:
    for line, prompt in [
        ("config", "olt2(config)#"),
        ("interface gpon 0/1", "olt2(config-if-gpon-0/1)#"),
        ("quit", "olt2(config)#"),
        ("ont-lineprofile gpon profile-id 10", "olt2(config-gpon-lineprofile-10)#"),
        ("return", "olt2#"),
        ("disable", "olt2>"),
    ]:
        cli.send_command(line, expect_string=r"[#>]")
        assert cli.find_prompt() == prompt
    assert "Unknown command" in cli.send_command("config")


def test_a_startup_configuration_it_does_not_understand_is_refused() -> None:
    for text, why in [("frobnicate\n", "frobnicate"), (START.replace("vlan 100 smart\n", ""), "VLAN does not exist")]:
        with pytest.raises(StartupConfigError, match=why), powered(SmartAxNode, "olt2", text):
            pytest.fail("the OLT started")


def test_a_person_gets_carets_pages_help_and_questions(olt: Powered) -> None:
    with person(olt.port) as terminal:
        terminal.until("olt2>")
        terminal.type("enable\r", until="olt2#")
        terminal.type("confg\r", until="locates at '^'")
        assert "\r\n     ^\r\n" in terminal.shown.replace("\n\n", "\n")
        terminal.type("display current-conf\t\r", until="{ <cr>|section<K>||<K> }:")
        terminal.type("\r", until="---- More ( Press 'Q' to break ) ----")
        terminal.type("q", until="olt2#")
        terminal.type("display ?", until="  current-configuration")
        terminal.type("\x15quit\r", until="(y/n)[n]:")
        terminal.type("y\r", until="console exit")
        terminal.end()


# Faults


def test_fault_refuse_edit(olt: Powered, cli: netmiko.BaseConnection) -> None:
    olt.node.faults.set(Fault("refuse_edit"))
    assert "Failure: The board 0 refuses" in cli.send_config_set(["vlan 7 smart"])
    assert olt.node.running_config() == START


def test_fault_commit_changes_nothing(olt: Powered, cli: netmiko.BaseConnection) -> None:
    olt.node.faults.set(Fault("commit_changes_nothing"))
    assert "Failure" not in cli.send_config_set(["vlan 7 smart"])
    assert olt.node.running_config() == START
