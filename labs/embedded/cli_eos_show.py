"""What the emulated EOS switch answers to ``show``: text for people and, after ``| json``, data for programs."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from labs.embedded.cli_eos_language import HIGHEST_VLAN, INDENT, TRUNK_ALLOWED, is_physical, vlan_ids
from labs.embedded.cli_eos_system import END, MODEL, STARTUP, VERSION, CommandFailed, ConfigSession, EosSystem
from labs.embedded.cli_tree import ConfigLine, printed

MAC: Final = "00:1c:73:00:20:0c"
SERIAL: Final = "LASTMILE0012"
MEMORY_KB: Final = 8098984
MEMORY_FREE_KB: Final = 5210112
ETHERNET_BPS: Final = 10_000_000_000
CONNECTED: Final = "connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer in both its forms; without data, ``| json`` is refused."""

    text: str
    data: Mapping[str, Any] | None = None


def version(system: EosSystem) -> Reply:
    """Return ``show version``."""
    uptime_s = system.uptime_s()
    hours, minutes = divmod(int(uptime_s) // 60, 60)
    text = (
        f"Arista {MODEL}\nHardware version: \nSerial number: {SERIAL}\nHardware MAC address: {_dotted(MAC)}\n"
        f"System MAC address: {_dotted(MAC)}\n\nSoftware image version: {VERSION}\nArchitecture: x86_64\n"
        f"Internal build version: {VERSION}-38195967.4322F\nImage format version: 1.0\nImage optimization: None\n\n"
        f"Uptime: {hours} hours and {minutes} minutes\nTotal memory: {MEMORY_KB} kB\nFree memory: {MEMORY_FREE_KB} kB\n"
    )
    data = {
        "mfgName": "Arista",
        "modelName": MODEL,
        "hardwareRevision": "",
        "serialNumber": SERIAL,
        "systemMacAddress": MAC,
        "version": VERSION,
        "architecture": "x86_64",
        "internalVersion": f"{VERSION}-38195967.4322F",
        "bootupTimestamp": system.booted_at,
        "uptime": uptime_s,
        "memTotal": MEMORY_KB,
        "memFree": MEMORY_FREE_KB,
        "isIntlVersion": False,
    }
    return Reply(text=text, data=data)


def _dotted(mac: str) -> str:
    digits = mac.replace(":", "")
    return f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"


def hostname(system: EosSystem) -> Reply:
    """Return ``show hostname``."""
    name = system.hostname()
    return Reply(text=f"Hostname: {name}\nFQDN:     {name}\n", data={"hostname": name, "fqdn": name})


def section(system: EosSystem, wanted: str) -> Reply:
    """Return the parts of the running configuration whose first line the regular expression ``wanted`` matches.

    Raises:
        CommandFailed: it is no regular expression.
    """
    try:
        pattern = re.compile(wanted)
    except re.error as malformed:
        raise CommandFailed(f"Invalid input: {wanted}") from malformed
    system.about_to_read()
    lines = printed(system.heads.matching(pattern), indent=INDENT)
    return Reply(text="".join(f"{text}\n" for text in (*lines, *([END] if pattern.search(END) else []))))


def interface_config(system: EosSystem, name: str) -> Reply:
    """Return the running configuration of one interface."""
    found = tuple(line for line in system.running if line.key == ("interface", name))
    return Reply(text="".join(f"{text}\n" for text in printed(found, indent=INDENT)))


def sessions(system: EosSystem, *, detail: bool) -> Reply:
    """Return ``show configuration sessions``."""
    timed = system.timed()
    data: dict[str, Any] = {
        "maxSavedSessions": 1,
        "maxOpenSessions": 5,
        "mergeOnCommit": False,
        "saveToStartupConfigOnCommit": False,
        "sessions": {each.name: _session_data(each) for each in system.sessions.values()},
    }
    if timed is not None:
        data |= {"commitTimerSessionName": timed.name, "commitTimerExpireTime": timed.commit_by_s}
    lines = ["Maximum number of completed sessions: 1", "Maximum number of pending sessions: 5", ""]
    lines += [f"  {'Name':<24} {'State':<20} {'User':<10}{' Commit timer' if detail else ''}".rstrip()]
    lines += [f"  {'-' * 24} {'-' * 20} {'-' * 10}{' ' + '-' * 12 if detail else ''}"]
    for each in system.sessions.values():
        left = time.strftime("%H:%M:%S", time.gmtime(max(0.0, each.commit_by_s - system.uptime_s())))
        timer = f" {left}" if detail and each is timed else ""
        lines.append(f"  {each.name:<24} {each.state:<20} {each.user:<10}{timer}".rstrip())
    return Reply(text="\n".join([*lines, ""]), data=data)


def _session_data(session: ConfigSession) -> dict[str, Any]:
    data: dict[str, Any] = {"state": session.state, "commitUser": session.user, "description": "", "instances": {}}
    return data | ({"commitBy": session.commit_by_s} if session.commit_by_s >= 0 else {})


def vlans(system: EosSystem, only: int | None = None) -> Reply:
    """Return ``show vlan``: every configured VLAN, or one, and the ports that carry it; what is down carries none."""
    names = {1: "default"} | {
        int(line.key[1]): _value(line, ("name",), f"VLAN{int(line.key[1]):04}")
        for line in system.running
        if line.key[0] == "vlan"
    }
    names = {vlan: name for vlan, name in names.items() if only in {None, vlan}}
    status = {vlan: "suspended" if vlan in _suspended(system) else "active" for vlan in names}
    carried = {line.key[1]: _carried(line) for line in _ethernets(system) if _link(system, line) == CONNECTED}
    members = {vlan: [port for port, ids in carried.items() if vlan in ids] for vlan in names}
    lines = [f"{'VLAN':<5} {'Name':<32} {'Status':<9} Ports", f"{'-' * 5} {'-' * 32} {'-' * 9} {'-' * 31}"]
    lines += [
        f"{vlan:<5} {name:<32} {status[vlan]:<9} {', '.join(members[vlan])}".rstrip() for vlan, name in names.items()
    ]
    data = {
        str(vlan): {
            "name": name,
            "status": status[vlan],
            "dynamic": False,
            "interfaces": {port: {"privatePromoted": False, "blocked": None} for port in members[vlan]},
        }
        for vlan, name in names.items()
    }
    return Reply(text="\n".join([*lines, ""]), data={"sourceDetail": "", "vlans": data})


def _suspended(system: EosSystem) -> frozenset[int]:
    sections = (line for line in system.running if line.key[0] == "vlan")
    return frozenset(
        int(each.key[1]) for each in sections if any(line.text == "state suspend" for line in each.children)
    )


def _carried(interface: ConfigLine) -> frozenset[int]:
    if any(line.text == "no switchport" for line in interface.children):
        return frozenset()
    if _value(interface, ("switchport", "mode"), "access") != "trunk":
        return frozenset({int(_value(interface, ("switchport", "access", "vlan"), "1"))})
    allowed = _value(interface, tuple(TRUNK_ALLOWED.split()), f"1-{HIGHEST_VLAN}")
    return frozenset() if allowed == "none" else vlan_ids(allowed)


def interfaces_status(system: EosSystem) -> Reply:
    """Return ``show interfaces status``."""
    lines = [f"{'Port':<10} {'Name':<20} {'Status':<12} {'Vlan':<8} {'Duplex':<6} {'Speed':<6} Type"]
    statuses: dict[str, Any] = {}
    for interface in _physical(system):
        name, about = interface.key[1], _value(interface, ("description",), "")
        status = _link(system, interface)
        vlan = _vlan_column(interface)
        short = name.replace("Ethernet", "Et").replace("Management", "Ma")
        lines.append(f"{short:<10} {about[:20]:<20} {status:<12} {vlan:<8} {'full':<6} {'10G':<6} EbraTestPhyPort")
        statuses[name] = {"description": about, "linkStatus": status, "vlanInformation": {"vlanId": vlan}}
    return Reply(text="\n".join([*lines, ""]), data={"interfaceStatuses": statuses})


def _vlan_column(interface: ConfigLine) -> str:
    if interface.key[1].startswith("Management") or any(line.text == "no switchport" for line in interface.children):
        return "routed"
    mode = _value(interface, ("switchport", "mode"), "access")
    return "trunk" if mode == "trunk" else _value(interface, ("switchport", "access", "vlan"), "1")


def interfaces(system: EosSystem) -> Reply:
    """Return ``show interfaces``."""
    lines: list[str] = []
    data: dict[str, Any] = {}
    for index, interface in enumerate(line for line in system.running if line.key[0] == "interface"):
        name, about = interface.key[1], _value(interface, ("description",), "")
        status = _link(system, interface)
        up = "up" if status == CONNECTED else "down"
        mtu = int(_value(interface, ("mtu",), "9214" if name.startswith("Ethernet") else "1500"))
        lines += [f"{name} is {up}, line protocol is {up}", f"  Description: {about}", f"  IP MTU {mtu} bytes"]
        data[name] = {
            "name": name,
            "description": about,
            "hardware": "subinterface" if "." in name else "ethernet",
            "lineProtocolStatus": up,
            "interfaceStatus": status,
            "mtu": mtu,
            "bandwidth": ETHERNET_BPS,
            "physicalAddress": f"{MAC[:-2]}{index + 16:02x}",
            "lastStatusChangeTimestamp": system.booted_at,
            "interfaceCounters": {},
        }
    return Reply(text="\n".join([*lines, ""]), data={"interfaces": data})


def lldp_neighbors(system: EosSystem) -> Reply:
    """Return ``show lldp neighbors``: a lab in one process has none."""
    del system
    header = f"{'Port':<12} {'Neighbor Device ID':<24} {'Neighbor Port ID':<20} TTL\n"
    return Reply(text=header, data={"lldpNeighbors": []})


def _physical(system: EosSystem) -> list[ConfigLine]:
    return [line for line in system.running if line.key[0] == "interface" and is_physical(line.key[1])]


def _ethernets(system: EosSystem) -> list[ConfigLine]:
    return [line for line in _physical(system) if line.key[1].startswith("Ethernet")]


def _link(system: EosSystem, interface: ConfigLine) -> str:
    """Return the state of a port: what the configuration says, then whether its cable is cut."""
    if any(line.text == "shutdown" for line in interface.children):
        return "disabled"
    cut = system.faults.amount("link_down")
    return "notconnect" if cut is not None and interface.key[1] == f"Ethernet{cut:g}" else CONNECTED


def _value(parent: ConfigLine, key: tuple[str, ...], default: str) -> str:
    line = next((line for line in parent.children if line.key == key), None)
    return line.text.removeprefix(" ".join(key)).strip() if line is not None else default


def _session_config(system: EosSystem, name: str) -> Reply:
    return Reply(text=system.text(system.session(name).candidate))


def _running(system: EosSystem, words: tuple[str, ...]) -> Reply:
    del words
    system.about_to_read()
    return Reply(text=system.text(system.running))


SHOWS: Final[Mapping[str, Callable[[EosSystem, tuple[str, ...]], Reply]]] = {
    "show version": lambda system, _: version(system),
    "show hostname": lambda system, _: hostname(system),
    "show running-config": _running,
    "show running-config all": _running,
    "show running-config sanitized": _running,
    "show running-config all sanitized": _running,
    "show running-config section {text}": lambda system, words: section(system, words[-1]),
    "show running-config interfaces {interface}": lambda system, words: interface_config(system, words[-1]),
    "show startup-config": lambda system, _: Reply(text=system.read(STARTUP)),
    "show configuration sessions": lambda system, _: sessions(system, detail=False),
    "show configuration sessions detail": lambda system, _: sessions(system, detail=True),
    "show session-config named {word}": lambda system, words: _session_config(system, words[-1]),
    "show session-config named {word} sanitized": lambda system, words: _session_config(system, words[3]),
    "show session-config named {word} diffs": lambda system, words: Reply(text=system.diffs(system.session(words[3]))),
    "show logging": lambda system, _: Reply(text="".join(f"{line}\n" for line in system.log)),
    "show interfaces": lambda system, _: interfaces(system),
    "show interfaces status": lambda system, _: interfaces_status(system),
    "show vlan id {vlan-id}": lambda system, words: vlans(system, int(words[-1])),
    "show vlan": lambda system, _: vlans(system),
    "show lldp neighbors": lambda system, _: lldp_neighbors(system),
}
"""What can be shown, by pattern; each is given the canonical words of the command."""
