"""An emulated FRR router: vtysh over SSH."""

import ipaddress
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from typing import Final

import asyncssh

from labs.embedded.cli_config import TOP
from labs.embedded.cli_frr_language import FRR, INDENT
from labs.embedded.cli_grammar import Refusal, choose, next_words
from labs.embedded.cli_live import LiveSet
from labs.embedded.cli_pipe import UnknownFilter, filtered
from labs.embedded.cli_server import Pager
from labs.embedded.cli_tree import ConfigLine, Tree, find, printed
from labs.embedded.contracts import Credentials, forget
from labs.embedded.faults import FaultBoard
from labs.embedded.live_node import LiveNode
from labs.errors import StartupConfigError

VERSION: Final = "8.4.4"
CONFIGURATION_FAILED: Final = "% Configuration failed.\n\nError type: generic\nError description: {reason}\n"
STILL_THERE: Final = (
    "% Configuration failed.\n\nError type: validation\nError description: only inactive interfaces can be deleted\n"
)
"""What FRR says to ``no interface`` while the kernel has it; this router's kernel has all that is configured."""
VRF_STILL_THERE: Final = "% Only inactive VRFs can be deleted\n"
"""The same for a VRF: it goes with what it holds."""
DEFAULT_VRF: Final = "default"
ROUTE_CODES: Final = (
    "Codes: K - kernel route, C - connected, S - static, R - RIP,\n       > - selected route, * - FIB route\n"
)
SAVED: Final = (
    "Note: this version of vtysh never writes vtysh.conf\nBuilding Configuration...\n"
    "Integrated configuration saved to /etc/frr/frr.conf\n[OK]\n"
)

REFUSALS: Final = {
    "invalid": "% Unknown command: {line}\n",
    "incomplete": "% Command incomplete: {line}\n",
    "ambiguous": "% Ambiguous command: {line}\n",
}

LOCKED: Final = "% VTY configuration is locked by other VTY\n"
MISSING: Final = {
    "no ip route": "% Refusing to remove a non-existent route\n",
    "no ip address": "% Can't find address\n",
    "no interface": "% Can't find interface\n",
}
"""What vtysh says when there is nothing to remove, by the beginning of the line."""


class FrrRouter:
    """What all users of one router share."""

    def __init__(self, *, name: str, startup_config: str, faults: FaultBoard, saved: Callable[[str], None]) -> None:
        self.name = name
        self._saved = saved
        self.faults = faults
        try:
            self.running: Tree = FRR.load(startup_config)
        except Refusal as refusal:
            raise StartupConfigError(name, f"not understood: {refusal.line!r}, word {refusal.word!r}") from refusal
        self.saved = self.file_text()
        self.started_at = time.time()
        self.broke_at_s = -inf

    def hostname(self) -> str:
        """Return the configured host name."""
        line = find(self.running, ("hostname",))
        return line.text.split()[1] if line is not None else self.name

    def file_text(self) -> str:
        """Return the configuration as ``write memory`` puts it into frr.conf."""
        return "\n".join([*printed(without_hollow(self.running), indent=INDENT), "!", "end", ""])

    def save(self) -> None:
        """Write the running configuration to frr.conf."""
        self.saved = self.file_text()
        self._saved(self.saved)

    def text(self) -> str:
        """Return what ``show running-config`` prints."""
        return f"Building configuration...\n\nCurrent configuration:\n!\n{self.file_text()}"

    def interfaces(self) -> list[ConfigLine]:
        """Return the configured interfaces."""
        return [line for line in self.running if line.key[0] == "interface"]


class FrrNode(LiveNode):
    """One emulated router."""

    def __init__(
        self,
        *,
        name: str,
        startup_config: str,
        credentials: Credentials,
        host_key: asyncssh.SSHKey,
        saved: Callable[[str], None] = forget,
    ) -> None:
        faults = FaultBoard()
        router = FrrRouter(name=name, startup_config=startup_config, faults=faults, saved=saved)
        super().__init__(
            name,
            faults,
            login=(credentials, host_key),
            new_shell=lambda: VtyShell(router),
            configuration=router.text,
        )


