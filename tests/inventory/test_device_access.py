"""How devices are logged in to, as the network file says it."""

from pathlib import Path

import pytest

from inventory.errors import BadNetwork
from inventory.imports import plan_import
from inventory.model import Device, Network
from inventory.network_file import load_network_file
from inventory.secrets import with_password

KEY = f"SHA256:{'A' * 43}"
OLT = Device(name="olt1", platform="bbf_olt", role="olt", address="127.0.0.1", port=830, username="admin", password="x")
SWITCH = Device(
    name="sw1", platform="arista_eos", role="switch", address="127.0.0.2", port=22, username="admin", password="y"
)
FILE = f"""
devices:
  - name: olt1
    password: {{file: olt1.secret}}
    driver: netconf
    sshProfile: legacy
    hostKey: {KEY}
    maxSessions: 2
    loginsPerMinute: 6
    timeoutS: 30
"""
BAD = {
    "two places": (
        "{name: olt1, password: {env: A, file: b}}",
        r"devices\[0\].password: one place .* legal: \{env: NAME\}",
    ),
    "a plain word": (
        "{name: olt1, password: secret}",
        r"devices\[0\].password: a mapping must stand here; legal keys: env",
    ),
    "no fingerprint": ("{name: olt1, hostKey: ssh-rsa AAA}", r"devices\[0\].hostKey: String should match"),
    "no session": ("{name: olt1, maxSessions: 0}", r"devices\[0\].maxSessions: .*greater than or equal to 1"),
    "no time": ("{name: olt1, timeoutS: 0}", r"devices\[0\].timeoutS: .*greater than 0"),
    "unknown key": ("{name: olt1, sessions: 3}", r"unknown key 'sessions'; legal: password, driver, sshProfile"),
    "nobody": ("{name: olt9}", r"devices\[0\]: no device is called 'olt9'; known: olt1, sw1"),
    "twice": ("{name: olt1}, {name: olt1}", r"devices\[1\]: 'olt1' stands there twice"),
}


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "network.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_device_gets_what_the_file_says_and_the_others_stay(tmp_path: Path) -> None:
    olt, switch = load_network_file(written(tmp_path, FILE), (OLT, SWITCH)).devices
    assert switch == SWITCH
    assert (olt.driver, olt.ssh_profile, olt.host_key) == ("netconf", "legacy", KEY)
    assert (olt.max_sessions, olt.logins_per_minute, olt.timeout_s) == (2, 6, 30.0)
    assert (olt.password, olt.password_from) == ("", f"file:{tmp_path / 'olt1.secret'}")


def test_a_password_beside_the_file_is_read_at_the_login(tmp_path: Path) -> None:
    (olt,) = load_network_file(written(tmp_path, FILE), (OLT,)).devices
    (tmp_path / "olt1.secret").write_text("the-word\n", encoding="utf-8")
    assert with_password(olt).password == "the-word"


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_with_the_place_and_the_legal_values(case: str, tmp_path: Path) -> None:
    section, message = BAD[case]
    with pytest.raises(BadNetwork, match=message):
        load_network_file(written(tmp_path, f"devices: [{section}]"), (OLT, SWITCH))


def test_a_device_that_has_no_address_yet_may_be_spoken_of(tmp_path: Path) -> None:
    file = written(tmp_path, "devices: [{name: sw1, maxSessions: 2}]")
    assert load_network_file(file, (OLT,), absent=["sw1"]).devices == (OLT,)


def test_an_import_brings_the_access_that_it_knows_and_keeps_the_rest(tmp_path: Path) -> None:
    file = written(tmp_path, "devices: [{name: olt1, maxSessions: 2, password: {env: OLT}}]")
    (first,) = plan_import(Network(), load_network_file(file, (OLT,))).network.devices
    assert (first.max_sessions, first.password_from) == (2, "env:OLT")
    file = written(tmp_path, "devices: [{name: olt1, driver: netconf}]")
    planned = plan_import(Network(devices=(first,)), load_network_file(file, (OLT,)))
    (second,) = planned.network.devices
    assert (second.driver, second.max_sessions, second.password_from) == ("netconf", 2, "env:OLT")
    assert [str(change) for change in planned.changes] == ["~ device olt1: password changes, driver  → netconf"]
