"""From copper to fibre by a modify: the new beside the old, then without it; and what a failure leaves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import labs
from activation.contracts import ROLLBACK_FAILED
from activation.errors import ActivationError
from api.runtime.database import Database
from inventory.documents import characteristics
from orders.catalog.load import load_catalog
from orders.errors import InvalidOrder
from tests.orders.chain import SERIAL, Chain, add_item, build_chain, delete_item, modify_item, order_of
from tests.orders.conftest import CATALOG_FOLDER

COPPER = Path(labs.__file__).parent / "ftth/catalog"
OLD = ["dsl-access", "aggregation-transport", "ip-edge"]
NEW = ["gpon-access", "aggregation-transport", "ip-edge"]
BOTH = [*NEW, "dsl-access"]


def parts(request: Any) -> list[str]:
    return [each["serviceSpecification"]["id"] for each in request["supportingService"]]


def ids(request: Any) -> dict[str, str]:
    return {each["serviceSpecification"]["id"]: each["id"] for each in request["supportingService"]}


def to_fibre(product_id: str) -> dict[str, Any]:
    return order_of(modify_item(product_id, offering="fibre-100", ontSerialNumber=SERIAL))


@pytest.fixture
def copper(open_database: Callable[..., Database]) -> Chain:
    """Return a chain where both technologies are sold and a copper line ends at the first place."""
    chain = build_chain(open_database, load_catalog(CATALOG_FOLDER, COPPER))
    chain.places.known["ADDR-1015"] = {"dslInterface": "Ethernet4"}
    return chain


@pytest.fixture
def line(copper: Chain) -> str:
    """Return a product on copper."""
    item = add_item(offering="dsl-50")
    item["product"]["productCharacteristic"] = []
    order = copper.order(order_of(item))
    assert order["state"] == "completed"
    return str(order["productOrderItem"][0]["product"]["id"])


def test_the_new_is_made_before_the_old_is_broken(copper: Chain, line: str) -> None:
    [(_, was)] = copper.activation.requests
    held = set(copper.reservations.held)
    assert copper.order(to_fibre(line))["state"] == "completed"
    (make, beside), (last, alone) = copper.activation.requests[1:]
    assert (make, parts(beside), last, parts(alone)) == ("modify", BOTH, "modify", NEW)
    # What both ways have in common is the same service as before, with the same resources.
    assert {name: ids(alone)[name] for name in NEW[1:]} == {name: ids(was)[name] for name in NEW[1:]}
    assert ids(beside)["dsl-access"] == ids(was)["dsl-access"]
    assert held < set(copper.reservations.held)
    assert copper.reservations.released == []


def test_the_inventories_know_the_new_way_only(copper: Chain, line: str) -> None:
    old = ids(copper.activation.requests[0][1])["dsl-access"]
    copper.order(to_fibre(line))
    product = copper.product(line)
    assert (product["status"], product["productOffering"]["id"], product["productSpecification"]["id"]) == (
        "active",
        "fibre-100",
        "broadband",
    )
    assert characteristics(product, "productCharacteristic")["downstreamMbps"] == 100
    service = copper.service(product["realizingService"][0]["id"])
    assert (service["state"], service["serviceSpecification"]["id"]) == ("active", "internet-access")
    assert old not in {each["id"] for each in service["supportingService"]}
    assert copper.service(old)["state"] == "terminated"


def test_ceased_afterwards_nothing_is_left(copper: Chain, line: str) -> None:
    copper.order(to_fibre(line))
    assert copper.order(order_of(delete_item(line)))["state"] == "completed"
    assert copper.reservations.held == {}


def test_when_the_new_fails_the_old_stays_untouched(copper: Chain, line: str) -> None:
    before, held = copper.product(line), dict(copper.reservations.held)
    service = copper.service(before["realizingService"][0]["id"])
    copper.activation.refuses.add("modify")
    assert copper.order(to_fibre(line))["state"] == "failed"
    assert [verb for verb, _ in copper.activation.requests] == ["create", "modify"]
    assert copper.reservations.held == held
    assert copper.product(line) == before
    assert copper.service(service["id"]) == service
    copper.activation.refuses.clear()
    assert copper.order(to_fibre(line))["state"] == "completed"


def test_without_a_free_port_no_device_is_asked(copper: Chain, line: str) -> None:
    held = dict(copper.reservations.held)
    copper.reservations.sizes = {**copper.reservations.sizes, "pon": 0}
    assert copper.order(to_fibre(line))["state"] == "failed"
    assert ([verb for verb, _ in copper.activation.requests], copper.reservations.held) == (["create"], held)


def test_what_a_device_may_still_carry_stays_reserved(copper: Chain, line: str) -> None:
    held = set(copper.reservations.held)
    copper.activation.refuses.add("modify")
    copper.activation.errors = ({"code": ROLLBACK_FAILED, "reason": "olt1 does not answer", "device": "olt1"},)
    order = copper.order(to_fibre(line))
    assert order["state"] == "failed"
    assert "still reserved until the devices are mended: GPON port" in order["note"][-1]["text"]
    assert len(set(copper.reservations.held) - held) == 1


@pytest.mark.parametrize("by", ["refuses", "raises"])
def test_an_old_part_that_cannot_be_taken_away_is_taken_away_by_the_next_modify(
    copper: Chain, line: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    modify = copper.activation.modify

    def once(uow: Any, service: Any, *, external_id: str, correlation_id: str) -> str:
        wrong = external_id.endswith(":retire")
        if wrong and by == "raises":
            raise ActivationError("sw1 is locked")
        copper.activation.refuses = {"modify"} if wrong else set()
        return modify(uow, service, external_id=external_id, correlation_id=correlation_id)

    monkeypatch.setattr(type(copper.activation), "modify", lambda _, *args, **names: once(*args, **names))
    assert copper.order(to_fibre(line))["state"] == "failed"
    service = copper.service(copper.product(line)["realizingService"][0]["id"])
    assert len(service["supportingService"]) == len(BOTH)
    monkeypatch.undo()
    copper.activation.refuses.clear()
    assert copper.order(to_fibre(line))["state"] == "completed"
    assert parts(copper.activation.requests[-1][1]) == NEW
    service = copper.service(service["id"])
    assert len(service["supportingService"]) == len(NEW)


def test_there_is_no_way_back_to_copper(copper: Chain, line: str) -> None:
    copper.order(to_fibre(line))
    with pytest.raises(InvalidOrder, match=r"'dsl-50' sells another product specification \(legal: fibre-10, fibre-"):
        copper.order(order_of(modify_item(line, offering="dsl-50")))


def test_the_ont_is_asked_for(copper: Chain, line: str) -> None:
    with pytest.raises(InvalidOrder, match=r"productCharacteristic\.ontSerialNumber: is missing"):
        copper.order(order_of(modify_item(line, offering="fibre-100")))
    assert len(copper.activation.requests) == 1


def test_copper_is_sold_where_a_line_ends(copper: Chain) -> None:
    item = add_item(offering="dsl-50", place="ADDR-1016")
    item["product"]["productCharacteristic"] = []
    with pytest.raises(InvalidOrder, match="'dsl-50' is not sold at 'ADDR-1016': no copper line ends here"):
        copper.order(order_of(item))