class VtyShell:
    """One vtysh session. vtysh changes the running configuration line by line; it has no candidate."""

    def __init__(self, router: FrrRouter) -> None:
        self._router = router
        self._faults = router.faults
        self._configuring = False
        self._place = TOP
        self._set = LiveSet(router)
        self._lines = 0
        self.closed = False

    def prompt(self) -> str:
        """Return the prompt of the current mode."""
        host = self._router.hostname()
        if not self._configuring:
            return f"{host}# "
        section = f"-{self._place.prompts[-1]}" if self._place.prompts else ""
        return f"{host}(config{section})# "

    def broke(self) -> None:
        """Note that the line broke."""
        self._set.broke()

    async def run(self, line: str) -> str:
        """Return what vtysh prints for ``line``.

        Raises:
            LinkDropped: a fault cuts the connection.
        """
        line = line.strip()
        if not line or line.startswith(("!", "#")):
            return ""
        try:
            return await self._answer(line)
        except Refusal as refusal:
            return REFUSALS[refusal.kind].format(line=line)

    def pager(self) -> Pager:
        """Return how long output is shown."""
        return Pager(lines=self._lines)

    def help(self, typed: str) -> str:
        """Return what may follow ``typed``."""
        patterns = [pattern.split() for pattern in (*SHOWS, *ACTIONS)]
        if self._configuring:
            patterns = [*FRR.patterns(self._place), ["exit"], ["end"], ["do", "{text}"]]
        return "".join(f"  {each}\n" for each in next_words(patterns, typed, FRR.values))

    async def _answer(self, line: str) -> str:
        if not self._configuring:
            return await self._execute(line)
        if line.startswith("do "):
            return await self._execute(line.removeprefix("do "))
        if line in {"exit", "quit", "end", "exit-address-family"}:
            return await self._exit(line)
        return self._edit(line)

    async def _execute(self, line: str) -> str:
        command, _, pipe = line.partition("|")
        patterns = [(pattern.split(), pattern) for pattern in (*SHOWS, *ACTIONS)]
        pattern, words = choose(patterns, command, FRR.values)
        if pattern in ACTIONS:
            return await ACTIONS[pattern](self, words)
        text = SHOWS[pattern](self._router, words)
        try:
            return filtered(text, pipe) if pipe else text
        except UnknownFilter:
            raise Refusal("invalid", line, len(words)) from None

    def _edit(self, line: str) -> str:
        router = self._router
        tree, place = FRR.apply(router.running, self._place, line)
        if errors := self._set.refusals():
            return _refused(line, errors)
        if line.startswith("no ") and self._faults.strikes("rollback_fails"):
            return CONFIGURATION_FAILED.format(reason=f"cannot apply '{line}'")
        missing = next((text for start, text in MISSING.items() if line.startswith(start)), "")
        if tree == router.running and missing:
            return missing
        if line.startswith("no interface "):
            return STILL_THERE
        if line.startswith("no vrf "):
            return VRF_STILL_THERE
        self._place = place
        self._set.put(tree)
        return ""

    async def _exit(self, line: str) -> str:
        if line != "end" and self._place.path:
            self._place = self._place.outward()
            return ""
        self._configuring, self._place = False, TOP
        self._router.running = without_hollow(self._router.running)
        taken = await self._set.end()
        return "" if taken else CONFIGURATION_FAILED.format(reason="the last change was refused and is undone")

    # Actions: each is given the canonical words and returns what is printed.

    async def configure(self, _words: tuple[str, ...]) -> str:
        """Enter configuration mode."""
        if self._set.is_held():
            return LOCKED
        self._configuring, self._place = True, TOP
        self._set.begin()
        return ""

    async def write(self, _words: tuple[str, ...]) -> str:
        """Save the running configuration."""
        self._router.save()
        return SAVED

    async def log_out(self, _words: tuple[str, ...]) -> str:
        """End the connection."""
        self.closed = True
        return ""

    async def set_length(self, words: tuple[str, ...]) -> str:
        """Show so many lines at once; 0: all."""
        self._lines = int(words[-1])
        return ""

    async def accept(self, _words: tuple[str, ...]) -> str:
        """Take a command that changes nothing here."""
        return ""


def without_hollow(tree: Tree) -> Tree:
    """Return ``tree`` without what holds nothing: FRR does not show such interfaces, and the kernel has no such VRF."""
    return tuple(line for line in tree if line.children or line.key[0] not in {"interface", "vrf"})


def _refused(line: str, errors: int) -> str:
    if errors == 1:
        return CONFIGURATION_FAILED.format(reason=f"cannot apply '{line}'")
    return "".join(f"% daemon {n + 1}: cannot apply '{line}'\n" for n in range(errors))


def _version(router: FrrRouter) -> str:
    return (
        f"FRRouting {VERSION} ({router.hostname()}) on Linux(6.1.0).\n"
        "Copyright 1996-2005 Kunihiro Ishiguro, et al.\n"
        "configured with:\n    '--enable-vtysh' '--with-vtysh-pager=cat'\n"
    )


def _interface_brief(router: FrrRouter) -> str:
    lines = [
        f"{'Interface':<15} {'Status':<7} {'VRF':<15} Addresses",
        f"{'-' * 9:<15} {'-' * 6:<7} {'-' * 3:<15} {'-' * 9}",
    ]
    for interface in router.interfaces():
        status = "down" if any(line.text == "shutdown" for line in interface.children) else "up"
        addresses = _addresses(interface) or [""]
        lines.append(f"{interface.key[1]:<15} {status:<7} {_vrf(interface):<15} {addresses[0]}".rstrip())
        lines += [f"{'':<39} {address}" for address in addresses[1:]]
    return "\n".join([*lines, ""])


