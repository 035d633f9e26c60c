"""Lint: everything wrong at once, and what is probably not meant."""

from pathlib import Path
from typing import Any

import pytest

from orders.catalog.lint import Surroundings, lint, place_values
from orders.catalog.load import examine
from tests.orders.catalog.test_load import CFS, OFFERING, PRODUCT, RFS, SHIPPED, changed, write

UNUSED = {"id": "unused", "name": "Unused", "version": "1.0", "allocation": "vlan", "pool": "subscriber-vlans"}
FIXED = "productOfferings[0].eligibility[0].when: 'product.downstreamMbps > 500' can never hold: the offering is sold"
PLACES = Surroundings(places=place_values([{"technology": "gpon"}, {"technology": "dsl"}, {"region": "Berlin"}]))

DOUBTFUL: dict[str, tuple[tuple[str | int, ...], Any, Surroundings, str]] = {
    "unused": (
        ("resources.yaml", "resourceSpecifications", 0),
        UNUSED,
        Surroundings(),
        "resources.yaml: resourceSpecifications[0]: unused@1.0 is not used: no offering leads to it",
    ),
    "never, by what is fixed": (
        (*OFFERING, "eligibility"),
        [{"when": "product.downstreamMbps > 500"}],
        Surroundings(),
        FIXED,
    ),
    "never, by the places there are": (
        (*OFFERING, "eligibility"),
        [{"when": "place.technology == 'hfc'"}],
        PLACES,
        "== 'hfc'\" can never hold: the offering is sold nowhere (legal: place.technology is gpon, dsl, absent)",
    ),
    "always": (
        (*CFS, "supportedBy", 0, "when"),
        "service.downstreamMbps >= 1",
        Surroundings(),
        "'service.downstreamMbps >= 1' always holds: the condition can go",
    ),
    "a resource never reserved": (
        (*RFS, "requires", 0, "when"),
        "service.downstreamMbps > 10000",
        Surroundings(),
        "requires[0].when: 'service.downstreamMbps > 10000' can never hold: the resource is never reserved",
    ),
    "sells what is retired": (
        (*PRODUCT, "lifecycleStatus"),
        "retired",
        Surroundings(),
        "productOfferings[0].productSpecification: sells broadband@1.0, which is retired",
    ),
}
INTENTS = {"gpon-access": frozenset({"olt"}), "aggregation-transport": frozenset({"switch"})}


def said(folder: Path, files: Any, around: Surroundings) -> list[tuple[str, str]]:
    return [(each.weight, str(each.problem)) for each in lint(examine(write(folder, files)), around)]


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_is_doubtful_is_a_warning(case: str, tmp_path: Path) -> None:
    path, value, around, expected = DOUBTFUL[case]
    files = changed(SHIPPED, path, value)
    if case == "unused":
        files = {**SHIPPED, "resources.yaml": {"resourceSpecifications": [UNUSED, *_resources()]}}
    found = said(tmp_path, files, around)
    assert any(weight == "warning" and expected in text for weight, text in found), found
    assert {weight for weight, _ in found} == {"warning"}


def _resources() -> list[Any]:
    return list(SHIPPED["resources.yaml"]["resourceSpecifications"])


@pytest.mark.parametrize(
    "condition", ["service.ontSerialNumber == 'X'", "place.region == 'Berlin'", "service.downstreamMbps > 500"]
)
def test_what_can_go_either_way_or_is_not_known_is_left_alone(condition: str, tmp_path: Path) -> None:
    assert said(tmp_path, changed(SHIPPED, (*CFS, "supportedBy", 0, "when"), condition), Surroundings()) == []


def test_the_shipped_catalog_is_clean(tmp_path: Path) -> None:
    assert said(tmp_path, SHIPPED, PLACES) == []


def test_problems_of_all_stages_come_at_once(tmp_path: Path) -> None:
    files = changed(SHIPPED, (*OFFERING, "price"), 1)
    files = changed(files, ("offerings.yaml", "productOfferings", 1, "productSpecification"), "nowhere")
    files = changed(files, (*CFS, "supportedBy", 0, "characteristics", "onuId"), "resource.")
    found = said(tmp_path, files, Surroundings())
    assert [text.split(" ")[1] for _, text in found] == [
        "productOfferings[0].price:",
        "customerFacingServices[0].supportedBy[0].characteristics.onuId:",
        "productOfferings[0].productSpecification:",
    ]
    assert {weight for weight, _ in found} == {"error"}


def test_a_service_must_fit_its_intent(tmp_path: Path) -> None:
    found = [text for _, text in said(tmp_path, SHIPPED, Surroundings(intents=INTENTS))]
    assert any("'ip-edge' has no intent in templates/intents.yaml" in text for text in found)
    assert any("'vlanId' is not taken by its intent (legal: switch)" in text for text in found)
