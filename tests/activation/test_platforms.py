from pathlib import Path

import pytest

from activation.contracts import PlatformRules
from activation.errors import PlanError
from activation.platforms import load_platforms
from tests.activation.services import OLT, PLATFORMS, ROUTER, SWITCH

MINIMAL_CLI = "dialect: cli\ndriver: netmiko\ncli: {indent: 1}\n"


def test_the_platforms_that_come_along() -> None:
    rules: dict[str, PlatformRules] = dict(PLATFORMS)
    assert {name: (r.name, r.dialect, r.driver) for name, r in rules.items()} == {
        "arista_eos": ("arista_eos", "cli", "napalm"),
        "bbf_olt": ("bbf_olt", "netconf", "netconf-fast"),
        "frr": ("frr", "cli", "netmiko"),
        "smartax": ("smartax", "cli", "netmiko"),
    }
    assert ROUTER.options["device_type"] == "cisco_ios"
    assert SWITCH.options["napalm_driver"] == "eos"


def test_rules_of_the_other_dialect_are_refused() -> None:
    with pytest.raises(PlanError, match="bbf_olt has no command line rules; its dialect is netconf"):
        _ = OLT.cli_rules
    with pytest.raises(PlanError, match="frr has no schema profile; its dialect is cli"):
        _ = ROUTER.netconf_rules


BAD = {
    "no YAML": ("a: [", "while parsing"),
    "an unknown word": (MINIMAL_CLI + "colour: red\n", "colour"),
    "no rules for its dialect": ("dialect: netconf\ndriver: x\n", "needs a section 'netconf'"),
    "an unknown dialect": ("dialect: snmp\ndriver: x\n", "'netconf' or 'cli'"),
    "no mapping": ("- a\n", "list"),
}


@pytest.mark.parametrize(("text", "reason"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_its_name(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "platform.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PlanError, match=rf"platform\.yaml: (.|\n)*{reason}"):
        load_platforms(tmp_path)


def test_a_folder_without_platforms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no platform in"):
        load_platforms(tmp_path)


def test_an_undeclared_prefix_is_refused() -> None:
    with pytest.raises(PlanError, match="'nope:x' is no <prefix>:<name>; known prefixes: bbf-dot1qt"):
        OLT.netconf_rules.schema_path("/if:interfaces/nope:x")


def test_the_longest_entry_wins() -> None:
    assert SWITCH.cli_rules.value_of("switchport access vlan 5") == "switchport access vlan"
    assert SWITCH.cli_rules.value_of("switchport trunk allowed vlan 5") is None
