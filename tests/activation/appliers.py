"""Small devices to apply edits to: written from the manuals, not from the code under test and not from its rules.

Each takes the configuration as text and gives it back in a normal form of its own, so that two states of a device
are equal if and only if their texts are.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

from labs.embedded.cli_smartax_show import configuration
from labs.embedded.cli_smartax_system import SmartAx
from labs.embedded.contracts import forget
from labs.embedded.faults import FaultBoard
from labs.embedded.smartax import SmartAxShell

NC: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
LIST_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "interface": "name",
        "rule": "name",
        "tag": "index",
        "traffic-descriptor-profile": "name",
        "tcont": "name",
        "gemport": "name",
        "forwarder": "name",
        "port": "name",
    }
)
IDENTITIES: Final = frozenset({"type", "tag-type"})


class Refused(Exception):
    """The device does not take the edit."""


# A NETCONF datastore, after RFC 6241 section 7.2.


def netconf_normal(config: str) -> str:
    """Return ``config`` with sorted nodes, expanded names and without empty containers."""
    root = _parse(config)
    _normalise(root)
    return _written(root)


def netconf_apply(config: str, edit: str) -> str:
    """Return the normal form of ``config`` after an edit-config whose default operation is merge."""
    target = _parse(config)
    _normalise(target)
    if edit:
        change = _parse(edit)
        assert change.tag == f"{{{NC}}}config"
        _merge(target, change, "merge")
    _normalise(target)
    return _written(target)


def netconf_merge_fragment(config: str, fragment: str) -> str:
    """Return the normal form of ``config`` with what a template rendered merged into it."""
    return netconf_apply(config, f'<nc:config xmlns:nc="{NC}">{fragment}</nc:config>')


def _parse(text: str) -> etree._Element:
    return etree.fromstring(text, etree.XMLParser(remove_blank_text=True))


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _is_entry(element: etree._Element) -> bool:
    return _local(element) in LIST_KEYS and len(element) > 0


def _key(element: etree._Element) -> str:
    name = LIST_KEYS[_local(element)]
    return next((child.text or "").strip() for child in element if _local(child) == name)


def _value(leaf: etree._Element) -> str:
    text = (leaf.text or "").strip()
    prefix, colon, name = text.rpartition(":")
    if _local(leaf) not in IDENTITIES or text.startswith("{"):
        return text
    return f"{{{leaf.nsmap[prefix if colon else None]}}}{name}"


def _normalise(element: etree._Element) -> None:
    for child in list(element):
        _normalise(child)
        if not len(child):
            child.text = _value(child)
            if not child.text:
                element.remove(child)
    element[:] = sorted(element, key=lambda child: (str(child.tag), _key(child) if _is_entry(child) else ""))


def _written(root: etree._Element) -> str:
    """Return the text of a tree in normal form, the same however its namespaces were declared."""
    copy = etree.Element(root.tag, nsmap={"nc": NC})
    _copy_children(root, copy)
    return etree.tostring(copy, pretty_print=True, encoding="unicode")


def _copy_children(source: etree._Element, target: etree._Element) -> None:
    for child in source:
        nsmap: dict[Any, str] = {None: str(etree.QName(child).namespace)}
        text = child.text
        if _local(child) in IDENTITIES and not len(child):
            identity = etree.QName(str(text))
            nsmap["id"], text = str(identity.namespace), f"id:{identity.localname}"
        copy = etree.SubElement(target, child.tag, nsmap=nsmap)
        if not len(child):
            copy.text = text
        _copy_children(child, copy)


def _twin(target: etree._Element, change: etree._Element) -> etree._Element | None:
    for child in target:
        if child.tag == change.tag and (not _is_entry(change) or _key(child) == _key(change)):
            return child
    return None


def _merge(target: etree._Element, change: etree._Element, inherited: str) -> None:
    for child in change:
        operation = child.get(f"{{{NC}}}operation", inherited)
        twin = _twin(target, child)
        if twin is None and operation == "delete":
            raise Refused(f"data-missing: {_local(child)}")
        if twin is not None and operation == "create" and (_is_entry(child) or not len(child)):
            raise Refused(f"data-exists: {_local(child)}")
        if operation in ("delete", "remove"):
            if twin is not None:
                target.remove(twin)
            continue
        if twin is None or operation == "replace":
            if twin is not None:
                target.remove(twin)
            twin = etree.SubElement(target, child.tag)
        if len(child):
            _merge(twin, child, operation)
        else:
            twin.text = _value(child)


# Command lines: sections are nested dicts of lines, in the order they came.

Section = dict[str, Any]


class CliDevice:
    """A command line that takes one line after the other and checks each at once."""

    opens: re.Pattern[str]
    single: tuple[str, ...] = ()

    def __init__(self, running: str) -> None:
        self.root: Section = {}
        self._load(running)

    def normal(self) -> str:
        """Return the configuration with sorted lines."""
        return "".join(f"{line}\n" for line in self._lines(self.root, 0))

    def run(self, commands: str) -> None:
        """Take the commands; ends where it began, at the top."""
        way: list[Section] = [self.root]
        for line in map(str.strip, commands.splitlines()):
            if line == "exit":
                if len(way) == 1:
                    raise Refused("exit at the top leaves the device")
                way.pop()
            elif line:
                self._take(line, way)
        if len(way) != 1:
            raise Refused("the edit ends inside a section")

    def _load(self, running: str) -> None:
        way: list[tuple[int, Section]] = [(-1, self.root)]
        for raw in running.splitlines():
            line, depth = raw.strip(), len(raw) - len(raw.lstrip())
            if not line or line in ("exit", "end") or line.startswith("!"):
                continue
            while way[-1][0] >= depth:
                way.pop()
            way.append((depth, way[-1][1].setdefault(line, {})))

    def _take(self, line: str, way: list[Section]) -> None:
        here = way[-1]
        if line.startswith("no "):
            self._remove(line.removeprefix("no "), here)
        elif self.special(line, here):
            return
        elif self.opens.fullmatch(line):
            self.check_creation(line, here)
            way.append(here.setdefault(line, {}))
        else:
            self.check_creation(line, here)
            for entry in (e for e in self.single if line.startswith(f"{e} ")):
                for old in [o for o in here if o.startswith(f"{entry} ")]:
                    del here[old]
            here[line] = {}

    def _remove(self, line: str, here: Section) -> None:
        matches = [old for old in here if old == line or (line in self.single and old.startswith(f"{line} "))]
        if not matches:
            raise Refused(f"nothing to remove: {line}")
        for old in matches:
            self.check_removal(old, here)
            del here[old]

    def special(self, line: str, here: Section) -> bool:  # noqa: ARG002  # for devices that have such lines
        """Take a line that is no plain line; say whether it was one."""
        return False

    def check_creation(self, line: str, here: Section) -> None:
        """Refuse a line that refers to nothing."""

    def check_removal(self, line: str, here: Section) -> None:
        """Refuse to remove what is referred to."""

    def _lines(self, section: Section, depth: int) -> list[str]:
        return [
            text for line in sorted(section) for text in (" " * depth + line, *self._lines(section[line], depth + 1))
        ]


class EosDevice(CliDevice):
    """An Arista switch that checks references at once."""

    opens = re.compile(r"vlan \d+|class-map type qos .*|policy-map type quality-of-service .*|class \S+|interface \S+")
    single = ("name", "description", "state", "police rate", "service-policy type qos input")
    trunk = "switchport trunk allowed vlan"

    def special(self, line: str, here: Section) -> bool:
        if not line.startswith(self.trunk):
            return False
        action, values = line.removeprefix(self.trunk).split()
        stored = next((old for old in here if old.startswith(self.trunk)), f"{self.trunk} none")
        vlan_ids = self._vlan_ids(stored.removeprefix(self.trunk).strip())
        vlan_ids = vlan_ids | self._vlan_ids(values) if action == "add" else vlan_ids - self._vlan_ids(values)
        here.pop(stored, None)
        here[f"{self.trunk} {','.join(map(str, sorted(vlan_ids))) or 'none'}"] = {}
        return True

    @staticmethod
    def _vlan_ids(text: str) -> set[int]:
        ranges = [part.split("-") for part in text.split(",") if part != "none"]
        return {vlan_id for part in ranges for vlan_id in range(int(part[0]), int(part[-1]) + 1)}

    def check_creation(self, line: str, here: Section) -> None:
        words = line.split()
        if words[0] == "class" and f"class-map type qos match-any {words[1]}" not in self.root:
            raise Refused(f"no such class map: {line}")
        if words[0] == "service-policy" and f"policy-map type quality-of-service {words[-1]}" not in self.root:
            raise Refused(f"no such policy map: {line}")
        if words[0] == "police" and not line.endswith("kbytes"):
            raise Refused(line)
        assert here is not None

    def check_removal(self, line: str, here: Section) -> None:
        name = line.rsplit(maxsplit=1)[-1]
        users = [old for section in self.root.values() for old in section]
        if line.startswith("class-map") and f"class {name}" in users:
            raise Refused(f"in use: {line}")
        if line.startswith("policy-map") and f"service-policy type qos input {name}" in users:
            raise Refused(f"in use: {line}")
        assert line in here


class FrrDevice(CliDevice):
    """A router on which every line is live at once."""

    opens = re.compile(r"interface \S+")
    single = ("description",)

    def check_creation(self, line: str, here: Section) -> None:
        if line.startswith("ip route") and here is self.root and "." in line.rsplit(maxsplit=1)[-1]:
            name = line.rsplit(maxsplit=1)[-1]
            if not name[0].isdigit() and f"interface {name}" not in self.root:
                raise Refused(f"no such interface: {line}")

    def check_removal(self, line: str, here: Section) -> None:
        if not line.startswith("interface "):
            return
        if here[line]:
            raise Refused(f"only an empty interface can go: {line}")
        if any(old.startswith("ip route") and old.endswith(f" {line.split()[1]}") for old in self.root):
            raise Refused(f"a route needs it: {line}")


def cli_apply(device: type[CliDevice]) -> Callable[[str, str], str]:
    """Return the function that applies commands to a running configuration."""

    def apply(running: str, commands: str) -> str:
        one = device(running)
        one.run(commands)
        return one.normal()

    return apply


def eos_normal(running: str) -> str:
    """Return the normal form of a switch's configuration; touching the trunks spells their ranges out."""
    one = EosDevice(running)
    for name in [line for line in one.root if line.startswith("interface ")]:
        one.run(f"{name}\n{EosDevice.trunk} add none\nexit\n")
    return one.normal()


