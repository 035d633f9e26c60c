"""The configuration language of the emulated SmartAX OLT: what it takes, and in which order it prints it."""

import re
from typing import Final

from labs.embedded.cli_config import Language, Rewrite, Rule
from labs.embedded.cli_grammar import Value, number, one_of, word

INDENT: Final = " "
HIGHEST_VLAN: Final = 4094


def board(text: str) -> str:
    """Return a frame and slot such as ``0/1``.

    Raises:
        ValueError: it is none.
    """
    return _shaped(text, r"\d/\d{1,2}")


def pon(text: str) -> str:
    """Return a frame, slot and port such as ``0/1/3``.

    Raises:
        ValueError: it is none.
    """
    return _shaped(text, r"\d/\d{1,2}/\d{1,2}")


def serial_number(text: str) -> str:
    """Return an ONT's serial number as the device prints it: hexadecimal, in quotes.

    Raises:
        ValueError: neither 16 hexadecimal digits nor a vendor of four letters and 8 digits.
    """
    bare = text.strip('"').upper().replace("-", "")
    if re.fullmatch(r"[A-Z]{4}[0-9A-F]{8}", bare):
        bare = bare[:4].encode().hex().upper() + bare[4:]
    return f'"{_shaped(bare, "[0-9A-F]{16}")}"'


def quoted(text: str) -> str:
    """Return one word in quotes.

    Raises:
        ValueError: too long for the device.
    """
    return f'"{_shaped(text.strip(chr(34)), "[ -~]{1,63}")}"'


def _shaped(text: str, pattern: str) -> str:
    if re.fullmatch(pattern, text, flags=re.ASCII) is None:
        raise ValueError(text)
    return text


def _description(line: str, stored: str | None) -> str:
    del stored
    head, _, text = line.partition(" desc ")
    return f"{head} desc {quoted(text)}"


def _kept_name(default: str) -> Rewrite:
    """A section entered by its number alone keeps its name, or gets the device's own."""
    return lambda line, stored: stored if stored is not None else f'{line} profile-name "{default}_{line.split()[-1]}"'


_ONT: Final = "ont add {port} {ont} | sn-auth {sn} omci ont-lineprofile-id {profile} ont-srvprofile-id {profile}"
_LINE: Final = "ont-lineprofile gpon profile-id {profile}"
_SRV: Final = "ont-srvprofile gpon profile-id {profile}"
_DBA: Final = "dba-profile add profile-id {profile} | profile-name {name}"
_FLOW: Final = (
    "service-port {index} | vlan {vlan} gpon {pon} ont {ont} gemport {gem} multi-service user-vlan {vlan} "
    "tag-transform {transform}"
)
COMMITTED: Final = "commit\nquit"

MODES: Final[dict[str, tuple[Rule, ...]]] = {
    "global": (
        Rule(pattern="sysname | {word}"),
        Rule(pattern=f"{_DBA} type1 fix {{kbps}}"),
        Rule(pattern=f"{_DBA} type2 assure {{kbps}}"),
        Rule(pattern=f"{_DBA} type3 assure {{kbps}} max {{kbps}}"),
        Rule(pattern=f"{_DBA} type4 max {{kbps}}"),
        Rule(
            pattern=f"{_LINE} | profile-name {{name}}",
            opens="line",
            prompt="gpon-lineprofile-{3}",
            closing=COMMITTED,
        ),
        Rule(
            pattern=_LINE,
            opens="line",
            prompt="gpon-lineprofile-{3}",
            closing=COMMITTED,
            rewrite=_kept_name("ont-lineprofile"),
        ),
        Rule(pattern=f"{_SRV} | profile-name {{name}}", opens="srv", prompt="gpon-srvprofile-{3}", closing=COMMITTED),
        Rule(
            pattern=_SRV,
            opens="srv",
            prompt="gpon-srvprofile-{3}",
            closing=COMMITTED,
            rewrite=_kept_name("ont-srvprofile"),
        ),
        Rule(pattern="vlan {vlan} | {vlan-type}"),
        Rule(pattern="port vlan {vlan} {board} {port}"),
        Rule(
            pattern="interface gpon {board}",
            opens="gpon",
            prompt="if-gpon-{2}",
            closing="quit",
            permanent=lambda _: True,
        ),
        Rule(pattern=_FLOW),
        Rule(pattern=f"{_FLOW} inbound traffic-table index {{int}} outbound traffic-table index {{int}}"),
    ),
    "line": (
        Rule(pattern="tcont {tcont} | dba-profile-id {profile}"),
        Rule(pattern="gem add {gem} | eth tcont {tcont}"),
        Rule(pattern="gem mapping {gem} {int} | vlan {vlan}"),
    ),
    "srv": (
        Rule(pattern="ont-port | pots {int} eth {int}"),
        Rule(pattern="port vlan eth {int} | {int}"),
    ),
    "gpon": (
        Rule(pattern="port {port} ont-auto-find | {on-off}"),
        Rule(pattern=_ONT),
        Rule(pattern=f"{_ONT} desc {{text}}", rewrite=_description),
        Rule(pattern="ont port native-vlan {port} {ont} eth {int} | vlan {vlan} priority {int}"),
        Rule(pattern="ont deactivate {port} {ont}"),
    ),
}

_VALUES: Final[dict[str, Value]] = {
    "{word}": word,
    "{name}": quoted,
    "{int}": number(0, 2**32 - 1),
    "{profile}": number(0, 8192),
    "{kbps}": number(64, 10_000_000),
    "{tcont}": number(0, 127),
    "{gem}": number(0, 1023),
    "{vlan}": number(1, HIGHEST_VLAN),
    "{index}": number(0, 65535),
    "{port}": number(0, 15),
    "{ont}": number(0, 127),
    "{board}": board,
    "{pon}": pon,
    "{sn}": serial_number,
    "{vlan-type}": one_of("smart", "standard", "mux", "super"),
    "{transform}": one_of("default", "translate", "transparent", "add-double", "translate-and-add"),
    "{on-off}": one_of("enable", "disable"),
}

SMARTAX: Final = Language(
    modes=MODES,
    values=_VALUES,
    negations=("undo",),
    leaves="quit",
    ends="return",
    comment="#",
    ignored=frozenset({"commit"}),
    reaches_out=False,
)
