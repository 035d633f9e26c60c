"""The operational state of an emulated OLT: what ``<get>`` shows beside the configuration."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from lxml import etree

from labs.embedded.datatree import Branch, Entries, Key, find

IF: Final = "{urn:ietf:params:xml:ns:yang:ietf-interfaces}"
VANI: Final = "{urn:bbf:yang:bbf-xponvani}"
INTERFACES: Final = f"{IF}interfaces"
INTERFACE: Final = f"{IF}interface"
OPER_STATUS: Final = f"{IF}oper-status"
Present = Callable[[str, str], bool]
"""Whether the ONT with a serial number answers behind a channel pair."""


def everywhere(serial_number: str, channel_pair: str) -> bool:
    """Say yes: where nothing is plugged in for real, whatever is expected is there."""
    del serial_number, channel_pair
    return True


def with_state(running: Branch, filters: Sequence[etree._Element], present: Present) -> Branch:
    """Return ``running`` with the operational state of the interfaces that ``filters`` may select; of all for none."""
    entries = find(running, (INTERFACES, INTERFACE))
    interfaces = running.branch(INTERFACES)
    if entries is None or interfaces is None:
        return running
    shown = Entries(entries.schema, before=entries)
    for key in _concerned(entries, filters):
        shown.by_key[key] = _with_status(entries.by_key[key], present)
    return _with(running, INTERFACES, _with(interfaces, INTERFACE, shown))


def _concerned(entries: Entries, filters: Sequence[etree._Element]) -> Iterable[Key]:
    wanted = [each for one in filters for each in one.iter(INTERFACE)]
    named = [(each.findtext(f"{IF}name") or "").strip() for each in wanted]
    if not filters or "" in named:
        return list(entries.by_key)
    return [(name,) for name in named if (name,) in entries.by_key]


def _with_status(interface: Branch, present: Present) -> Branch:
    up = interface.leaf(f"{IF}enabled") != "false" and _is_there(interface.branch(f"{VANI}v-ani"), present)
    return _with(interface, OPER_STATUS, "up" if up else "down")


def _is_there(v_ani: Branch | None, present: Present) -> bool:
    if v_ani is None:
        return True
    serial_number = v_ani.leaf(f"{VANI}expected-serial-number") or ""
    return present(str(serial_number), str(v_ani.leaf(f"{VANI}preferred-channel-pair") or ""))


def _with(branch: Branch, qname: str, child: Branch | Entries | str) -> Branch:
    copy = Branch(branch.schema)
    copy.children = {**branch.children, qname: child}
    return copy
