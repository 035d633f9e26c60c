"""Loading the catalog: what it says when a file is wrong."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from orders.catalog.characteristics import CharacteristicSpecification, check_values, with_defaults
from orders.catalog.load import load_catalog
from orders.catalog.model import Catalog
from orders.errors import CatalogError
from tests.orders.conftest import CATALOG_FOLDER

SHIPPED = {path.name: yaml.safe_load(path.read_text()) for path in CATALOG_FOLDER.glob("*.yaml")}
CFS = ("services.yaml", "customerFacingServices", 0)
RFS = ("services.yaml", "resourceFacingServices", 0)
PRODUCT = ("offerings.yaml", "productSpecifications", 0)
OFFERING = ("offerings.yaml", "productOfferings", 0)
RESOURCE = ("resources.yaml", "resourceSpecifications", 0)
ACCESS = (*CFS, "supportedBy", 0, "characteristics")

NESTED = {
    "id": "outer",
    "name": "Outer",
    "version": "1.0",
    "supportedBy": [{"specification": "outer"}],
}

WRONG: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "unknown-key": ((*OFFERING, "price"), 10, "offerings.yaml: productOfferings[0].price: is not known here"),
    "no-name": ((*OFFERING, "name"), None, "offerings.yaml: productOfferings[0].name: None is not legal"),
    "bad-id": ((*OFFERING, "id"), "Fibre 100", "offerings.yaml: productOfferings[0].id: 'Fibre 100' is not legal"),
    "id-twice": ((*OFFERING, "id"), "fibre-500", "productOfferings[1]: id 'fibre-500' is already taken by"),
    "unknown-product": (
        (*OFFERING, "productSpecification"),
        "narrowband",
        "productOfferings[0].productSpecification: 'narrowband' does not exist (legal: broadband)",
    ),
    "unknown-cfs": (
        (*PRODUCT, "realizedBy", "specification"),
        "gpon-access",
        "productSpecifications[0].realizedBy.specification: 'gpon-access' does not exist (legal: internet-access)",
    ),
    "unknown-rfs": (
        (*CFS, "supportedBy", 1, "specification"),
        "x",
        "services.yaml: customerFacingServices[0].supportedBy[1].specification: 'x' does not exist",
    ),
    "unknown-resource": (
        (*RFS, "requires", 0, "specification"),
        "x",
        "resourceFacingServices[0].requires[0].specification: 'x' does not exist (legal: gpon-port, ip-address, vlan)",
    ),
    "bundle-dangling": (
        (*OFFERING, "bundles"),
        [{"offering": "iptv"}],
        "productOfferings[0].bundles[0].offering: 'iptv' does not exist (legal: fibre-10, fibre-100,",
    ),
    "bundle-of-itself": (
        (*OFFERING, "bundles"),
        [{"offering": "fibre-100"}],
        "productOfferings[0].bundles: the bundle is inside itself: fibre-100 → fibre-100",
    ),
    "bundle-realized": (
        (*OFFERING, "bundles"),
        [{"offering": "fibre-500"}],
        "productOfferings[0].productSpecification: is realized by 'internet-access', and 'fibre-100' is a bundle",
    ),
    "bundle-limits": (
        (*OFFERING, "bundles"),
        [{"offering": "fibre-500", "lowerLimit": 2, "upperLimit": 1}],
        "bundles[0]: lowerLimit 2, default 2, upperLimit 1 contradict each other",
    ),
    "bundle-twice": (
        (*OFFERING, "bundles"),
        [{"offering": "fibre-500"}, {"offering": "fibre-500"}],
        "productOfferings[0].bundles[1]: 'fibre-500' is bundled twice",
    ),
    "realized-by-nothing": (
        (*PRODUCT, "realizedBy"),
        None,
        "productOfferings[0].bundles: 'broadband' has no realizedBy, and 'fibre-100' bundles nothing",
    ),
    "relies-on-nobody": ((*CFS, "reliesOn"), ["x"], "customerFacingServices[0].reliesOn[0]: 'x' does not exist"),
    "relies-on-itself": (
        (*CFS, "reliesOn"),
        ["internet-access"],
        "customerFacingServices[0].reliesOn: the service relies on itself: internet-access → internet-access",
    ),
    "itself": (
        (*CFS, "supportedBy", 0),
        {"specification": "internet-access"},
        "customerFacingServices[0].supportedBy: the service is made of itself: internet-access → internet-access",
    ),
    "resource-twice": (
        (*RFS, "requires", 0, "specification"),
        "vlan",
        "customerFacingServices[0].supportedBy: reserves 'vlan' more than once",
    ),
    "syntax": ((*ACCESS, "onuId"), "resource.", "supportedBy[0].characteristics.onuId: 'resource.' does not compile"),
    "unknown-filter": ((*ACCESS, "subscriber"), "resource.vlan.vlanId | shout", "No filter named 'shout'"),
    "unknown-name": (
        (*ACCESS, "onuId"),
        "resource.gpon_port.onu",
        "supportedBy[0].characteristics.onuId: 'resource.gpon_port.onu' does not exist (legal: ",
    ),
    "unknown-root": ((*ACCESS, "onuId"), "product.onuId", "'product.onuId' does not exist"),
    "whole-object": ((*ACCESS, "onuId"), "service", "'service' does not exist"),
    "mapped-to-nothing": ((*ACCESS, "colour"), "'red'", "supportedBy[0].characteristics.colour: 'colour' does not"),
    "not-mapped": ((*CFS, "supportedBy", 0, "characteristics"), {}, "characteristics.olt: is missing (legal: string)"),
    "no-such-resource-here": ((*RFS, "requires"), [], "'resource.gpon_port.olt' does not exist"),
    "condition": (
        (*RFS, "requires", 0, "when"),
        "service.upstream > 5",
        "resourceFacingServices[0].requires[0].when: 'service.upstream' does not exist",
    ),
    "bad-pattern": (
        (*PRODUCT, "characteristics", 2, "pattern"),
        "(",
        "characteristics[2].pattern: '(' does not compile",
    ),
    "bad-default": ((*PRODUCT, "characteristics", 0, "default"), "fast", "characteristics[0]: 'fast' is not legal"),
    "bad-count": ((*PRODUCT, "characteristics", 0, "maxValues"), 0, "characteristics[0].maxValues: 0 is not legal"),
    "bad-list-default": (
        (*PRODUCT, "characteristics", 0),
        {"name": "n", "valueType": "integer", "minValues": 2, "maxValues": "*", "default": [1]},
        "characteristics[0]: has 1 values (legal: a list of 2 or more values of integer)",
    ),
    "bad-range": ((*PRODUCT, "characteristics", 0, "min"), 20000, "characteristics[0].min: 20000 is above max 10000"),
    "eligibility": (
        (*OFFERING, "eligibility"),
        [{"when": "product.colour == 1"}],
        "productOfferings[0].eligibility[0].when: 'product.colour' does not exist",
    ),
    "use-condition": (
        (*CFS, "supportedBy", 0, "when"),
        "product.x",
        "customerFacingServices[0].supportedBy[0].when: 'product.x' does not exist",
    ),
    "no-such-version": (
        (*OFFERING, "productSpecification"),
        "broadband@7",
        "productOfferings[0].productSpecification: 'broadband@7' does not exist (legal: broadband@1.0)",
    ),
    "name-twice": ((*PRODUCT, "characteristics", 1, "name"), "downstreamMbps", "'downstreamMbps' is given twice"),
    "bad-fix": ((*OFFERING, "fixes", "downstreamMbps"), 0, "productOfferings[0].fixes.downstreamMbps: 0 is not legal"),
    "unknown-fix": ((*OFFERING, "fixes", "colour"), 1, "fixes.colour: is no characteristic of this specification"),
    "pool-for-pon": ((*RESOURCE, "pool"), "x", "resources.yaml: resourceSpecifications[0].pool: 'x' is not legal"),
    "no-such-allocation": ((*RESOURCE, "allocation"), "hope", "resourceSpecifications[0].allocation: 'hope' is not"),
    "value-type": (
        (*PRODUCT, "characteristics", 0, "valueType"),
        "date",
        "characteristics[0].valueType: 'date' is not",
    ),
}


def write(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def changed(content: Any, path: tuple[str | int, ...], value: object) -> Any:
    """Return ``content`` with ``value`` at ``path``."""
    if not path:
        return value
    head, *rest = path
    if isinstance(content, list):
        return [changed(each, tuple(rest), value) if at == head else each for at, each in enumerate(content)]
    return {**content, head: changed(content.get(head, {}), tuple(rest), value)}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_catalog_names_file_and_path(case: str, tmp_path: Path) -> None:
    path, value, expected = WRONG[case]
    with pytest.raises(CatalogError) as caught:
        load_catalog(write(tmp_path, changed(SHIPPED, path, value)))
    assert expected in str(caught.value)


def test_a_longer_cycle_is_shown_once(tmp_path: Path) -> None:
    inner = {**NESTED, "id": "inner", "supportedBy": [{"specification": "outer"}]}
    outer = {**NESTED, "supportedBy": [{"specification": "inner"}]}
    with pytest.raises(CatalogError) as caught:
        load_catalog(write(tmp_path, {**SHIPPED, "more.yaml": {"customerFacingServices": [outer, inner]}}))
    [problem] = caught.value.problems
    assert problem.path == "more.yaml: customerFacingServices[1].supportedBy"
    assert problem.wrong == "the service is made of itself: inner → outer → inner"


def test_an_id_taken_in_another_file_names_both(tmp_path: Path) -> None:
    more = {"productOfferings": [SHIPPED["offerings.yaml"]["productOfferings"][0]]}
    with pytest.raises(CatalogError) as caught:
        load_catalog(write(tmp_path, {**SHIPPED, "more.yaml": more}))
    [problem] = caught.value.problems
    assert (problem.path, "more.yaml: productOfferings[0]" in problem.wrong) == (
        "offerings.yaml: productOfferings[0]",
        True,
    )


@pytest.mark.parametrize("text", ["a: [", "\x00", "- 1"], ids=["syntax", "control", "list"])
def test_no_yaml_is_said_with_the_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(text)
    with pytest.raises(CatalogError, match=r"broken\.yaml"):
        load_catalog(tmp_path)


def test_an_empty_folder_is_no_catalog(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="holds no catalog"):
        load_catalog(tmp_path)


def test_every_problem_of_a_stage_is_reported(tmp_path: Path) -> None:
    files = changed(changed(SHIPPED, (*OFFERING, "price"), 1), (*CFS, "colour"), "red")
    with pytest.raises(CatalogError) as caught:
        load_catalog(write(tmp_path, files))
    assert len(caught.value.problems) == 2


def test_shipped_catalog_has_the_whole_chain(catalog: Catalog) -> None:
    offering = catalog.offerings["fibre-1000"]
    use = catalog.specification_of(offering).realized_by
    assert use is not None
    service = catalog.customer_service(use.specification)
    parts = [catalog.resource_service(use.specification) for use in service.supported_by]
    assert offering.fixed == {"downstreamMbps": 1000, "upstreamMbps": 500}
    assert [(part.id, [each.specification.id for each in part.requires]) for part in parts] == [
        ("gpon-access", ["gpon-port"]),
        ("aggregation-transport", ["vlan"]),
        ("ip-edge", ["ip-address"]),
    ]
    assert {each.id: (each.allocation, each.pool) for each in catalog.resource_specifications.values()} == {
        "gpon-port": ("pon", ""),
        "vlan": ("vlan", "subscriber-vlans"),
        "ip-address": ("address", "residential"),
    }


INTEGER = CharacteristicSpecification(name="n", value_type="integer", minimum=1, maximum=10)
NUMBER = CharacteristicSpecification(name="n", value_type="number", minimum=0.5)
STRING = CharacteristicSpecification(name="n", value_type="string", pattern="[a-z]+$")
BOOLEAN = CharacteristicSpecification(name="n", value_type="boolean")
CHOICE = CharacteristicSpecification(name="n", value_type="string", allowed=("red", "green"))
LIST = CharacteristicSpecification(name="n", value_type="integer", minimum=1, is_list=True, min_values=1, max_values=2)
ANY = CharacteristicSpecification(name="n", value_type="string", is_list=True, max_values=None)
ACCEPTED = [
    (INTEGER, [1, 10], [0, 11, "1", 1.0, True, None, [1]]),
    (NUMBER, [0.5, 7], [0.4, float("nan"), float("inf"), "1", False]),
    (STRING, ["abc"], ["", "ABC", "abc\n", 1, None, ["abc"]]),
    (BOOLEAN, [True, False], [0, 1, "true", None]),
    (CHOICE, ["red"], ["blue", 1]),
    (LIST, [[1], [1, 2]], [[], [1, 2, 3], [0], 1, "1", [1, "2"], [True]]),
    (ANY, [[], ["a"] * 9], ["a", [1], {}]),
]


@pytest.mark.parametrize(
    ("specification", "legal", "illegal"), ACCEPTED, ids=["int", "num", "str", "bool", "choice", "list", "any"]
)
def test_values(specification: CharacteristicSpecification, legal: list[object], illegal: list[object]) -> None:
    assert all(specification.accepts(value) for value in legal)
    assert not any(specification.accepts(value) for value in illegal)


def test_problems_say_what_is_legal() -> None:
    needed = CharacteristicSpecification(name="speed", value_type="integer", required=True, minimum=1, unit="Mbit/s")
    problems = check_values([needed], {"colour": "red"}, "item")
    assert [str(each) for each in problems] == [
        "item.colour: is no characteristic of this specification (legal: speed)",
        "item.speed: is missing (legal: integer >= 1, in Mbit/s)",
    ]


def test_problems_of_lists_name_the_element() -> None:
    many = replace(LIST, name="channels", maximum=9)
    assert [str(each) for each in check_values([many], {"channels": [1, 99]}, "item")] == [
        "item.channels[1]: 99 is not legal (legal: a list of 1 to 2 values of integer >= 1 <= 9)"
    ]
    assert [str(each) for each in check_values([many], {"channels": [1, 2, 3]}, "item")] == [
        "item.channels: has 3 values (legal: a list of 1 to 2 values of integer >= 1 <= 9)"
    ]


def test_defaults_fill_only_what_is_absent() -> None:
    specification = CharacteristicSpecification(name="n", value_type="boolean", default=True)
    assert with_defaults([specification], {}) == {"n": True}
    assert with_defaults([specification], {"n": False}) == {"n": False}
