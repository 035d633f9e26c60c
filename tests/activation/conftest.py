from collections.abc import Iterator
from pathlib import Path

import pytest

from activation.drivers.fake import FakeNetwork
from labs.embedded.lab import EmbeddedLab
from tests.activation.rig import (
    REAL_DRIVERS,
    TEMPLATES,
    Rig,
    core,
    database,
    fake_core,
    fake_network,
    ftth_lab,
    lab_devices,
)


@pytest.fixture
def network() -> Iterator[FakeNetwork]:
    """Three fakes: a, b (confirmed commits) and c (none)."""
    fakes = fake_network()
    yield fakes
    fakes.release()


@pytest.fixture
def rig(network: FakeNetwork, tmp_path: Path) -> Iterator[Rig]:
    built = Rig(fake_core(network), database(tmp_path))
    yield built
    built.core.close()
    built.database.close()


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[EmbeddedLab]:
    with ftth_lab() as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: EmbeddedLab) -> Iterator[EmbeddedLab]:
    """The lab as it stands; a test must leave every configuration as it found it, faults and cuts are cleared."""
    yield shared_lab
    for node in shared_lab.nodes():
        shared_lab.faults.clear(node.name)
        shared_lab.restore(node.name)


@pytest.fixture
def lab_rig(lab: EmbeddedLab, tmp_path: Path) -> Iterator[Rig]:
    built = Rig(core(list(lab_devices(lab).values()), TEMPLATES, REAL_DRIVERS), database(tmp_path))
    yield built
    built.core.close()
    built.database.close()
