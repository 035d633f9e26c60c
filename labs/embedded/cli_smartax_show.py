"""What the emulated SmartAX OLT answers to ``display``."""

import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from labs.embedded.cli_smartax_language import INDENT
from labs.embedded.cli_smartax_objects import Ont, objects
from labs.embedded.cli_tree import Tree, printed

VERSION: Final = "MA5800V100R019C10"
MODEL: Final = "MA5800-X7"
RULER: Final = f"  {'-' * 77}\n"


class Olt(Protocol):
    """What is displayed."""

    running: Tree
    saved: str
    started_at: float


def configuration(tree: Tree) -> str:
    """Return a configuration as ``display current-configuration`` prints it."""
    return "\n".join(["#", *printed(tree, indent=INDENT, between="#"), "#", "return", ""])


def _current(olt: Olt, words: tuple[str, ...]) -> str:
    del words
    return configuration(olt.running)


def _section(olt: Olt, words: tuple[str, ...]) -> str:
    wanted = f"interface gpon {words[-1]}"
    return configuration(tuple(line for line in olt.running if line.text == wanted))


def _saved(olt: Olt, words: tuple[str, ...]) -> str:
    del words
    return olt.saved


def _version(olt: Olt, words: tuple[str, ...]) -> str:
    del words
    up_s = int(time.time() - olt.started_at)
    days, hours, minutes = up_s // 86400, up_s // 3600 % 24, up_s // 60 % 60
    return (
        f"\n  VERSION : {VERSION}\n  PATCH   : -\n  PRODUCT : {MODEL}\n\n"
        f"  Uptime is {days} day(s), {hours} hour(s), {minutes} minute(s), {up_s % 60} second(s)\n"
    )


def _time(olt: Olt, words: tuple[str, ...]) -> str:
    del olt, words
    return time.strftime("  %Y-%m-%d %H:%M:%S%z\n")


def _board(olt: Olt, words: tuple[str, ...]) -> str:
    slots = [line.key[2].partition("/")[2] for line in olt.running if line.key[:2] == ("interface", "gpon")]
    rows = [f"  {slot:<8}H901GPHF   Normal\n" for slot in slots if words[-1] == "0"]
    return RULER + "  SlotID  BoardName  Status\n" + RULER + "".join(rows) + RULER


def _ont_rows(olt: Olt, words: tuple[str, ...]) -> str:
    frame, slot, port, wanted = words[3:]
    place = f"{frame}/{slot}/{port}/"
    onts = [ont for ont in objects(olt.running).onts.values() if ont.place.startswith(place)]
    if wanted != "all":
        return (
            "".join(_ont(ont) for ont in onts if ont.place == place + wanted) or "  Failure: The ONT does not exist\n"
        )
    if not onts:
        return "  Failure: There is no ONT available\n"
    head = "  F/S/P   ONT  SN               Control     Run      Config   Match\n"
    rows = [
        f"  {frame}/{slot}/{port:<4}{ont.place.rpartition('/')[2]:>3}  {ont.serial}  {_control(ont):<11} "
        f"{_run(ont):<8} normal   match\n"
        for ont in onts
    ]
    return (
        RULER
        + head
        + RULER
        + "".join(rows)
        + RULER
        + f"  In port {frame}/{slot}/{port}, the total of ONTs are: {len(onts)}\n"
    )


def _ont(ont: Ont) -> str:
    vendor = bytes.fromhex(ont.serial[:8]).decode("ascii", errors="replace")
    facts = {
        "F/S/P": ont.place.rpartition("/")[0],
        "ONT-ID": ont.place.rpartition("/")[2],
        "Control flag": _control(ont),
        "Run state": _run(ont),
        "Config state": "normal",
        "Match state": "match",
        "SN": f"{ont.serial} ({vendor}-{ont.serial[8:]})",
        "Line profile ID": ont.line_profile,
        "Description": ont.description or "-",
    }
    return RULER + "".join(f"  {name:<24}: {value}\n" for name, value in facts.items()) + RULER


def _control(ont: Ont) -> str:
    return "active" if ont.active else "deactivated"


def _run(ont: Ont) -> str:
    return "online" if ont.active else "offline"


def _flows(olt: Olt, words: tuple[str, ...]) -> str:
    del words
    found = objects(olt.running).flows
    if not found:
        return "  Failure: No service virtual port can be operated\n"
    head = "  INDEX VLAN  PORT      ONT  GEM  FLOW TYPE  FLOW PARA\n"
    rows = [
        f"  {flow[1]:>5} {flow[3]:>4}  {flow[5]:<8} {flow[7]:>4} {flow[9]:>4}  vlan       {flow[12]}\n"
        for flow in found.values()
    ]
    return RULER + head + RULER + "".join(rows) + RULER + f"  Total : {len(rows)}\n"


def _vlans(olt: Olt, words: tuple[str, ...]) -> str:
    del words
    vlans = [line.text.split() for line in olt.running if line.key[0] == "vlan"]
    rows = [f"  {vlan:>5}  {kind}\n" for _, vlan, kind in vlans]
    return RULER + "   VLAN  Type\n" + RULER + "".join(rows) + RULER + f"  Total: {len(rows)}\n"


def _dba_profiles(olt: Olt, words: tuple[str, ...]) -> str:
    del words
    rows = [f"  {line.text.partition('profile-id ')[2]}\n" for line in olt.running if line.key[0] == "dba-profile"]
    return RULER + "  Profile-ID and bandwidth in kbit/s\n" + RULER + "".join(rows) + RULER


Show = Callable[[Olt, tuple[str, ...]], str]

SHOWS: Final[Mapping[str, Show]] = {
    "display version": _version,
    "display time": _time,
    "display current-configuration": _current,
    "display current-configuration section gpon {board}": _section,
    "display saved-configuration": _saved,
    "display board {int}": _board,
    "display ont info {int} {int} {int} {ont-or-all}": _ont_rows,
    "display service-port all": _flows,
    "display vlan all": _vlans,
    "display dba-profile all": _dba_profiles,
}
