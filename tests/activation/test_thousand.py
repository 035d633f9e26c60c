"""A thousand ONTs for one OLT at once, and one among them that it refuses: that one alone does not come to be."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from activation import tables
from activation.states import MonitorState
from tests.activation.test_together import until
from tests.bench.activating import Activating, activating, ont
from tests.bench.fleet_devices import fleet

pytestmark = [pytest.mark.lab, pytest.mark.db, pytest.mark.slow]

ONTS = 1000
CULPRIT = 617
MOST_TRANSACTIONS = 40
"""Groups begin with 128 and double; finding one of a thousand by halves takes ten more, and what is left of each."""


@pytest.fixture
def site() -> Iterator[Activating]:
    with fleet("bbf_olt", 1) as devices, activating(devices) as site:
        yield site


def test_one_of_a_thousand_that_the_device_refuses_stands_alone(site: Activating) -> None:
    (device,) = site.core.reach.devices.devices()
    with site.database.begin() as uow:
        for number in range(ONTS):
            wanted = ont(device.name, number)
            if number == CULPRIT:
                _at_no_channel_pair(wanted)
            site.core.create(uow, wanted, external_id=str(number), correlation_id="thousand")
    until(lambda: _ended(site) == ONTS, patience_s=180.0)
    with site.database.read() as connection:
        here = tables.monitors.c
        failed = connection.execute(select(here.external_id, here.document).where(here.state == "InError")).all()
        done = select(func.count()).select_from(tables.monitors).where(here.state == MonitorState.COMPLETED)
        pushed = connection.execute(select(func.count()).select_from(tables.transactions)).scalar_one()
        assert connection.execute(done).scalar_one() == ONTS - 1
        owners = set(connection.execute(select(tables.fragments.c.root_id).distinct()).scalars())
    (refused,) = failed
    assert refused.external_id == str(CULPRIT)
    (error,) = json.loads(refused.document)["errorMessage"]
    assert error["code"] == "editRefused"
    assert "refers to 'cpair9', which does not exist" in error["reason"]
    assert f"svc-{CULPRIT}" not in owners
    assert len(owners) == ONTS - 1
    assert pushed <= MOST_TRANSACTIONS
    with site.core.reach.participants({device.name: device}) as participants:
        running = participants.ask("read", [device.name], lambda _, driver: driver.read(()))[device.name].value or ""
    for number in (0, CULPRIT - 1, CULPRIT + 1, ONTS - 1):
        assert f"ABCD{number:08X}" in running
    assert f"ABCD{CULPRIT:08X}" not in running


def _at_no_channel_pair(service: dict[str, object]) -> None:
    for each in service["serviceCharacteristic"]:  # type: ignore[attr-defined]  # JSON
        if each["name"] == "channelPair":
            each["value"] = "cpair9"


def _ended(site: Activating) -> int:
    wanted = select(func.count()).select_from(tables.monitors)
    with site.database.read() as connection:
        return int(connection.execute(wanted.where(tables.monitors.c.state != MonitorState.IN_PROGRESS)).scalar_one())
