"""An engineer whose port is broken puts a failed item on another one: the chain takes that, and gives this back."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, select

from activation.contracts import ROLLBACK_FAILED
from activation.drivers.fake import FakeDevice
from api.demo import bodies
from inventory.model import Link, PonPort
from inventory.network import NetworkStore
from inventory.tables import free_ranges, reservations, resources
from orders.catalog.load import load_catalog
from orders.errors import InvalidOrder, OrderConflict
from orders.interventions import Port
from orders.service.model import Composition, ItemTask
from orders.service.placing import put_on
from tests.api.order_life.stepping import STOOD, Stepping, small_network, stepping
from tests.api.order_life.test_cancel import COPPER, check_moves, placed
from tests.api.order_life.test_hold import asked
from tests.api.order_life.test_repair import answer, installed, product_order

pytestmark = pytest.mark.db

SOME = Composition(specification_id="x", place={}, values={})
SECOND = PonPort(olt="olt1", name="pon2", channel_partition="c2", channel_pair="d2", first_onu_id=1, last_onu_id=4)


@pytest.fixture
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepping]:
    with stepping(tmp_path_factory.mktemp("port"), catalog=COPPER) as running:
        with running.system.database.begin() as uow:
            network = small_network()
            NetworkStore().load(uow, replace(network, pon_ports=(*network.pon_ports, SECOND)))
        yield running


def refused_at_its_port(platform: Stepping) -> str:
    """Place an order whose own PON port the OLT refuses, and let it come to that."""
    platform.network.devices["olt1"].refuses = "set partition c\n"
    order_id = installed(platform)
    answer(platform, order_id)
    platform.drain()
    assert product_order(platform, order_id)["state"] == "held"
    return order_id


def repaired(platform: Stepping, order_id: str, **more: object) -> Mapping[str, Any]:
    return asked(platform, "productOrder", order_id, "repair", reason="port is dead", **more)


def pon_resources(platform: Stepping) -> list[tuple[str, int]]:
    with platform.system.database.read() as connection:
        rows = select(reservations.c.pool, reservations.c.value).where(reservations.c.allocation == "pon")
        return [(str(pool), int(value)) for pool, value in connection.execute(rows)]


def test_an_item_is_put_on_another_port(platform: Stepping) -> None:
    order_id = refused_at_its_port(platform)
    assert pon_resources(platform) == [("olt1/pon1", 1)]
    said = repaired(platform, order_id, port="pon2")
    assert said["note"][-1]["text"] == "repair item '1': port pon2: port is dead"
    platform.drain()
    order = product_order(platform, order_id)
    assert order["state"] == "completed", order
    assert pon_resources(platform) == [("olt1/pon2", 1)]
    configured = platform.running()["olt1"]
    assert "set partition c2\n" in configured
    assert "set partition c\n" not in configured
    check_moves(platform, order_id)

    placed(platform, bodies.cease(order["productOrderItem"][0]["product"]["id"]))
    platform.drain()
    assert pon_resources(platform) == []
    assert platform.footprint()["fragments"] == []


def test_an_item_is_put_on_another_olt_with_all_that_its_way_needs(platform: Stepping) -> None:
    add_olt(platform)
    order_id = refused_at_its_port(platform)
    repaired(platform, order_id, port="pon1", device="olt2")
    platform.drain()
    order = product_order(platform, order_id)
    assert order["state"] == "completed", order
    assert pon_resources(platform) == [("olt2/pon1", 1)]
    running = platform.running()
    assert "set partition c9\n" in running["olt2"]
    assert running["olt1"] == STOOD
    with platform.system.database.read() as connection:
        kinds = sorted(connection.execute(select(reservations.c.allocation)).scalars())
        held = connection.execute(select(resources.c.document).where(resources.c.state == "reserved")).scalars()
        assert any('"Ethernet9"' in document for document in held)
    assert kinds == ["address", "pon", "vlan"]
    check_moves(platform, order_id)


def add_olt(platform: Stepping) -> None:
    """Put a second OLT beside the first, behind the same switch."""
    network = small_network()
    olt = replace(network.devices[0], name="olt2")
    link = Link(a_device="olt2", a_interface="uplink1", b_device="sw1", b_interface="Ethernet9")
    port = replace(SECOND, olt="olt2", name="pon1", channel_partition="c9")
    platform.network.devices["olt2"] = FakeDevice("olt2", running=STOOD, startup=STOOD)
    with platform.system.database.begin() as uow:
        wider = replace(network, devices=(*network.devices, olt), links=(*network.links, link))
        NetworkStore().load(uow, replace(wider, pon_ports=(*network.pon_ports, port)))


BAD_PORTS = {
    "unknown": ({"port": "pon9"}, r"port: olt1 pon9: there is no such port \(legal: olt1 pon1 \(\d+ free\), olt1 pon2"),
    "its own": ({"port": "pon1"}, r"port: it is on olt1 pon1 already \(legal: another port\)"),
    "another device": ({"port": "pon2", "device": "olt9"}, r"port: olt9 pon2: .*legal: olt1 pon1"),
    "a device alone": ({"device": "olt1"}, r"port: is missing \(legal: a port of the device\)"),
    "nothing": ({}, "or a port"),
}


@pytest.mark.parametrize("case", BAD_PORTS)
def test_a_port_that_cannot_be_had_is_refused_and_nothing_changes(platform: Stepping, case: str) -> None:
    order_id = refused_at_its_port(platform)
    before = product_order(platform, order_id)
    wish, words = BAD_PORTS[case]
    with pytest.raises(InvalidOrder, match=words):
        repaired(platform, order_id, **wish)
    platform.drain()
    assert product_order(platform, order_id) == before
    assert pon_resources(platform) == [("olt1/pon1", 1)]


def test_a_port_is_for_repairs(platform: Stepping) -> None:
    order_id = refused_at_its_port(platform)
    with pytest.raises(InvalidOrder, match=r"port: is not for retry \(legal: repair\)"):
        asked(platform, "productOrder", order_id, "retry", port="pon2")


def test_a_full_port_is_refused_with_those_that_are_not(platform: Stepping) -> None:
    order_id = refused_at_its_port(platform)
    fill(platform, "pon2")
    with pytest.raises(InvalidOrder, match=r"olt1 pon2: no ONU id is free \(legal: olt1 pon1 \(\d+ free\)\)"):
        repaired(platform, order_id, port="pon2")


def fill(platform: Stepping, port: str) -> None:
    """Take the last free ONU ids of a port."""
    with platform.system.database.begin() as uow:
        uow.connection.execute(delete(free_ranges).where(free_ranges.c.pool == f"olt1/{port}"))


def test_a_port_that_is_taken_meanwhile_leaves_the_item_where_it_was(platform: Stepping) -> None:
    order_id = refused_at_its_port(platform)
    repaired(platform, order_id, port="pon2")
    fill(platform, "pon2")
    platform.drain()
    order = product_order(platform, order_id)
    assert order["state"] == "held"
    assert "no ONU id is free" in order["waitingFor"][0]["text"]
    assert pon_resources(platform) == [("olt1/pon1", 1)]
    # A retry asks for the same port again, which is still full; the dead one is not asked by mistake.
    asked(platform, "productOrder", order_id, "retry")
    platform.drain()
    assert product_order(platform, order_id)["state"] == "held"
    asked(platform, "productOrder", order_id, "compensate", reason="no port is left")
    platform.drain()
    assert product_order(platform, order_id)["state"] == "failed"
    assert pon_resources(platform) == []


@pytest.mark.parametrize("steps", range(4))
def test_an_order_that_moves_is_cancelled_without_a_trace(platform: Stepping, steps: int) -> None:
    before = platform.footprint()
    order_id = refused_at_its_port(platform)
    repaired(platform, order_id, port="pon2")
    platform.go(steps)
    platform.create("cancelProductOrder", {"productOrder": {"id": order_id}})
    platform.drain()
    assert product_order(platform, order_id)["state"] == "cancelled"
    assert platform.footprint() == before
    check_moves(platform, order_id)


@pytest.mark.parametrize(
    "task",
    [
        ItemTask(item_id="1", action="add", service_id="s", composition=SOME, errors=({"code": ROLLBACK_FAILED},)),
        ItemTask(item_id="1", action="modify", service_id="s", composition=SOME, before=SOME),
        ItemTask(item_id="1", action="add", service_id="s", composition=SOME, fallback=SOME),
    ],
    ids=["a device may still carry it", "it is in service", "it was amended"],
)
def test_what_a_device_may_have_does_not_move(task: ItemTask) -> None:
    with pytest.raises(OrderConflict, match=r"where it is.*legal: retry"):
        put_on(load_catalog(), task, Port(name="pon2"))
