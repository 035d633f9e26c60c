"""Trouble on devices, in pools and with the process: the order says what happened, and nothing is left anywhere."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from api.demo import bodies, pictures
from api.settings import FTTH_LAB
from labs.embedded.faults import Fault
from tests.api.conftest import Platform, Start

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PATIENCE_S = 60.0
DEVICES = ("olt1", "r1", "sw1")


@pytest.fixture
def fresh(start: Start, tmp_path: Path) -> Iterator[Platform]:
    with start(tmp_path / "data") as running:
        yield running


def _order(platform: Platform, body: Mapping[str, Any]) -> dict[str, Any]:
    return platform.client.follow(platform.client.place(body), timeout_s=PATIENCE_S)


def _assert_nothing_left(platform: Platform, before: Mapping[str, str]) -> None:
    assert platform.configurations() == before
    assert [pool for pool in platform.client.get("/lastmile/v1/pool") if pool["taken"]] == []
    assert platform.client.get("/tmf-api/resourceInventoryManagement/v4/resource?resourceStatus=reserved") == []
    states = {service["state"] for service in platform.client.get("/tmf-api/serviceInventory/v4/service")}
    assert states <= {"terminated"}


def _assert_failed_because_of(tree: Mapping[str, Any], device: str) -> None:
    assert tree["productOrder"]["state"] == "failed"
    reasons = pictures.reasons(tree)
    assert any(device in reason for reason in reasons), reasons
    assert [order["state"] for order in tree["serviceOrder"]] == ["failed"]


@pytest.mark.parametrize("device", DEVICES)
def test_an_unreachable_device_fails_the_order_and_the_next_one_goes_through(fresh: Platform, device: str) -> None:
    before = fresh.configurations()
    assert fresh.system.lab is not None
    fresh.system.lab.cut(device)
    _assert_failed_because_of(_order(fresh, bodies.add()), device)
    _assert_nothing_left(fresh, before)
    fresh.system.lab.restore(device)
    assert _order(fresh, bodies.add())["productOrder"]["state"] == "completed"


REFUSALS: tuple[tuple[str, str], ...] = (
    *((device, "refuse_edit") for device in DEVICES),
    *((device, "refuse_commit") for device in DEVICES),
    *((device, "commit_changes_nothing") for device in DEVICES),
)


@pytest.mark.parametrize(("device", "fault"), REFUSALS)
def test_a_device_that_refuses_fails_the_order_on_every_device(fresh: Platform, device: str, fault: str) -> None:
    before = fresh.configurations()
    assert fresh.system.lab is not None
    fresh.system.lab.faults.set(device, Fault(fault))
    _assert_failed_because_of(_order(fresh, bodies.add()), device)
    _assert_nothing_left(fresh, before)


@pytest.mark.parametrize("device", DEVICES)
def test_a_lost_reply_is_resolved_by_reading_back(fresh: Platform, device: str) -> None:
    before = fresh.configurations()
    assert fresh.system.lab is not None
    fresh.system.lab.faults.set(device, Fault("drop_after_commit"))
    tree = _order(fresh, bodies.add())
    if tree["productOrder"]["state"] == "completed":
        assert fresh.configurations()[device] != before[device]
        tree = _order(fresh, bodies.cease(tree["productOrder"]["productOrderItem"][0]["product"]["id"]))
        assert tree["productOrder"]["state"] == "completed"
    _assert_nothing_left(fresh, before)


def test_a_failed_upgrade_leaves_the_product_as_it_was(fresh: Platform) -> None:
    tree = _order(fresh, bodies.add())
    product_id = tree["productOrder"]["productOrderItem"][0]["product"]["id"]
    product = fresh.client.get(f"/tmf-api/productInventory/v4/product/{product_id}")
    before = fresh.configurations()
    assert fresh.system.lab is not None
    fresh.system.lab.faults.set("sw1", Fault("refuse_commit"))
    _assert_failed_because_of(_order(fresh, bodies.upgrade(product_id)), "sw1")
    assert fresh.configurations() == before
    assert fresh.client.get(f"/tmf-api/productInventory/v4/product/{product_id}") == product
    assert _order(fresh, bodies.upgrade(product_id))["productOrder"]["state"] == "completed"


def test_an_exhausted_pool_fails_the_order_that_came_too_late(start: Start, tmp_path: Path) -> None:
    lab = shutil.copytree(FTTH_LAB.parent, tmp_path / "lab")
    network = lab / "network.yml"
    network.write_text(network.read_text().replace("to: 1999", "to: 1042"))
    with start(tmp_path / "data", lab=lab / FTTH_LAB.name) as platform:
        assert _order(platform, bodies.add())["productOrder"]["state"] == "completed"
        taken = [pool["taken"] for pool in platform.client.get("/lastmile/v1/pool")]
        before = platform.configurations()
        tree = _order(platform, bodies.add(serial_number="LMLE0000A016", place_id="ADDR-1016"))
        assert tree["productOrder"]["state"] == "failed"
        assert any("subscriber-vlans" in reason for reason in pictures.reasons(tree))
        assert [pool["taken"] for pool in platform.client.get("/lastmile/v1/pool")] == taken
        assert platform.configurations() == before


def test_tmf640_tries_again_after_a_failure(fresh: Platform) -> None:
    assert fresh.system.lab is not None
    before = fresh.configurations()
    values = {"router": "r1", "routerInterface": "eth1", "vlanId": 3000, "address": "10.9.9.9", "gateway": "10.9.9.1"}
    body = {
        "id": "edge-1",
        "state": "active",
        "serviceSpecification": {"id": "ip-edge"},
        "serviceCharacteristic": [{"name": name, "value": value} for name, value in values.items()],
    }
    path = "/tmf-api/ServiceActivationAndConfiguration/v4/service"
    requests = (("POST", path, body), ("DELETE", f"{path}/edge-1", None))
    for method, url, content in requests:
        fresh.system.lab.cut("r1")
        refused = fresh.client.http.request(method, url, json=content)
        assert (refused.status_code, refused.json()["code"]) == (502, "deviceUnreachable"), refused.text
        assert fresh.client.get(refused.json()["referenceError"])["state"] == "InError"
        fresh.system.lab.restore("r1")
        done = fresh.client.http.request(method, url, json=content)
        assert done.is_success, done.text
    assert fresh.configurations() == before
