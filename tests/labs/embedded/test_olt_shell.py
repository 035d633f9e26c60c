"""The OLT's command line beside its NETCONF: the OpenSSH client and ncclient on one store."""

import re
from collections.abc import Iterator

import pytest
from lxml import etree

from labs.embedded.lab import EmbeddedLab, RunningNode
from tests.labs.embedded.netconf_client import logged_in
from tests.labs.embedded.olt_configs import config, profile
from tests.labs.embedded.person import Person, person

pytestmark = pytest.mark.lab


@pytest.fixture
def node(olt_lab: EmbeddedLab) -> RunningNode:
    return olt_lab.nodes()[0]


@pytest.fixture
def terminal(node: RunningNode) -> Iterator[Person]:
    with person(node.port, address=node.address) as opened:
        opened.until("olt1> ")
        yield opened


def said(terminal: Person, line: str) -> str:
    """Return what is shown between the typed line and the next prompt."""
    shown = terminal.type(f"{line}\r", until="\nolt1> ")
    return shown.partition("\r\n")[2].removesuffix("olt1> ").replace("\r\n", "\n")


def test_what_one_side_does_the_other_sees(olt_lab: EmbeddedLab, node: RunningNode, terminal: Person) -> None:
    with logged_in(node) as olt:
        olt.lock("candidate")
        olt.edit_config(target="candidate", config=etree.tostring(config(profile("p")), encoding="unicode"))
        assert said(terminal, "show lock").startswith(f"candidate  session {olt.session_id}, since ")
        assert re.search(rf" {olt.session_id}  admin +127\.", said(terminal, "show sessions"))
        assert "<name>p</name>" in said(terminal, "show changes")
        assert "% candidate is locked by session" in said(terminal, "discard")
        olt.unlock("candidate")
        olt.edit_config(target="candidate", config=etree.tostring(config(profile("q")), encoding="unicode"))
        assert said(terminal, "commit") == ""
        assert "<name>q</name>" in olt_lab.running_config("olt1")
        assert "<name>q</name>" in olt.get_config("running").data_xml
        said(terminal, f"kill session {olt.session_id}")
        assert f" {olt.session_id}  admin" not in said(terminal, "show sessions")


def test_the_running_configuration_is_the_devices_own(olt_lab: EmbeddedLab, terminal: Person) -> None:
    assert said(terminal, "terminal length 0") == ""
    assert said(terminal, "show running-config") == olt_lab.running_config("olt1")


def test_help_history_tab_carets_and_pages(terminal: Person) -> None:
    assert "running-config" in terminal.type("show ?", until="sessions")
    terminal.type("\x15sh\tlo\t\r", until="nothing is locked")
    terminal.until("olt1> ")
    terminal.type("\x1b[A\r", until="nothing is locked")
    terminal.until("olt1> ")
    assert said(terminal, "show carpets") == f"{' ' * len('olt1> show ')}^\n% Unknown command\n"
    said(terminal, "terminal length 5")
    terminal.type("show running-config\r", until="--More--")
    terminal.type("q", until="olt1> ")
    terminal.type("exit\r", until="exit")
    terminal.end()


def test_the_openssh_client_gets_the_hello_of_the_subsystem(node: RunningNode) -> None:
    with person(node.port, "-s", "netconf", address=node.address) as opened:
        hello = opened.until("]]>]]>")
    assert "urn:ietf:params:netconf:base:1.1" in hello
    assert "ietf-netconf-monitoring" in hello


def test_one_command_runs_without_a_terminal(node: RunningNode) -> None:
    with person(node.port, "show lock", address=node.address) as opened:
        assert "nothing is locked" in opened.until("locked")
        opened.end()
