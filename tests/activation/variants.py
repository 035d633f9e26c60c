"""The lab with an OLT that offers less than ours."""

from dataclasses import replace

from labs.topology import Topology, load_topology
from tests.activation.rig import ROOT

VARIANTS = {
    "no-confirmed-commit": "candidate, rollback-on-error, validate",
    "no-validate": "candidate, confirmed-commit, rollback-on-error",
    "candidate-only": "candidate",
    "running-only": "writable-running, rollback-on-error, validate",
    "running-bare": "writable-running",
}


def with_eapi() -> Topology:
    """Return the lab with a switch that answers eAPI, too."""
    ftth = load_topology(ROOT / "labs/ftth/ftth.clab.yml", environ={})
    switch = ftth.nodes["sw1"]
    other = replace(switch, labels={**switch.labels, "lastmile.eapi": "https"})
    return replace(ftth, nodes={**ftth.nodes, "sw1": other})


def variant(offers: str) -> Topology:
    ftth = load_topology(ROOT / "labs/ftth/ftth.clab.yml", environ={})
    olt = ftth.nodes["olt1"]
    other = replace(olt, labels={**olt.labels, "lastmile.netconf": offers})
    return replace(ftth, nodes={**ftth.nodes, "olt1": other})
