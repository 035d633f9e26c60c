"""The catalog as TMF620, TMF633 and TMF634 documents."""

from pathlib import Path

import pytest

from orders.catalog.model import Catalog
from orders.catalog.wire import BASES, catalog_documents
from tests.orders.schema import faults

DEFINITIONS = {
    "catalog": ("TMF620-v4.1.0.json", "Catalog"),
    "category": ("TMF620-v4.1.0.json", "Category"),
    "productOffering": ("TMF620-v4.1.0.json", "ProductOffering"),
    "productSpecification": ("TMF620-v4.1.0.json", "ProductSpecification"),
    "serviceSpecification": ("TMF633-v4.0.0.json", "ServiceSpecification"),
    "resourceSpecification": ("TMF634-v4.1.0.json", "ResourceSpecification"),
}


@pytest.mark.shared
@pytest.mark.parametrize("kind", BASES)
def test_documents_are_of_their_official_definitions(kind: str, catalog: Catalog, shared: Path) -> None:
    documents = catalog_documents(catalog)[kind]
    assert documents
    for document in documents:
        assert faults(shared, *DEFINITIONS[kind], document) == []


def test_ids_and_hrefs(catalog: Catalog) -> None:
    documents = catalog_documents(catalog)
    assert {kind: [each["id"] for each in found] for kind, found in documents.items()} == {
        "catalog": ["lastmile"],
        "category": ["broadband"],
        "productOffering": ["fibre-10", "fibre-100", "fibre-1000", "fibre-50", "fibre-500"],
        "productSpecification": ["broadband"],
        "serviceSpecification": ["aggregation-transport", "gpon-access", "internet-access", "ip-edge"],
        "resourceSpecification": ["gpon-port", "ip-address", "vlan"],
    }
    assert documents["productOffering"][0]["href"] == "/tmf-api/productCatalogManagement/v4/productOffering/fibre-10"
    assert all(each["href"] == f"{BASES[kind]}/{each['id']}" for kind, found in documents.items() for each in found)


def test_relationships_follow_the_decomposition(catalog: Catalog) -> None:
    documents = catalog_documents(catalog)
    by_id = {each["id"]: each for found in documents.values() for each in found}
    assert by_id["fibre-100"]["productSpecification"]["id"] == "broadband"
    product = documents["productSpecification"][0]
    assert [each["id"] for each in product["serviceSpecification"]] == ["internet-access"]
    supporting = by_id["internet-access"]["serviceSpecRelationship"]
    assert [each["id"] for each in supporting] == ["gpon-access", "aggregation-transport", "ip-edge"]
    assert [each["id"] for each in by_id["gpon-access"]["resourceSpecification"]] == ["gpon-port"]


def test_characteristics_say_what_is_legal(catalog: Catalog) -> None:
    product = catalog_documents(catalog)["productSpecification"][0]
    by_name = {each["name"]: each for each in product["productSpecCharacteristic"]}
    assert by_name["ontSerialNumber"]["regex"] == "^[A-Z]{4}[0-9A-F]{8}$"
    assert by_name["ontSerialNumber"]["minCardinality"] == 1
    assert by_name["downstreamMbps"]["productSpecCharacteristicValue"] == [
        {
            "valueType": "integer",
            "unitOfMeasure": "Mbit/s",
            "valueFrom": 1,
            "valueTo": 10000,
            "rangeInterval": "closed",
        }
    ]


def test_offerings_state_what_they_fix(catalog: Catalog) -> None:
    offering = next(each for each in catalog_documents(catalog)["productOffering"] if each["id"] == "fibre-500")
    fixed = {
        each["name"]: each["productSpecCharacteristicValue"][0]["value"] for each in offering["prodSpecCharValueUse"]
    }
    assert fixed == {"downstreamMbps": 500, "upstreamMbps": 250}
