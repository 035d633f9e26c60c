"""containerlab's node kinds: which there are, how one logs in, and how their devices name their interfaces."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final

from labs.yaml_text import load_yaml

_INTERFACE_LABEL: Final = "lastmile.interface."
_EOS_KINDS: Final = frozenset({"arista_ceos", "ceos"})
_EOS_INTERFACE: Final = re.compile(r"(?:eth|et)(\d+(?:_\d+)*)")
_DATA: Final = load_yaml(files("labs").joinpath("kinds.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What is known of one kind of node.

    Attributes:
        name: the kind's first name.
        platform: folder below ``templates/`` that speaks to it; empty where there is none.
        napalm: NAPALM's name of it; empty where NAPALM has none.
        scrapli: scrapli's.
    """

    name: str
    username: str = ""
    password: str = field(default="", repr=False)
    platform: str = ""
    napalm: str = ""
    scrapli: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformNames:
    """What others call one of our platforms, and what its devices are for; empty where there is nothing to say."""

    netmiko: str = ""
    napalm: str = ""
    ansible: str = ""
    ansible_connection: str = "ansible.netcommon.network_cli"
    role: str = ""


def _kinds() -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for name, raw in _DATA["kinds"].items():
        kind = Kind(name=name, **{key: value for key, value in raw.items() if key != "also"})
        found |= dict.fromkeys((name, *raw.get("also", ())), kind)
    return found


KINDS: Final[Mapping[str, Kind]] = _kinds()
KNOWN_KINDS: Final = frozenset(KINDS)
PLATFORM_NAMES: Final[Mapping[str, PlatformNames]] = {
    name: PlatformNames(**raw) for name, raw in _DATA["platforms"].items()
}
_IMAGES: Final[Mapping[str, str]] = _DATA["images"]


def kind_named(name: str) -> Kind:
    """Return what is known of a kind; of an unknown one, that is its name."""
    return KINDS.get(name) or Kind(name=name)


def platform_of(kind: str, image: str, labels: Mapping[str, str]) -> str:
    """Return the platform of a node: what its label says, else its kind, else its image; empty where none does."""
    labelled = labels.get("lastmile.platform")
    if labelled is not None:
        return labelled
    by_image = (platform for piece, platform in _IMAGES.items() if piece in image)
    return kind_named(kind).platform or next(by_image, "")


def names_of(platform: str) -> PlatformNames:
    """Return what others call a platform."""
    return PLATFORM_NAMES.get(platform, PlatformNames())


def device_interface(kind: str, labels: Mapping[str, str], interface: str) -> str:
    """Return what a device calls the interface that containerlab knows as ``interface``.

    A label ``lastmile.interface.<interface>`` on the node says it; else the kind's own rule; else it is the same.
    """
    labelled = labels.get(_INTERFACE_LABEL + interface)
    if labelled is not None:
        return labelled
    match = _EOS_INTERFACE.fullmatch(interface) if kind in _EOS_KINDS else None
    return f"Ethernet{match[1].replace('_', '/')}" if match is not None else interface
