import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from labs.embedded.lab import EmbeddedLab
from labs.topology import Topology, load_topology

FTTH = Path(__file__).parents[2] / "labs" / "ftth" / "ftth.clab.yml"


@pytest.fixture(scope="session")
def ftth() -> Topology:
    """The shipped topology."""
    return load_topology(FTTH, os.environ)


@pytest.fixture(scope="session")
def olt_only(ftth: Topology) -> Topology:
    """The shipped topology without the other devices."""
    return replace(ftth, nodes={"olt1": ftth.nodes["olt1"]}, links=())


@pytest.fixture
def olt_lab(olt_only: Topology) -> Iterator[EmbeddedLab]:
    """A running lab with olt1 alone, on a free port."""
    with EmbeddedLab(olt_only, ssh_port=0, netconf_port=0) as lab:
        yield lab
