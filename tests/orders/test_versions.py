"""Specification versions and conditions, through the whole chain."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from api.runtime.database import Database
from orders.catalog.load import load_catalog
from orders.catalog.model import Catalog
from orders.errors import InvalidOrder
from tests.orders.catalog.test_load import SHIPPED, changed, write
from tests.orders.chain import Chain, add_item, build_chain, delete_item, modify_item, order_of

OFFERINGS, PRODUCTS = SHIPPED["offerings.yaml"]["productOfferings"], SHIPPED["offerings.yaml"]["productSpecifications"]
CFS, RFS = SHIPPED["services.yaml"]["customerFacingServices"], SHIPPED["services.yaml"]["resourceFacingServices"]


def second(entry: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {**deepcopy(entry), "version": "2.0", **changes}


def newer_catalog(folder: Path, *, without: str = "") -> Catalog:
    """Return the shipped catalog with second versions: the CFS polices its burst at twice the length."""
    folder.mkdir()
    use = changed(CFS[0]["supportedBy"][1], ("characteristics", "burstKbytes"), "service.downstreamMbps * 20 // 8")
    more = {
        "productOfferings": [second(OFFERINGS[0])],
        "productSpecifications": [second(PRODUCTS[0])],
        "customerFacingServices": [
            second(CFS[0], supportedBy=[CFS[0]["supportedBy"][0], use, CFS[0]["supportedBy"][2]])
        ],
        "resourceFacingServices": [second(RFS[0])],
    }
    files = {**SHIPPED, "second.yaml": more}
    if without:
        # The old version went out of the files altogether.
        files = {
            "all.yaml": {
                **SHIPPED["resources.yaml"],
                "productOfferings": [more["productOfferings"][0]],
                "productSpecifications": more["productSpecifications"],
                "customerFacingServices": more["customerFacingServices"],
                "resourceFacingServices": [*more["resourceFacingServices"], *RFS[1:]],
            }
        }
    return load_catalog(write(folder, files))


def under(chain: Chain, open_database: Callable[..., Database], catalog: Catalog) -> Chain:
    """Return the same chain on the same database, with another catalog."""
    other = build_chain(open_database, catalog)
    for name in ("database", "activation", "reservations", "places"):
        object.__setattr__(other, name, getattr(chain, name))
    object.__setattr__(other.services, "activation", chain.activation)
    object.__setattr__(other.resources, "reservations", chain.reservations)
    return other


def burst(request: Any) -> int:
    found = {each["name"]: each["value"] for each in request["supportingService"][1]["serviceCharacteristic"]}
    return int(found["burstKbytes"])


def versions(service: Any) -> list[str]:
    return [each["serviceSpecification"]["version"] for each in (service, *service.get("supportingService", ()))]


@pytest.fixture
def ordered(chain: Chain) -> str:
    """Return a product that was ordered with the first versions."""
    order = chain.order(order_of(add_item()))
    return str(order["productOrderItem"][0]["product"]["id"])


@pytest.fixture
def newer(chain: Chain, open_database: Callable[..., Database], tmp_path: Path) -> Chain:
    return under(chain, open_database, newer_catalog(tmp_path / "newer"))


def test_a_new_order_gets_the_latest_and_an_old_product_keeps_its_own(chain: Chain, ordered: str, newer: Chain) -> None:
    newer.order(order_of(add_item(serial="ALCL0000A1B3")))
    assert versions(chain.activation.requests[-1][1]) == ["2.0", "2.0", "1.0", "1.0"]
    done = newer.order(order_of(modify_item(ordered, ontSerialNumber="ALCL0000A1B4")))
    verb, request = chain.activation.requests[-1]
    assert (done["state"], verb, versions(request), burst(request)) == ("completed", "modify", ["1.0"] * 4, 125)
    product = newer.product(ordered)
    assert [product[key]["version"] for key in ("productOffering", "productSpecification")] == ["1.0", "1.0"]


def test_an_order_that_names_another_version_moves_the_product_there(chain: Chain, ordered: str, newer: Chain) -> None:
    item = {**modify_item(ordered), "productOffering": {"id": "fibre-100", "version": "2.0"}}
    done = newer.order(order_of(item))
    _, request = chain.activation.requests[-1]
    assert (done["state"], versions(request), burst(request)) == ("completed", ["2.0", "2.0", "1.0", "1.0"], 250)
    product = newer.product(ordered)
    assert [product[key]["version"] for key in ("productOffering", "productSpecification")] == ["2.0", "2.0"]
    service = newer.service(product["realizingService"][0]["id"])
    assert service["serviceSpecification"]["version"] == "2.0"


def test_what_the_catalog_lost_can_still_be_ceased(
    chain: Chain, ordered: str, open_database: Callable[..., Database], tmp_path: Path
) -> None:
    bare = under(chain, open_database, newer_catalog(tmp_path / "bare", without="1.0"))
    with pytest.raises(InvalidOrder, match=r"product\.id: was sold by 'fibre-100@1\.0', which the catalog no longer"):
        bare.order(order_of(modify_item(ordered, ontSerialNumber="ALCL0000A1B4")))
    done = bare.order(order_of(delete_item(ordered)))
    assert (done["state"], bare.product(ordered)["status"]) == ("completed", "terminated")
    assert chain.reservations.held == {}


REFUSED = {
    "no such version": ({"id": "fibre-100", "version": "9"}, "version: 'fibre-100' has no version '9' (legal: 1.0)"),
    "retired": ({"id": "fibre-500"}, "'fibre-500' in version 1.0 is not offered: it is retired (legal: none)"),
    "not yet": ({"id": "fibre-50"}, "is not offered: it is offered from 2999-01-01T00:00:00+00:00 (legal: none)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_offered_is_refused(case: str, open_database: Callable[..., Database], tmp_path: Path) -> None:
    entries = {each["id"]: each for each in deepcopy(OFFERINGS)}
    entries["fibre-500"]["lifecycleStatus"] = "retired"
    entries["fibre-50"]["validFor"] = {"startDateTime": "2999-01-01T00:00:00Z"}
    files = changed(SHIPPED, ("offerings.yaml", "productOfferings"), [*entries.values()])
    chain = build_chain(open_database, load_catalog(write(tmp_path, files)))
    offering, expected = REFUSED[case]
    with pytest.raises(InvalidOrder) as caught:
        chain.order(order_of({**add_item(), "productOffering": offering}))
    assert expected in str(caught.value)


@pytest.fixture
def conditional(open_database: Callable[..., Database], tmp_path: Path) -> Chain:
    """Return a chain in which one offering is sold where there is fibre, and the router is asked only in Berlin."""
    rule = {"when": "place.technology == 'gpon'", "reason": "there is no fibre yet"}
    files = changed(SHIPPED, ("offerings.yaml", "productOfferings", 0), {**OFFERINGS[0], "eligibility": [rule]})
    files = changed(
        files, ("services.yaml", "customerFacingServices", 0, "supportedBy", 2, "when"), "place.region == 'Berlin'"
    )
    return build_chain(open_database, load_catalog(write(tmp_path, files)))


def test_an_offering_is_sold_only_where_its_condition_holds(conditional: Chain) -> None:
    conditional.places.known["ADDR-1015"] = {"technology": "dsl", "region": "Berlin"}
    with pytest.raises(InvalidOrder) as caught:
        conditional.order(order_of(add_item()))
    expected = "productOrderItem[0].productOffering.id: 'fibre-100' is not sold at 'ADDR-1015': there is no fibre yet"
    assert expected in str(caught.value)
    assert "(legal: fibre-10, fibre-1000, fibre-50, fibre-500)" in str(caught.value)
    conditional.places.known["ADDR-1015"] = {"technology": "gpon", "region": "Berlin"}
    assert conditional.order(order_of(add_item()))["state"] == "completed"


def test_a_place_that_says_nothing_is_told_so(conditional: Chain) -> None:
    with pytest.raises(InvalidOrder, match=r"'fibre-100' cannot be judged: .*technology"):
        conditional.order(order_of(add_item()))


@pytest.mark.parametrize(("region", "parts"), [("Berlin", 3), ("Hamburg", 2)])
def test_a_part_is_used_only_where_its_condition_holds(conditional: Chain, region: str, parts: int) -> None:
    conditional.places.known["ADDR-1015"] = {"technology": "gpon", "region": region}
    assert conditional.order(order_of(add_item()))["state"] == "completed"
    _, request = conditional.activation.requests[-1]
    assert len(request["supportingService"]) == parts
    assert len(conditional.reservations.held) == parts
