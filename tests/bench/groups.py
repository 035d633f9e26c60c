"""How fast activations get through: many on one device, some on many, one alone."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from activation.model import DeviceEdit
from activation.service_activation import Request
from inventory.model import Device
from tests.bench.activating import Activating, activating, ont
from tests.bench.ansible_peers import ansible_netconf
from tests.bench.fleet_devices import fleet
from tests.bench.fleet_peers import nornir_ncclient
from tests.bench.report import UNDER, Figure, rounded

ONTS: Final = 1000
LEARN_ON: Final = (1, 100, 250, 500)
"""Batches from which the core learns how many may share a commit, before the clock starts."""
MANY_DEVICES: Final = 10
LONE_ORDERS: Final = 20
PEER_ORDERS: Final = 4


def olt_group_commit(runs: int) -> list[Figure]:
    """Return how many ONTs per second one OLT takes: 20 ms away, 200 ms per commit, everything on SQLite."""
    with fleet("bbf_olt", 1, latency=0.02, commit_time=0.2) as devices, activating(devices) as site:
        olt = devices[0].name
        for count in LEARN_ON:
            site.took_s([olt] * count)
        value = rounded(median(ONTS / site.took_s([olt] * ONTS) for _ in range(runs)))
        edits = _edits(site, olt, PEER_ORDERS)
        peers: dict[str, float | None] = {
            "nornir+ncclient, one order at a time": rounded(median(_one_by_one(devices, edits)))
        }
        peers |= ansible_netconf(devices, {olt: _edits(site, olt, 1)[0]})
    return [Figure(name="olt_group_commit", value=value, unit="orders/s", goal=500, peers=peers)]


def concurrent_tx(runs: int) -> list[Figure]:
    """Return how much longer ten transactions take than one where a commit takes 2 s: on ten devices, and on one."""
    with fleet("bbf_olt", MANY_DEVICES, commit_time=2.0) as devices, activating(devices) as site:
        names = [device.name for device in devices]
        site.took_s(names)
        one_s = median(site.took_s(names[:1]) for _ in range(runs))
        many = rounded(median(site.took_s(names) for _ in range(runs)) / one_s)
        same = rounded(median(_joining_s(site, names[0]) for _ in range(runs)) / one_s)
        edits = _edits(site, names[0], 2)
        alone_s = median(1 / rate for rate in _one_by_one(devices[:1], edits))
        together_s = MANY_DEVICES / nornir_ncclient(devices, {name: _edits(site, name, 1)[0] for name in names})
        peers: dict[str, float | None] = {"nornir+ncclient, no transaction": rounded(together_s / alone_s)}
        peers |= _ansible_times_one(devices, {name: _edits(site, name, 1)[0] for name in names})
    return [
        Figure(
            name="concurrent_tx",
            value=many,
            unit="times one",
            goal=1.25,
            sense=UNDER,
            peers=peers,
        ),
        Figure(
            name="concurrent_tx_one_device",
            value=same,
            unit="times one",
            goal=3.0,
            sense=UNDER,
            # Scripts take turns with the candidate: each waits for those before it.
            peers={"nornir+ncclient, one after the other": float(MANY_DEVICES)},
        ),
    ]


def single(runs: int) -> list[Figure]:
    """Return the milliseconds that one order takes on a warm session with a device that answers at once."""
    with fleet("bbf_olt", 1) as devices, activating(devices) as site:
        olt = devices[0].name
        for _ in range(LONE_ORDERS):
            site.took_s([olt])
        value = rounded(1000 * median(site.took_s([olt]) for _ in range(LONE_ORDERS * runs)))
        edits = _edits(site, olt, PEER_ORDERS)
        peers: dict[str, float | None] = {
            "nornir+ncclient, new session": rounded(1000 * median(1 / rate for rate in _one_by_one(devices, edits)))
        }
        rates = ansible_netconf(devices, {olt: _edits(site, olt, 1)[0]})
        peers |= {name: rate and rounded(1000 / rate) for name, rate in rates.items()}
    return [Figure(name="single", value=value, unit="ms", goal=30, sense=UNDER, peers=peers)]


def _ansible_times_one(devices: Sequence[Device], edits: Mapping[str, DeviceEdit]) -> dict[str, float | None]:
    """Return how much longer Ansible takes for all but the first of ``devices`` than for that one."""
    one, others = ansible_netconf(devices[:1], edits), ansible_netconf(devices[1:], edits)
    return {
        f"{name}, no transaction": rounded((len(devices) - 1) / together * alone) if alone and together else None
        for (name, alone), together in zip(one.items(), others.values(), strict=True)
    }


def _joining_s(site: Activating, olt: str) -> float:
    return site.took_s([olt] * MANY_DEVICES)


def _edits(site: Activating, olt: str, count: int) -> list[DeviceEdit]:
    """Return the edits of that many orders nobody has placed yet."""
    found = []
    for _ in range(count):
        request = Request(action="add", service_id=f"svc-{site.number}", service=ont(olt, site.number))
        found.append(site.core.dry_run([request], site.database).plans[0].plan.edits[0])
        site.skip()
    return found


def _one_by_one(devices: Sequence[Device], edits: Sequence[DeviceEdit]) -> list[float]:
    return [nornir_ncclient(devices[:1], {devices[0].name: edit}) for edit in edits]