def _addresses(interface: ConfigLine) -> list[str]:
    return [line.text.split()[-1] for line in interface.children if line.key[:2] == ("ip", "address")]


def _routes(router: FrrRouter) -> str:
    found: dict[ipaddress.IPv4Network, list[str]] = {}
    uptime = time.strftime("%H:%M:%S", time.gmtime(time.time() - router.started_at))
    for line in router.running:
        if line.key[:2] == ("ip", "route"):
            _, _, prefix, hop, *_ = line.text.split()
            via = f"via {hop}" if hop[0].isdigit() else f"is directly connected, {hop}"
            route = f"S>* {prefix} [1/0] {via}, weight 1, {uptime}"
            found.setdefault(ipaddress.IPv4Network(prefix), []).append(route)
    for interface in router.interfaces():
        for address in _addresses(interface):
            network = ipaddress.IPv4Interface(address).network
            found.setdefault(network, []).append(f"C>* {network} is directly connected, {interface.key[1]}, {uptime}")
    routes = [route for network in sorted(found) for route in found[network]]
    return "\n".join([ROUTE_CODES, *routes, ""])


def _interface_json(router: FrrRouter, words: tuple[str, ...]) -> str:
    named = _interface_key(words)
    found = next((each for each in router.interfaces() if each.key == named and each.children), None)
    if found is None:
        return "{}\n"
    status = "down" if any(line.text == "shutdown" for line in found.children) else "up"
    told = {
        "administrativeStatus": status,
        "operationalStatus": status,
        "vrfName": _vrf(found),
        "ipAddresses": [{"address": each, "secondary": False, "unnumbered": False} for each in _addresses(found)],
    }
    return json.dumps({words[2]: told}, indent=2) + "\n"


def _route_json(router: FrrRouter, words: tuple[str, ...]) -> str:
    prefix = words[-2]
    lines = router.running if words[3] == prefix else _inside_vrf(router, words[4])
    hops = [line.text.split()[3] for line in lines if line.text.startswith(f"ip route {prefix} ")]
    hops = [hop for hop in hops if hop[0].isdigit() or not _is_shut(router, hop)]
    if not hops:
        return "{}\n"
    told = {"prefix": prefix, "protocol": "static", "selected": True, "installed": True}
    nexthops = [{"ip" if hop[0].isdigit() else "interfaceName": hop, "fib": True, "active": True} for hop in hops]
    return json.dumps({prefix: [{**told, "nexthops": nexthops}]}, indent=2) + "\n"


def _interface_key(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the key of the section of ``show interface NAME [vrf VRF] json``."""
    named = words[1:-1]
    return named[:2] if named[-1] == DEFAULT_VRF else named


def _vrf(interface: ConfigLine) -> str:
    return interface.key[3] if len(interface.key) > len(("interface", "name")) else DEFAULT_VRF


def _inside_vrf(router: FrrRouter, name: str) -> Tree:
    found = find(router.running, ("vrf", name))
    return found.children if found is not None else ()


def _is_shut(router: FrrRouter, name: str) -> bool:
    found = next((each for each in router.interfaces() if each.key[1] == name), None)
    return found is not None and any(line.text == "shutdown" for line in found.children)


SHOWS: Final[Mapping[str, Callable[[FrrRouter, tuple[str, ...]], str]]] = {
    "show version": lambda router, _: _version(router),
    "show running-config": lambda router, _: router.text(),
    "show startup-config": lambda router, _: router.saved,
    "show interface brief": lambda router, _: _interface_brief(router),
    "show ip route": lambda router, _: _routes(router),
    "show interface {interface} json": _interface_json,
    "show interface {interface} vrf {word} json": _interface_json,
    "show ip route {prefix} json": _route_json,
    "show ip route vrf {word} {prefix} json": _route_json,
}

ACTIONS: Final[Mapping[str, Callable[[VtyShell, tuple[str, ...]], Awaitable[str]]]] = {
    "configure": VtyShell.configure,
    "configure terminal": VtyShell.configure,
    "write": VtyShell.write,
    "write memory": VtyShell.write,
    "write file": VtyShell.write,
    "copy running-config startup-config": VtyShell.write,
    "terminal length {int}": VtyShell.set_length,
    "terminal width {int}": VtyShell.accept,
    "enable": VtyShell.accept,
    "disable": VtyShell.accept,
    "exit": VtyShell.log_out,
    "quit": VtyShell.log_out,
}