def frr_normal(running: str) -> str:
    """Return the normal form of a router's configuration."""
    return FrrDevice(running).normal()


# The OLT with a command line is the emulated one: its refusals are what the order of commands has to respect.


def smartax_apply(running: str, commands: str) -> str:
    """Return the OLT's configuration after ``commands``."""
    text, refused = asyncio.run(_typed_at_olt(running, commands))
    if refused:
        raise Refused(refused)
    return text


def smartax_merge(running: str, fragment: str) -> str:
    """Return the OLT's configuration with a fragment typed in, whose values count where a profile exists already."""
    _, refused = asyncio.run(_typed_at_olt(running, fragment))
    existing = [line.partition(": ")[0] for line in refused.splitlines() if "existed already" in line]
    for line in existing:
        changed = re.sub(r'^dba-profile add (profile-id \d+) profile-name "\S+"', r"dba-profile modify \1", line)
        fragment = fragment.replace(line, changed)
    return smartax_apply(running, fragment)


async def _typed_at_olt(running: str, commands: str) -> tuple[str, str]:
    olt = SmartAx(name="dut", startup_config=running, faults=FaultBoard(), saved=forget)
    shell, refused = SmartAxShell(olt), ""
    for line in ("undo smart", "enable", "config", *commands.splitlines(), "return"):
        answer = await shell.run(line)
        refused += f"{line}: {answer}" if "Failure" in answer or "%" in answer else ""
    return configuration(olt.running), refused


def smartax_normal(running: str) -> str:
    """Return the OLT's configuration as the OLT prints it."""
    return smartax_apply(running, "")
