"""The demo's story in three acts: order, upgrade, cease; each act is checked, and any failed check fails the demo."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

from rich.console import Console
from rich.live import Live
from rich.rule import Rule

from api.client import ApiRefused, Client, NotFinished
from api.demo import bodies, pictures
from api.demo.packets import Check, Packets
from api.demo.split import client_of, split_platform
from api.errors import StartRefused
from api.http.app import create_app
from api.http.server import bind, serving
from api.settings import Settings
from api.system import System
from api.wiring import running_system
from api.wiring_lab import lab_probes
from inventory.documents import characteristics
from labs.embedded.lab import RunningNode

PATIENCE_S = 20.0
TESTING_S = 60.0
"""A service test measures the speed of a line: seconds on a machine that has the time."""
QOS_LINE = re.compile(r"traffic-descriptor|bandwidth|<name>up-\d+M</name>|police rate")
"""What may change on a speed change; anything else in a diff is a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Where the demo draws and what it runs on."""

    console: Console
    settings: Settings

    @classmethod
    def fresh(cls, console: Console, folder: Path | None = None, *, runtime: str | None = None) -> Self:
        """Return a story on free ports; ``folder`` None means a temporary data folder.

        Raises:
            pydantic.ValidationError: there is no such runtime.
        """
        settings = Settings.read({}, port=0, lab_ssh_port=0, lab_netconf_port=0, data=folder, runtime=runtime)
        return cls(console=console, settings=settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The running platform during the story."""

    console: Console
    client: Client
    nodes: Sequence[RunningNode]
    read: Callable[[str], str]
    packets: Packets | None = None

    @classmethod
    def of(cls, console: Console, url: str, system: System) -> Self:
        """Return the stage on a running platform; packets are looked at where somebody can."""
        client, probes = Client.open(url, system.first_token), lab_probes(system.settings)
        client.http.timeout = TESTING_S
        packets = Packets(console=console, client=client, probes=probes) if probes is not None else None
        read = system.lab.running_config if system.lab is not None else system.running_configuration
        return cls(console=console, client=client, nodes=system.nodes, read=read, packets=packets)

    def configurations(self) -> dict[str, str]:
        """Return every device's running configuration, byte for byte."""
        return {node.name: self.read(node.name) for node in self.nodes}

    def show(self, checks: list[Check]) -> list[Check]:
        """Draw what was checked, and return it."""
        if checks:
            self.console.print(pictures.verdict(checks))
            self.console.print()
        return checks


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What is ordered first and upgraded to; userspace switching carries only the smaller ones."""

    first: str
    then: str

    @property
    def names(self) -> tuple[str, str]:
        """What people call them."""
        one, two = (each.replace("-", " ").capitalize() for each in (self.first, self.then))
        return one, two


EMULATED: Final = Offers(first="fibre-100", then="fibre-500")
MEASURED: Final = Offers(first="fibre-10", then="fibre-50")


def tell(story: Story) -> bool:
    """Run the whole story; return whether every check held.

    Raises:
        StartRefused: the lab runs already, and may carry what is not ours.
        LabError: the lab cannot run here; says why.
    """
    started_s = time.monotonic()
    with TemporaryDirectory(prefix="lastmile-demo-") as folder:
        settings = story.settings.model_copy(update={"data": Path(folder)})
        with ExitStack() as stack:
            with story.console.status("starting the lab and the platform"):
                system = stack.enter_context(running_system(settings))
                url = stack.enter_context(serving(create_app(system), bind(settings.host, 0)))
            _refuse_a_used_lab(system)
            stage = Stage.of(story.console, url, system)
            _introduce(stage, f"API at {url}", time.monotonic() - started_s)
            try:
                good = _played(stage)
            finally:
                if system.served is not None:
                    system.served.end()
    return _ended(story.console, started_s, good=good)


def tell_split(console: Console) -> bool:
    """Run the whole story on four processes, one per layer; return whether every check held.

    Raises:
        StartRefused: a process did not come up; says why.
        LabError: the lab cannot run here; says why.
    """
    started_s = time.monotonic()
    with console.status("starting four processes"), ExitStack() as stack:
        lab, urls = stack.enter_context(split_platform())
        stage = Stage(console=console, client=client_of(urls), nodes=lab.nodes(), read=lab.running_config)
        kept = stack.pop_all()
    with kept:
        said = "four processes: " + ", ".join(f"{layer} at {urls[layer]}" for layer in urls)
        _introduce(stage, said, time.monotonic() - started_s)
        good = _played(stage)
    return _ended(console, started_s, good=good)


def _played(stage: Stage) -> bool:
    try:
        return _play(stage)
    except (ApiRefused, NotFinished) as error:
        stage.console.print(f"[bold red]✘[/] {error}")
        return False
    finally:
        stage.client.close()


def _ended(console: Console, started_s: float, *, good: bool) -> bool:
    end = "[bold green]everything is as it should be" if good else "[bold red]something is not as it should be"
    console.print(Rule(f"{end}[/]   {time.monotonic() - started_s:.1f} s", style="dim"))
    return good


def _refuse_a_used_lab(system: System) -> None:
    if system.served is not None and system.served.was_there:
        raise StartRefused(f"the demo wants a lab of its own, and {system.served.notice}")


def _play(stage: Stage) -> bool:
    offers = EMULATED if stage.packets is None else MEASURED
    first, then = offers.names
    before = stage.configurations()
    added = _act(stage, f"1  A new customer: {first}", bodies.add(offers.first), _check_added)
    product = _product_id(added)
    seen = _tested(stage, product, first)
    held = _reserved(stage)
    upgrade = bodies.upgrade(product, offers.then)
    upgraded = _act(stage, f"2  An upgrade: {first} → {then}", upgrade, _check_upgraded)
    seen += _tested(stage, product, then)
    checks: list[Check] = [("no resource moved", held == _reserved(stage))]
    ceased = _act(stage, "3  A cease", bodies.cease(product), lambda _: [])
    checks += _check_ceased(stage, before)
    checks += stage.packets.dark(added, bodies.ONT) if stage.packets is not None else []
    stage.console.print(pictures.verdict(checks))
    done = all(tree["productOrder"]["state"] == "completed" for tree in (added, upgraded, ceased))
    told = _check_added(added) + _check_upgraded(upgraded) + seen + checks
    return done and all(good for _, good in told)


def _tested(stage: Stage, product: str, name: str) -> list[Check]:
    return stage.show(stage.packets.tested(product, name)) if stage.packets is not None else []


def _act(
    stage: Stage, title: str, body: Mapping[str, Any], check: Callable[[Mapping[str, Any]], list[Check]]
) -> dict[str, Any]:
    console = stage.console
    console.print(Rule(f"[bold]{title}", align="left", style="cyan"))
    started_s = time.monotonic()
    order_id = stage.client.place(body)
    posted_s = time.monotonic() - started_s
    with Live(console=console, refresh_per_second=20, transient=True) as live:
        tree = stage.client.follow(
            order_id, timeout_s=PATIENCE_S, on_change=lambda now: live.update(pictures.order_tree(now))
        )
    took_s = time.monotonic() - started_s
    console.print(pictures.order_tree(tree))
    state = tree["productOrder"]["state"]
    console.print(f"POST answered in {posted_s * 1000:.0f} ms, [bold]{state}[/] after {took_s * 1000:.0f} ms\n")
    for reason in pictures.reasons(tree):
        console.print(f"[bold red]✘[/] {reason}")
    _show(console, tree)
    console.print(pictures.verdict([(f"the order is {state}", state == "completed"), *check(tree)]))
    console.print()
    return tree


def _show(console: Console, tree: Mapping[str, Any]) -> None:
    allocated = pictures.allocations(tree)
    if allocated.row_count:
        console.print(allocated)
        console.print()
    console.print(pictures.diffs(tree))
    console.print(pictures.read_back(tree))
    console.print()


def _introduce(stage: Stage, where: str, took_s: float) -> None:
    console = stage.console
    console.print(Rule("[bold]lastmile[/]: one broadband order, end to end", style="cyan"))
    console.print("  sub1 ───── olt1 ───── sw1 ───── r1 ───── core1", highlight=False)
    console.print("             TR-385     EOS       FRR", style="dim")
    console.print("             NETCONF    NAPALM    netmiko\n", style="dim")
    for node in stage.nodes:
        console.print(
            f"  {node.name:<6} {node.platform:<11} {node.protocol} {node.address}:{node.port}", highlight=False
        )
    console.print(f"\nlab and platform up in {took_s * 1000:.0f} ms, {where}\n", highlight=False)


def _check_added(tree: Mapping[str, Any]) -> list[Check]:
    found: dict[str, Any] = {}
    for order in tree["resourceOrder"]:
        for item in order["orderItem"]:
            found |= characteristics(item.get("resource", {}), "resourceCharacteristic")
    address = f"{found.get('address')}/{found.get('prefixLength')}"
    changed = [device["device"] for device in pictures.plan_devices(tree) if device["diff"]]
    return [
        ("VLAN 1042 and 10.42.1.15/24 are allocated", (found.get("vlanId"), address) == (1042, "10.42.1.15/24")),
        ("ONU 1 on the PON that passes the address", (found.get("ponPort"), found.get("onuId")) == ("pon1", 1)),
        ("the OLT, the switch and the router carry it", sorted(changed) == ["olt1", "r1", "sw1"]),
        ("read back as planned", _read_back_good(tree)),
    ]


def _check_upgraded(tree: Mapping[str, Any]) -> list[Check]:
    lines = [
        line[1:].strip()
        for device in pictures.plan_devices(tree)
        for line in device["diff"].splitlines()
        if line[:1] in "+-" and not line.startswith(("+++", "---"))
    ]
    foreign = [line for line in lines if not QOS_LINE.search(line)]
    return [
        ("only QoS parameters changed" + (f", but also: {foreign}" if foreign else ""), bool(lines) and not foreign),
        ("no resource order was needed", not tree["resourceOrder"]),
        ("read back as planned", _read_back_good(tree)),
    ]


def _check_ceased(stage: Stage, before: Mapping[str, str]) -> list[Check]:
    now = stage.configurations()
    checks = [(f"{name} is byte for byte as it was before the order", now[name] == before[name]) for name in before]
    pools = stage.client.get("/lastmile/v1/pool")
    back = all(pool["taken"] == 0 for pool in pools)
    return [*checks, (f"all {len(pools)} pools have every value back", back)]


def _read_back_good(tree: Mapping[str, Any]) -> bool:
    devices = pictures.plan_devices(tree)
    return bool(devices) and all(device["readBack"] in {"ok", "unchanged"} for device in devices)


def _product_id(tree: Mapping[str, Any]) -> str:
    return str(tree["productOrder"]["productOrderItem"][0]["product"]["id"])


def _reserved(stage: Stage) -> list[str]:
    resources = stage.client.get("/tmf-api/resourceInventoryManagement/v4/resource?resourceStatus=reserved")
    return sorted(resource["id"] for resource in resources)
