"""What a node's Open vSwitch is to do, as a value, and what it takes to get there from what it does now. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

NO_VLAN: Final = 4095
"""A trunk that carries this VLAN alone carries nothing: no frame can have it. To Open vSwitch an empty trunk is all."""

RSTP_TIMERS: Final = ("other_config:rstp-max-age=6", "other_config:rstp-forward-delay=4")
"""The shortest there are: where a handshake of switches is lost, a port waits twice the delay, 8 instead of 30 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortVlans:
    """Which VLANs pass a port.

    Attributes:
        untagged: VLAN of frames without a tag; None where such frames are dropped.
        tagged: VLANs that pass with their tag.
    """

    untagged: int | None = None
    tagged: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A limit: what comes faster is dropped."""

    rate_kbps: int
    burst_kbits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One OpenFlow rule.

    Attributes:
        meter: key of the meter its frames pass first; empty for none.
    """

    match: str
    actions: str
    priority: int = 100
    meter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanningTree:
    """Rapid spanning tree: of a loop's links one does not forward until another breaks.

    Attributes:
        priority: the bridge with the lowest is the root.
        edges: ports behind which no switch is; they forward at once.
    """

    priority: int
    edges: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """All that a bridge is to do.

    Attributes:
        ports: VLANs by port, for flows that forward as a switch does (``NORMAL``).
        meters: limits by key.
        spanning_tree: None where loops are nobody's business.
    """

    ports: Mapping[str, PortVlans] = field(default_factory=dict)
    flows: frozenset[Flow] = frozenset()
    meters: Mapping[str, Meter] = field(default_factory=dict)
    spanning_tree: SpanningTree | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a bridge does now.

    Attributes:
        meter_ids: OpenFlow's number of each meter.
    """

    forwarding: Forwarding = field(default_factory=Forwarding)
    meter_ids: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What leads from one state to the next, in this order: bridge, ports, meters to add or change, flows, meters gone.

    Attributes:
        bridge: columns of the bridge, as ``ovs-vsctl set`` takes them.
        ports: arguments of one ``ovs-vsctl`` transaction.
        meters: OpenFlow meter texts by ``ovs-ofctl`` verb, before the flows.
        flows: the whole table, one rule a line; None where it stays.
        gone: numbers of meters that nothing uses any more, after the flows.
        reached: what the bridge does then.
    """

    bridge: tuple[str, ...]
    ports: tuple[str, ...]
    meters: tuple[tuple[str, str], ...]
    flows: tuple[str, ...] | None
    gone: tuple[int, ...]
    reached: Applied


def step(now: Applied, wanted: Forwarding) -> Step:
    """Return what is to be done so that a bridge that does ``now`` does ``wanted``."""
    ids = _meter_ids(now.meter_ids, wanted.meters)
    before = now.forwarding
    meters = [
        ("mod-meter" if key in now.meter_ids else "add-meter", _meter_text(ids[key], meter))
        for key, meter in sorted(wanted.meters.items())
        if before.meters.get(key) != meter
    ]
    same = before.flows == wanted.flows and now.meter_ids == ids
    return Step(
        bridge=tuple(_bridge_arguments(before.spanning_tree, wanted.spanning_tree)),
        ports=(*_edge_arguments(before, wanted), *_port_arguments(before.ports, wanted.ports)),
        meters=tuple(meters),
        flows=None if same else tuple(sorted(_flow_text(flow, ids) for flow in wanted.flows)),
        gone=tuple(sorted(number for key, number in now.meter_ids.items() if key not in wanted.meters)),
        reached=Applied(forwarding=wanted, meter_ids=ids),
    )


def _meter_ids(known: Mapping[str, int], wanted: Iterable[str]) -> dict[str, int]:
    """Keep the numbers there are; a number that comes free now is given out again only at the next step."""
    keys = sorted(wanted)
    ids = {key: known[key] for key in keys if key in known}
    free = (number for number in range(1, len(known) + len(keys) + 1) if number not in set(known.values()))
    return ids | {key: next(free) for key in keys if key not in known}


def _meter_text(number: int, meter: Meter) -> str:
    return f"meter={number} kbps burst stats bands=type=drop rate={meter.rate_kbps} burst_size={meter.burst_kbits}"


def _flow_text(flow: Flow, ids: Mapping[str, int]) -> str:
    metered = f"meter:{ids[flow.meter]}," if flow.meter else ""
    match = f",{flow.match}" if flow.match else ""
    return f"priority={flow.priority}{match},actions={metered}{flow.actions}"


def _bridge_arguments(before: SpanningTree | None, wanted: SpanningTree | None) -> Iterable[str]:
    if wanted is not None and (before is None or before.priority != wanted.priority):
        yield from ("rstp_enable=true", *RSTP_TIMERS, f"other_config:rstp-priority={wanted.priority}")
    elif wanted is None and before is not None:
        yield "rstp_enable=false"


def _edge_arguments(before: Forwarding, wanted: Forwarding) -> Iterable[str]:
    now, then = (each.spanning_tree.edges if each.spanning_tree else frozenset() for each in (before, wanted))
    for port in sorted(now ^ then):
        is_edge = "true" if port in then else "false"
        yield from ("--", "set", "port", port, f"other_config:rstp-port-admin-edge={is_edge}")


def _port_arguments(before: Mapping[str, PortVlans], wanted: Mapping[str, PortVlans]) -> Iterable[str]:
    for name, vlans in sorted(wanted.items()):
        if before.get(name) == vlans:
            continue
        trunks = ",".join(map(str, sorted(vlans.tagged))) or str(NO_VLAN)
        if vlans.untagged is None:
            yield from ("--", "set", "port", name, "vlan_mode=trunk", f"trunks={trunks}", "tag=[]")
        elif vlans.tagged:
            untagged = f"tag={vlans.untagged}"
            trunks = ",".join(map(str, sorted({*vlans.tagged, vlans.untagged})))
            yield from ("--", "set", "port", name, "vlan_mode=native-untagged", untagged, f"trunks={trunks}")
        else:
            yield from ("--", "set", "port", name, "vlan_mode=access", f"tag={vlans.untagged}", "trunks=[]")
