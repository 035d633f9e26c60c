"""Decomposition: parts, resources and values, by tables."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orders.catalog.load import load_catalog
from orders.catalog.model import Catalog
from orders.errors import MappingError
from orders.service.decompose import Need, needs, part_values, pinned
from orders.service.migration import matched
from orders.service.model import Composition, Part, Reserved
from tests.orders.catalog.test_load import SHIPPED, write

PLACE = {"id": "ADDR-1015", "name": None, "role": "installationAddress"}
PON = {
    "olt": "olt1",
    "ponPort": "pon1",
    "channelPartition": "cpart1",
    "channelPair": "cpair1",
    "onuId": 7,
    "uplinkInterface": "uplink1",
}
VLAN = {"vlanId": 1050, "switch": "sw1", "accessInterface": "Ethernet1", "uplinkInterface": "Ethernet2"}
ADDRESS = {
    "address": "10.42.1.23",
    "prefixLength": 24,
    "gateway": "10.42.1.1",
    "router": "r1",
    "routerInterface": "eth1",
}
PARTS = (
    Part(service_id="rfs-1", specification_id="gpon-access", requires=("gpon-port",)),
    Part(service_id="rfs-2", specification_id="aggregation-transport", requires=("vlan",)),
    Part(service_id="rfs-3", specification_id="ip-edge", requires=("ip-address",)),
)


def reserved(specification_id: str, part: str, characteristics: dict[str, Any]) -> Reserved:
    return Reserved(
        id=f"res-{part}", name=part, specification_id=specification_id, part=part, characteristics=characteristics
    )


RESOURCES = (
    reserved("gpon-port", "rfs-1", PON),
    reserved("vlan", "rfs-2", VLAN),
    reserved("ip-address", "rfs-3", ADDRESS),
)


def composition(downstream_mbps: int = 100, upstream_mbps: int = 50) -> Composition:
    values = {"downstreamMbps": downstream_mbps, "upstreamMbps": upstream_mbps, "ontSerialNumber": "ALCL0000A1B2"}
    return Composition(specification_id="internet-access", place=PLACE, values=values, parts=PARTS, resources=RESOURCES)


def test_internet_access_needs_three_services_with_a_resource_each(catalog: Catalog) -> None:
    assert needs(catalog, composition()) == (
        Need(specification_id="gpon-access", version="1.0", requires=("gpon-port",)),
        Need(specification_id="aggregation-transport", version="1.0", requires=("vlan",)),
        Need(specification_id="ip-edge", version="1.0", requires=("ip-address",)),
    )


SPEEDS = [
    ((100, 50), {"upstreamBps": 50_000_000, "assuredBps": 25_000_000, "downstreamMbps": 100, "burstKbytes": 125}),
    ((500, 250), {"upstreamBps": 250_000_000, "assuredBps": 125_000_000, "downstreamMbps": 500, "burstKbytes": 625}),
    ((1000, 500), {"upstreamBps": 500_000_000, "assuredBps": 250_000_000, "downstreamMbps": 1000, "burstKbytes": 1250}),
    ((1, 1), {"upstreamBps": 1_000_000, "assuredBps": 500_000, "downstreamMbps": 1, "burstKbytes": 1}),
]


@pytest.mark.parametrize(("speeds", "expected"), SPEEDS)
def test_values_of_every_part(catalog: Catalog, speeds: tuple[int, int], expected: dict[str, int]) -> None:
    assert part_values(catalog, composition(*speeds)) == {
        "rfs-1": {
            "olt": "olt1",
            "channelPartition": "cpart1",
            "channelPair": "cpair1",
            "onuId": 7,
            "uplinkInterface": "uplink1",
            "ontSerialNumber": "ALCL0000A1B2",
            "vlanId": 1050,
            "upstreamBps": expected["upstreamBps"],
            "assuredBps": expected["assuredBps"],
            "subscriber": "1050",
        },
        "rfs-2": {**VLAN, "downstreamMbps": expected["downstreamMbps"], "burstKbytes": expected["burstKbytes"]},
        "rfs-3": {
            "router": "r1",
            "routerInterface": "eth1",
            "vlanId": 1050,
            "address": "10.42.1.23",
            "gateway": "10.42.1.1",
        },
    }


def test_a_missing_resource_is_named(catalog: Catalog) -> None:
    with pytest.raises(MappingError, match="ip_address") as caught:
        part_values(catalog, replace(composition(), resources=RESOURCES[:2]))
    assert caught.value.path.startswith("services.yaml: customerFacingServices[0].supportedBy[2].characteristics.")


def test_a_reserved_value_the_service_cannot_take_is_named(catalog: Catalog) -> None:
    odd = replace(RESOURCES[1], characteristics={**VLAN, "vlanId": 5000})
    with pytest.raises(MappingError, match=r"gpon-access\.vlanId: .*5000 is not legal"):
        part_values(catalog, replace(composition(), resources=(RESOURCES[0], odd, RESOURCES[2])))


def test_a_catalog_that_now_composes_otherwise_is_noticed(catalog: Catalog) -> None:
    with pytest.raises(MappingError, match="the catalog now says gpon-access, aggregation-transport, ip-edge"):
        part_values(catalog, replace(composition(), parts=PARTS[:2]))


NESTING: dict[str, Any] = {
    "customerFacingServices": [
        {
            "id": "home",
            "name": "Home",
            "version": "1.0",
            "characteristics": [
                {"name": "tier", "valueType": "integer", "required": True},
                {"name": "ont", "valueType": "string", "required": True},
            ],
            "supportedBy": [
                {
                    "specification": "internet-access",
                    "characteristics": {
                        "downstreamMbps": "service.tier * 100",
                        "upstreamMbps": "service.tier * 50",
                        "ontSerialNumber": "service.ont",
                    },
                },
                {"specification": "public-host", "characteristics": {"host": "resource.dmz.address"}},
            ],
        }
    ],
    "resourceFacingServices": [
        {
            "id": "public-host",
            "name": "Public host",
            "version": "1.0",
            "characteristics": [{"name": "host", "valueType": "string", "required": True}],
            "requires": [{"specification": "dmz", "when": "service.tier > 1"}],
        }
    ],
    "resourceSpecifications": [
        {
            "id": "dmz",
            "name": "DMZ",
            "version": "1.0",
            "allocation": "address",
            "pool": "dmz",
            "characteristics": [{"name": "address", "valueType": "string"}],
        }
    ],
}


@pytest.fixture
def nested(tmp_path: Path) -> Catalog:
    """Return a catalog with a service made of a service, and a resource needed on a condition."""
    return load_catalog(write(tmp_path, {**SHIPPED, "home.yaml": NESTING}))


def home(tier: int) -> Composition:
    return Composition(specification_id="home", place=PLACE, values={"tier": tier, "ont": "ALCL0000A1B2"})


@pytest.mark.parametrize(("tier", "required"), [(1, ()), (2, ("dmz",))])
def test_a_service_made_of_services_is_taken_apart(nested: Catalog, tier: int, required: tuple[str, ...]) -> None:
    found = [(need.specification_id, need.requires) for need in needs(nested, home(tier))]
    assert found == [
        ("gpon-access", ("gpon-port",)),
        ("aggregation-transport", ("vlan",)),
        ("ip-edge", ("ip-address",)),
        ("public-host", required),
    ]


def test_values_pass_through_the_inner_service(nested: Catalog) -> None:
    public = Part(service_id="rfs-4", specification_id="public-host", requires=("dmz",))
    resources = (*RESOURCES, reserved("dmz", "rfs-4", {"address": "10.9.9.9"}))
    values = part_values(nested, replace(home(3), parts=(*PARTS, public), resources=resources))
    assert (values["rfs-1"]["upstreamBps"], values["rfs-2"]["downstreamMbps"]) == (150_000_000, 300)
    assert values["rfs-4"] == {"host": "10.9.9.9"}


def test_a_change_of_needed_resources_is_noticed(nested: Catalog) -> None:
    parts = tuple(
        Part(service_id=str(number), specification_id=need.specification_id, requires=need.requires)
        for number, need in enumerate(needs(nested, home(1)))
    )
    assert [each.service_id for each in matched(parts, needs(nested, home(1)), ["new"])] == [
        each.service_id for each in parts
    ]
    assert "new" in [each.service_id for each in matched(parts, needs(nested, home(2)), ["new"])]


def test_a_service_in_flight_keeps_the_version_of_the_inner_service(tmp_path: Path) -> None:
    inner = deepcopy(next(each for each in SHIPPED["services.yaml"]["customerFacingServices"]))
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
    first = load_catalog(write(tmp_path / "first", {**SHIPPED, "home.yaml": NESTING}))
    begun = pinned(first, home(1))
    assert begun.nested == {"internet-access": "1.0"}
    newer = {"customerFacingServices": [{**inner, "version": "2.0", "supportedBy": inner["supportedBy"][:2]}]}
    second = load_catalog(write(tmp_path / "second", {**SHIPPED, "home.yaml": NESTING, "newer.yaml": newer}))
    assert needs(second, begun) == needs(first, begun)
    assert len(needs(second, home(1))) == len(needs(first, begun)) - 1
