"""Writes the lab access-500: ``python -m labs.access_500 [FOLDER]``; its files are made, never edited.

500 OLTs hang on ten switches, 50 each; the switches hang on two routers, five each.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

OLTS: Final = 500
SWITCHES: Final = 10
ROUTERS: Final = 2
PONS: Final = 2
FOLDER: Final = Path(__file__).parent / "access-500"
_MADE: Final = "Made by python -m labs.access_500; change that."


def files() -> Mapping[str, str]:
    """Return the lab's generated files by name."""
    switches = {f"{_switch(number)}.cfg": _switch_config(number) for number in range(SWITCHES)}
    routers = {f"{_router(number)}.cfg": _router_config(number) for number in range(ROUTERS)}
    return {"access-500.clab.yml": _topology(), "network.yml": _network(), **switches, **routers}


def write(folder: Path) -> None:
    """Write the generated files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


def _olt(number: int) -> str:
    return f"olt{number + 1:03}"


def _switch(number: int) -> str:
    return f"sw{number + 1:02}"


def _router(number: int) -> str:
    return f"r{number + 1}"


def _place(number: int) -> tuple[int, int]:
    """Return the switch of an OLT, and its port there; the first port of a switch is its uplink."""
    return number // (OLTS // SWITCHES), number % (OLTS // SWITCHES) + 2


def _address(number: int) -> str:
    return f"172.30.{number // 250}.{number % 250 + 2}"


def _topology() -> str:
    return "\n".join([_HEAD, *_olt_nodes(), *_other_nodes(), "", "  links:", *_links(), ""])


_HEAD: Final = f"""\
# {_MADE}
name: access-500

mgmt:
  network: access-500-mgmt
  ipv4-subnet: 172.30.0.0/20

topology:
  defaults:
    kind: linux
    labels:
      lastmile.username: admin
      lastmile.password: admin

  kinds:
    arista_ceos:
      image: ${{CEOS_IMAGE:=ceos:4.32.0F}}

  groups:
    olts:
      image: ${{OLT_IMAGE:=lastmile/olt:latest}}
      startup-config: ../ftth/olt1.xml
      labels:
        lastmile.role: olt
        lastmile.platform: bbf_olt
        lastmile.interface.eth1: uplink1
    switches:
      kind: arista_ceos
      labels:
        lastmile.role: switch
        lastmile.platform: arista_eos
    routers:
      image: ${{FRR_IMAGE:=frrouting/frr:v8.4.1}}
      labels:
        lastmile.role: router
        lastmile.platform: frr

  nodes:"""


def _olt_nodes() -> Iterator[str]:
    for number in range(OLTS):
        yield f"    {_olt(number)}: {{group: olts, mgmt-ipv4: {_address(number)}}}"


def _other_nodes() -> Iterator[str]:
    for number in range(SWITCHES):
        name = _switch(number)
        yield f"    {name}: {{group: switches, mgmt-ipv4: 172.30.8.{number + 2}, startup-config: {name}.cfg}}"
    for number in range(ROUTERS):
        name = _router(number)
        yield f"    {name}: {{group: routers, mgmt-ipv4: 172.30.9.{number + 2}, startup-config: {name}.cfg}}"


def _links() -> Iterator[str]:
    for number in range(OLTS):
        switch, port = _place(number)
        yield f'    - endpoints: ["{_olt(number)}:eth1", "{_switch(switch)}:eth{port}"]'
    for number in range(SWITCHES):
        router, port = number // (SWITCHES // ROUTERS), number % (SWITCHES // ROUTERS) + 1
        yield f'    - endpoints: ["{_switch(number)}:eth1", "{_router(router)}:eth{port}"]'


def _network() -> str:
    return "\n".join([f"# {_MADE}", "ponPorts:", *_pons(), "", "premises:", *_premises(), "", _POOLS])


_POOLS: Final = """\
vlanPools:
  - name: subscriber-vlans
    vlanIds: {from: 1042, to: 4094}

addressPools:
  - name: residential
    prefix: 10.42.0.0/16
    addresses: {from: 10.42.0.15, to: 10.42.255.250}
    gateway: 10.42.0.1
"""


def _pons() -> Iterator[str]:
    for number in range(OLTS):
        for pon in range(1, PONS + 1):
            yield (
                f"  - {{olt: {_olt(number)}, name: pon{pon}, channelPartition: cpart{pon}, "
                f"channelPair: cpair{pon}, onuIds: {{from: 1, to: 64}}}}"
            )


def _premises() -> Iterator[str]:
    for number in range(OLTS):
        for pon in range(1, PONS + 1):
            place = number * PONS + pon
            yield f"  - {{id: ACC-{place:04}, name: Street {place}, olt: {_olt(number)}, ponPort: pon{pon}}}"


def _switch_config(number: int) -> str:
    head = f"hostname {_switch(number)}\n!\nspanning-tree mode mstp\n!\n"
    login = "no aaa root\naaa authorization exec default local\n!\n"
    names = {1: "uplink", **{_place(olt)[1]: _olt(olt) for olt in range(OLTS) if _place(olt)[0] == number}}
    ports = (
        f"interface Ethernet{port}\n   description {name}\n   switchport trunk allowed vlan 1000\n"
        "   switchport mode trunk\n!\n"
        for port, name in names.items()
    )
    return f"{login}{head}vlan 1000\n   name access-mgmt\n!\n{''.join(ports)}end\n"


def _router_config(number: int) -> str:
    first = number * (SWITCHES // ROUTERS)
    ports = (
        f"interface eth{port}\n description {_switch(first + port - 1)} Ethernet1\nexit\n!\n"
        for port in range(1, SWITCHES // ROUTERS + 1)
    )
    return f"frr version 8.4.4\nfrr defaults traditional\nhostname {_router(number)}\n!\n{''.join(ports)}end\n"


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
