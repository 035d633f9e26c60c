"""Bundles: ordered whole and in part, changed, ceased, failing, cancelled; and what relies on what."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import labs
from api.runtime.database import Database
from inventory.documents import Document, characteristics
from orders.catalog.load import load_catalog
from orders.errors import InvalidOrder, MappingError, OrderConflict
from orders.items import flat
from tests.orders.bad_input import JSON, paths, spoiled
from tests.orders.chain import PLACE, SERIAL, Chain, add_item, build_chain, delete_item, modify_item, order_of
from tests.orders.conftest import CATALOG_FOLDER

KEY = "productOrderItem"
FTTH = Path(labs.__file__).parent / "ftth/catalog"


@pytest.fixture
def home(open_database: Callable[..., Database]) -> Chain:
    """Return a chain where the bundles of the lab ftth are sold."""
    return build_chain(open_database, load_catalog(CATALOG_FOLDER, FTTH))


def bundle(*inner: dict[str, Any], **more: object) -> dict[str, Any]:
    item = add_item(offering="fibre-tv")
    return {**item, **({KEY: list(inner)} if inner else {}), **more}


def part(key: str, offering: str, **product: object) -> dict[str, Any]:
    return {"id": key, "action": "add", "productOffering": {"id": offering}, "product": product}


def stays(key: str, product_id: str) -> dict[str, Any]:
    return {"id": key, "action": "noChange", "product": {"id": product_id}}


def change(product_id: str, *inner: dict[str, Any]) -> dict[str, Any]:
    return order_of({**modify_item(product_id), KEY: list(inner)})


def products(order: Document) -> dict[str, str]:
    """Return the products of an order by offering."""
    return {each["productOffering"]["id"]: each["product"]["id"] for each in flat(order, KEY)}


def states(order: Document) -> dict[str, str]:
    return {each["id"]: each["state"] for each in flat(order, KEY)}


def related(product: Document, kind: str) -> set[str]:
    return {
        each["product"]["id"] for each in product.get("productRelationship", ()) if each["relationshipType"] == kind
    }


def parts(request: Any) -> dict[str, dict[str, Any]]:
    return {
        each["serviceSpecification"]["id"]: characteristics(each, "serviceCharacteristic")
        for each in request["supportingService"]
    }


@pytest.fixture
def whole(home: Chain) -> dict[str, str]:
    """Return the products of a bundle in use."""
    order = home.order(order_of(bundle()))
    assert order["state"] == "completed", order.get("note")
    return products(order)


@pytest.fixture
def internet(home: Chain) -> dict[str, str]:
    """Return the products of a bundle without television."""
    order = home.order(order_of(bundle(part("2", "fibre-100"))))
    assert order["state"] == "completed", order.get("note")
    return products(order)


def test_a_bundle_is_ordered_by_its_name_alone(home: Chain) -> None:
    order = home.order(order_of(bundle()))
    assert (order["state"], states(order)) == ("completed", dict.fromkeys(("1", "1.1", "1.2"), "completed"))
    found = products(order)
    assert found.keys() == {"fibre-tv", "fibre-100", "iptv"}
    product = home.product(found["fibre-tv"])
    assert (product["status"], product["isBundle"]) == ("active", True)
    assert related(product, "bundled") == {found["fibre-100"], found["iptv"]}
    assert "realizingService" not in product
    access, television = home.product(found["fibre-100"]), home.product(found["iptv"])
    assert related(access, "bundledIn") == related(television, "bundledIn") == {product["id"]}
    assert related(television, "reliesOn") == {access["id"]}
    assert characteristics(access, "productCharacteristic")["ontSerialNumber"] == SERIAL
    assert access["place"] == television["place"] == product["place"]


def test_television_runs_over_what_the_access_reserved_and_after_it(home: Chain, whole: dict[str, str]) -> None:
    (_, access), (_, television) = home.activation.requests
    was = parts(access)
    assert parts(television)["iptv-access"] == {
        "olt": "olt1",
        "onuId": was["gpon-access"]["onuId"],
        "uplinkInterface": "uplink1",
        "subscriber": was["gpon-access"]["subscriber"],
        "vlanId": 900,
    }
    assert parts(television)["iptv-edge"]["router"] == "r1"
    service = home.service(home.product(whole["iptv"])["realizingService"][0]["id"])
    relied = [each["service"]["id"] for each in service["serviceRelationship"]]
    assert access["id"] in relied
    # Nothing more is reserved for it.
    assert len(home.reservations.held) == 3


def test_what_is_not_wanted_is_left_out_and_added_later(home: Chain, internet: dict[str, str]) -> None:
    assert internet.keys() == {"fibre-tv", "fibre-100"}
    access = home.product(internet["fibre-100"])
    order = home.order(change(internet["fibre-tv"], stays("2", internet["fibre-100"]), part("3", "iptv")))
    assert (order["state"], states(order)) == ("completed", dict.fromkeys("123", "completed"))
    # Nothing is asked of the devices for what stays, and nothing of it changes.
    assert [verb for verb, _ in home.activation.requests] == ["create", "create"]
    assert parts(home.activation.requests[-1][1]).keys() == {"iptv-access", "iptv-transport", "iptv-edge"}
    assert home.product(internet["fibre-100"]) == access
    television = order[KEY][0][KEY][1]["product"]["id"]
    assert related(home.product(internet["fibre-tv"]), "bundled") == {access["id"], television}


def test_what_is_not_named_stays(home: Chain, internet: dict[str, str]) -> None:
    order = home.order(change(internet["fibre-tv"], part("3", "iptv")))
    assert order["state"] == "completed"
    assert len(related(home.product(internet["fibre-tv"]), "bundled")) == 2


def test_a_part_is_taken_out_again(home: Chain, whole: dict[str, str]) -> None:
    gone = delete_item(whole["iptv"], item_id="3")
    order = home.order(change(whole["fibre-tv"], stays("2", whole["fibre-100"]), gone))
    assert order["state"] == "completed"
    assert [verb for verb, _ in home.activation.requests] == ["create", "create", "terminate"]
    assert home.product(whole["iptv"])["status"] == "terminated"
    assert related(home.product(whole["fibre-tv"]), "bundled") == {whole["fibre-100"]}
    assert home.order(change(whole["fibre-tv"], part("3", "iptv")))["state"] == "completed"


def test_a_part_is_ceased_by_itself_where_the_bundle_lets_it(home: Chain, whole: dict[str, str]) -> None:
    assert home.order(order_of(delete_item(whole["iptv"])))["state"] == "completed"
    assert related(home.product(whole["fibre-tv"]), "bundled") == {whole["fibre-100"]}
    with pytest.raises(InvalidOrder, match=r"would have 0 of 'fibre-100' \(legal: 1 to 1\)"):
        home.order(order_of(delete_item(whole["fibre-100"])))


def test_with_a_bundle_go_its_parts_those_that_rely_first(home: Chain, whole: dict[str, str]) -> None:
    services = {key: home.product(whole[key])["realizingService"][0]["id"] for key in ("fibre-100", "iptv")}
    order = home.order(order_of(delete_item(whole["fibre-tv"])))
    assert (order["state"], states(order)) == ("completed", dict.fromkeys(("1", "1.1", "1.2"), "completed"))
    assert home.activation.requests[2:] == [("terminate", services["iptv"]), ("terminate", services["fibre-100"])]
    assert {home.product(key)["status"] for key in whole.values()} == {"terminated"}
    assert home.reservations.held == {}


def test_an_access_that_is_there_becomes_a_part(home: Chain) -> None:
    access = home.order(order_of(add_item()))[KEY][0]["product"]["id"]
    order = home.order(order_of(bundle(stays("2", access), product={"place": [PLACE]})))
    assert order["state"] == "completed"
    found = order[KEY][0]["product"]["id"]
    # What is named at all is filled up to what the bundle needs: television was not asked for.
    assert related(home.product(found), "bundled") == {access}
    assert related(home.product(access), "bundledIn") == {found}
    assert [verb for verb, _ in home.activation.requests] == ["create"]
    assert home.order(change(found, part("3", "iptv")))["state"] == "completed"


def test_television_without_a_bundle_names_what_it_relies_on(home: Chain) -> None:
    access = home.order(order_of(add_item()))[KEY][0]["product"]["id"]
    relies = [{"relationshipType": "reliesOn", "product": {"id": access}}]
    item = part("1", "iptv", place=[PLACE], productRelationship=relies)
    order = home.order(order_of(item))
    assert order["state"] == "completed", order.get("note")
    television = order[KEY][0]["product"]["id"]
    with pytest.raises(InvalidOrder, match=f"product {television} relies on '{access}'"):
        home.order(order_of(delete_item(access)))
    both = order_of(delete_item(access), delete_item(television, item_id="2"))
    assert home.order(both)["state"] == "completed"
    assert home.reservations.held == {}


def test_a_service_order_of_its_own_cannot_take_away_what_is_relied_on(home: Chain, whole: dict[str, str]) -> None:
    access = home.product(whole["fibre-100"])["realizingService"][0]["id"]
    television = home.product(whole["iptv"])["realizingService"][0]["id"]
    item = {"id": "1", "action": "delete", "service": {"id": access}}
    with home.database.begin() as uow, pytest.raises(OrderConflict, match=f"relied on by service {television}"):
        home.services.place(uow, {"serviceOrderItem": [item]})


def test_a_speed_inside_a_bundle_is_changed_without_touching_the_rest(home: Chain, whole: dict[str, str]) -> None:
    swap = modify_item(whole["fibre-100"], item_id="2", ontSerialNumber="ALCL0000FFFF")
    order = home.order(change(whole["fibre-tv"], swap))
    assert order["state"] == "completed"
    assert [verb for verb, _ in home.activation.requests] == ["create", "create", "modify"]
    assert home.order(order_of(delete_item(whole["fibre-tv"])))["state"] == "completed"


def test_when_the_access_fails_nothing_is_left(home: Chain) -> None:
    home.activation.unfit.add(SERIAL)
    order = home.order(order_of(bundle()))
    assert (order["state"], set(states(order).values())) == ("failed", {"failed"})
    assert {home.product(key)["status"] for key in products(order).values()} == {"aborted "}
    assert home.reservations.held == {}
    assert [verb for verb, _ in home.activation.requests] == ["create"]


def test_when_television_fails_the_access_stays_and_television_is_ordered_again(
    home: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = type(home.activation).create

    def refusing(self: Any, uow: Any, service: Any, **names: Any) -> str:
        self.refuses = {"create"} if "iptv-access" in parts(service) else set()
        return create(self, uow, service, **names)

    monkeypatch.setattr(type(home.activation), "create", refusing)
    order = home.order(order_of(bundle()))
    assert (order["state"], states(order)) == ("partial", {"1": "failed", "1.1": "completed", "1.2": "failed"})
    found = products(order)
    product = home.product(found["fibre-tv"])
    assert (product["status"], related(product, "bundled")) == ("active", {found["fibre-100"]})
    assert home.product(found["iptv"])["status"] == "aborted "
    monkeypatch.undo()
    home.activation.refuses = set()
    assert home.order(change(found["fibre-tv"], part("3", "iptv")))["state"] == "completed"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "too many": (
        bundle(part("2", "fibre-100"), part("3", "iptv"), part("4", "iptv")),
        r"productOrderItem\[0\]\.productOrderItem: bundle '1' would have 2 of 'iptv' \(legal: 0 to 1\)",
    ),
    "no part of it": (
        bundle(part("2", "fibre-500")),
        r"productOrderItem\[0\]\.productOrderItem: 'fibre-500' is no part of 'fibre-tv' \(legal: fibre-100, iptv\)",
    ),
    "a value nobody takes": (
        bundle(product={"place": [PLACE], "productCharacteristic": [{"name": "colour", "value": "red"}]}),
        r"productOrderItem\[0\]\.product\.productCharacteristic\.colour",
    ),
    "a value that a part needs": (
        bundle(product={"place": [PLACE]}),
        r"productOrderItem\[0\]\.productOrderItem\[0\]\.product\.productCharacteristic\.ontSerialNumber: is missing",
    ),
    "a part that nobody has": (
        bundle(stays("2", "p-9")),
        r"productOrderItem\[0\]\.productOrderItem\[\d\]\.product\.id: 'p-9' does not exist",
    ),
    "television alone": (
        part("1", "iptv", place=[PLACE]),
        r"productOrderItem\[0\]\.product\.productRelationship: 'iptv' relies on one product made by 'internet-access'",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_bundle_does_not_allow_is_refused(home: Chain, case: str) -> None:
    item, expected = WRONG[case]
    with pytest.raises(InvalidOrder, match=expected):
        home.place(order_of(item))


BODY = order_of(bundle(part("2", "fibre-100"), part("3", "iptv")))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_spoiled_body_is_refused_or_taken_and_never_breaks_anything(home: Chain, data: st.DataObject) -> None:
    body = spoiled(BODY, data.draw(st.sampled_from(list(paths(BODY)))), data.draw(JSON | st.just(...)))
    with suppress(InvalidOrder, OrderConflict, MappingError):
        home.place(body)


def test_parts_that_would_be_left_behind_are_refused(home: Chain, whole: dict[str, str]) -> None:
    item = {**delete_item(whole["fibre-tv"]), KEY: [stays("2", whole["fibre-100"])]}
    with pytest.raises(InvalidOrder, match=r"productOrderItem\[0\]\.productOrderItem\[0\]\.action: the product goes"):
        home.order(order_of(item))


def test_a_bundle_that_does_not_change_gets_no_parts(home: Chain, internet: dict[str, str]) -> None:
    item = {**stays("1", internet["fibre-tv"]), KEY: [part("2", "iptv")]}
    with pytest.raises(InvalidOrder, match=r"productOrderItem\[0\]\.action: what does not change cannot have"):
        home.order(order_of(item))


def test_one_order_at_a_time_for_a_bundle_and_what_it_has_to_do_with(home: Chain, internet: dict[str, str]) -> None:
    home.place(change(internet["fibre-tv"], part("3", "iptv")))
    for product_id in (internet["fibre-tv"], internet["fibre-100"]):
        with pytest.raises(OrderConflict, match="in flight"):
            home.place(order_of(modify_item(product_id)))
    home.drain()
    assert home.order(order_of(modify_item(internet["fibre-100"], ontSerialNumber="ALCL0000FFFF")))["state"] == (
        "completed"
    )


def test_every_delivery_twice_changes_nothing(open_database: Callable[..., Database]) -> None:
    chain = build_chain(open_database, load_catalog(CATALOG_FOLDER, FTTH), deliveries=2)
    found = products(chain.order(order_of(bundle())))
    assert chain.order(order_of(delete_item(found["fibre-tv"])))["state"] == "completed"
    assert chain.reservations.held == {}
