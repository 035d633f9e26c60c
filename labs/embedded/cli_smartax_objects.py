"""What the configuration of a SmartAX OLT is made of, and what has to be there for what."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from labs.embedded.cli_tree import ConfigLine, Tree, find

Need = tuple[str, str]
"""A kind of object and its name."""

IS_MISSING: Final = {
    "dba": "The DBA profile does not exist",
    "line": "The line profile does not exist",
    "srv": "The service profile does not exist",
    "vlan": "The VLAN does not exist",
    "ont": "The ONT does not exist",
    "tcont": "The T-CONT does not exist",
}
IS_USED: Final = {
    "dba": "The DBA profile is in use",
    "line": "The profile has been bound to an ONT",
    "srv": "The profile has been bound to an ONT",
    "vlan": "The VLAN has service virtual ports or upstream ports",
    "ont": "This configured object has some service virtual ports",
    "tcont": "The T-CONT has GEM ports",
}
SN_EXISTS: Final = "SN already exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ont:
    """One ONT as it is configured."""

    place: str
    serial: str
    line_profile: str
    description: str
    active: bool


@dataclass(slots=True, kw_only=True)
class Objects:
    """The objects that a configuration holds, and what they need.

    Attributes:
        flows: the words of each service port, by its index.
    """

    there: set[Need] = field(default_factory=set)
    needs: set[Need] = field(default_factory=set)
    onts: dict[str, Ont] = field(default_factory=dict)
    flows: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def serials(self) -> list[str]:
        """Return the serial numbers of all ONTs."""
        return [ont.serial for ont in self.onts.values()]


def objects(tree: Tree) -> Objects:
    """Return what ``tree`` holds."""
    found = Objects()
    for line in tree:
        words = tuple(line.text.split())
        match line.key[0]:
            case "dba-profile":
                found.there.add(("dba", words[3]))
            case "ont-lineprofile":
                _take_profile(found, line)
            case "ont-srvprofile":
                found.there.add(("srv", words[3]))
            case "vlan":
                found.there.add(("vlan", words[1]))
            case "port":
                found.needs.add(("vlan", words[2]))
            case "interface":
                _take_board(found, line)
            case "service-port":
                found.flows[words[1]] = words
                found.needs |= {("vlan", words[3]), ("ont", f"{words[5]}/{words[7]}")}
    return found


def _take_profile(found: Objects, section: ConfigLine) -> None:
    profile = section.key[3]
    found.there.add(("line", profile))
    for line in section.children:
        if line.key[0] == "tcont":
            found.there.add(("tcont", f"{profile}/{line.key[1]}"))
            found.needs.add(("dba", line.text.split()[-1]))
        elif line.key[:2] == ("gem", "add"):
            found.needs.add(("tcont", f"{profile}/{line.text.split()[-1]}"))


def _take_board(found: Objects, section: ConfigLine) -> None:
    for ont in _onts(section):
        found.onts[ont.place] = ont
        found.there.add(("ont", ont.place))
        srv = next(line for line in section.children if line.key == ("ont", "add", *ont.place.split("/")[2:]))
        found.needs |= {("line", ont.line_profile), ("srv", srv.text.split()[10])}
    for line in section.children:
        if line.key[:2] == ("ont", "deactivate"):
            found.needs.add(("ont", "/".join((section.key[2], *line.key[2:]))))


def _onts(section: ConfigLine) -> Iterator[Ont]:
    for line in section.children:
        if line.key[:2] == ("ont", "add"):
            words = line.text.split()
            yield Ont(
                place="/".join((section.key[2], words[2], words[3])),
                serial=words[5].strip('"'),
                line_profile=words[8],
                description=line.text.partition(" desc ")[2].strip('"'),
                active=find(section.children, ("ont", "deactivate", words[2], words[3])) is None,
            )


def trouble(before: Tree, after: Tree) -> str:
    """Return why the device does not let ``after`` follow ``before``; empty where it does."""
    old, new = objects(before), objects(after)
    for kind, name in sorted((new.needs - new.there) - (old.needs - old.there)):
        return IS_USED[kind] if (kind, name) in old.there else IS_MISSING[kind]
    serials = new.serials()
    return SN_EXISTS if len(set(serials)) < len(serials) else ""
