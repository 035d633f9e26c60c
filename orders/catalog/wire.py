"""The catalog as TMF620, TMF633 and TMF634 documents."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from inventory.documents import Document
from orders.catalog.characteristics import CharacteristicSpecification, Value
from orders.catalog.model import (
    BundlePart,
    Catalog,
    CustomerService,
    Entry,
    Offering,
    ProductSpecification,
    Ref,
    ResourceService,
    ResourceSpecification,
)
from orders.catalog.shelf import Shelf
from orders.catalog.spellings import LISTS, OWN, with_own

CATALOG_ID: Final = "lastmile"
BASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "catalog": "/tmf-api/productCatalogManagement/v4/catalog",
        "category": "/tmf-api/productCatalogManagement/v4/category",
        "productOffering": "/tmf-api/productCatalogManagement/v4/productOffering",
        "productSpecification": "/tmf-api/productCatalogManagement/v4/productSpecification",
        "serviceSpecification": "/tmf-api/serviceCatalogManagement/v4/serviceSpecification",
        "resourceSpecification": "/tmf-api/resourceCatalog/v4/resourceSpecification",
    }
)
"""The collection of each kind of catalog document."""
HEAD: Final = frozenset({"id", "name", "version", "description", "lifecycleStatus", "validFor", "characteristics"})
"""What a catalog file says of an entry that TM Forum has words for."""
_THEIRS: Final = frozenset({"category", "isSellable", "@baseType", "@schemaLocation"})
"""What a client may say otherwise than the platform would."""


def catalog_documents(catalog: Catalog) -> Mapping[str, tuple[Document, ...]]:
    """Return every catalog document by TMF kind (the keys of :data:`BASES`), sorted by id, old versions first."""
    services = (*catalog.customer_services.every(), *catalog.resource_services.every())
    products = catalog.product_specifications
    return {
        "catalog": (_catalog(),),
        "category": _each(products.values(), lambda entry: _category(catalog, entry)),
        "productOffering": _each(catalog.offerings.every(), lambda entry: document_of(catalog, entry)),
        "productSpecification": _each(products.every(), lambda entry: document_of(catalog, entry)),
        "serviceSpecification": _each(services, lambda entry: document_of(catalog, entry)),
        "resourceSpecification": _each(
            catalog.resource_specifications.every(), lambda entry: document_of(catalog, entry)
        ),
    }


def document_of(catalog: Catalog, entry: Entry) -> Document:
    """Return the TMF document of one version of an entry, with what its client said beside it."""
    match entry:
        case Offering():
            return _complete(catalog, "productOffering", entry, _offering(catalog, entry))
        case ProductSpecification():
            return _complete(catalog, "productSpecification", entry, _product_specification(catalog, entry))
        case CustomerService() | ResourceService():
            return _complete(catalog, "serviceSpecification", entry, _service_specification(catalog, entry))
        case ResourceSpecification():
            return _complete(catalog, "resourceSpecification", entry, _resource_specification(entry))
    raise TypeError(f"{type(entry).__name__} is no catalog entry")


def find_entry(catalog: Catalog, kind: str, key: str, version: str = "") -> Entry | None:
    """Return that version of an entry; without one the offered, else the latest; None: there is none."""
    found = (shelf.named(key, version) for shelf in _shelves(catalog)[kind])
    return next((each for each in found if each is not None), None)


def reference(kind: str, entry: Entry) -> dict[str, Any]:
    """Return the TMF reference to a catalog entry, e.g. a ``ServiceSpecificationRef``."""
    type_name = kind[0].upper() + kind[1:]
    return {
        "id": entry.id,
        "href": f"{BASES[kind]}/{entry.id}",
        "name": entry.name,
        "version": entry.version,
        "@type": f"{type_name}Ref",
        "@referredType": type_name,
    }


def _each(entries: Iterable[Any], build: Callable[[Any], Document]) -> tuple[Document, ...]:
    return tuple(build(entry) for entry in sorted(entries, key=lambda entry: str(entry.id)))


def _head(kind: str, key: str, name: str, version: str = "1.0") -> dict[str, Any]:
    return {
        "id": key,
        "href": f"{BASES[kind]}/{key}",
        "name": name,
        "version": version,
        "lifecycleStatus": "Active",
        "@type": kind[0].upper() + kind[1:],
    }


def _entry(kind: str, entry: Entry) -> dict[str, Any]:
    days = {"startDateTime": entry.valid_from, "endDateTime": entry.valid_to}
    valid_for = {key: moment.isoformat() for key, moment in days.items() if moment is not None}
    return {
        **_head(kind, entry.id, entry.name, entry.version),
        "description": entry.description,
        "lifecycleStatus": status_on_wire(entry.lifecycle_status),
        **({"validFor": valid_for} if valid_for else {}),
    }


def status_on_wire(status: str) -> str:
    """Return a life-cycle state as TM Forum writes it: ``In study``, ``Active``."""
    return {"inStudy": "In study", "inDesign": "In design", "inTest": "In test"}.get(status, status.capitalize())


def _category_reference(catalog: Catalog, offering: Offering) -> dict[str, Any]:
    specification = catalog.specification_of(offering)
    return {**reference("category", specification), "@type": "CategoryRef", "@referredType": "Category"}


def _catalog() -> Document:
    return {**_head("catalog", CATALOG_ID, "Product catalog"), "catalogType": "Product"}


def _category(catalog: Catalog, specification: ProductSpecification) -> Document:
    """Return the category of a product specification: what its offerings have in common."""
    offerings = [each for each in catalog.offerings.values() if each.specification.id == specification.id]
    return {
        **_entry("category", specification),
        "isRoot": True,
        "productOffering": [reference("productOffering", each) for each in offerings],
    }


def _offering(catalog: Catalog, offering: Offering) -> Document:
    specification = catalog.specification_of(offering)
    fixed = [each for each in specification.characteristics if each.name in offering.fixed]
    return {
        **_entry("productOffering", offering),
        "isBundle": bool(offering.bundles),
        "isSellable": True,
        "category": [_category_reference(catalog, offering)],
        "productSpecification": reference("productSpecification", specification),
        "prodSpecCharValueUse": [
            {
                "name": each.name,
                "valueType": each.value_type,
                "minCardinality": 1,
                "maxCardinality": 1,
                "productSpecCharacteristicValue": [_value(each, offering.fixed[each.name], is_default=True)],
                "productSpecification": reference("productSpecification", specification),
            }
            for each in fixed
        ],
        **_bundled(catalog, offering),
    }


def _bundled(catalog: Catalog, offering: Offering) -> dict[str, Any]:
    if not offering.bundles:
        return {}
    return {"bundledProductOffering": [_bundled_offering(catalog, part) for part in offering.bundles]}


def _bundled_offering(catalog: Catalog, part: BundlePart) -> dict[str, Any]:
    entry = catalog.offering(Ref(id=part.offering))
    referred = reference("productOffering", entry)
    return {
        **{key: referred[key] for key in ("id", "href", "name")},
        "lifecycleStatus": status_on_wire(entry.lifecycle_status),
        "bundledProductOfferingOption": {
            "numberRelOfferLowerLimit": part.lower,
            "numberRelOfferUpperLimit": part.upper,
            "numberRelOfferDefault": part.default,
            "@type": "BundledProductOfferingOption",
        },
        "@type": "BundledProductOffering",
    }


def _product_specification(catalog: Catalog, specification: ProductSpecification) -> Document:
    use = specification.realized_by
    services = [catalog.customer_service(use.specification)] if use is not None else []
    return {
        **_entry("productSpecification", specification),
        "isBundle": use is None,
        "productSpecCharacteristic": _characteristics(
            specification.characteristics, "ProductSpecificationCharacteristic", "productSpecCharacteristicValue"
        ),
        "serviceSpecification": [reference("serviceSpecification", each) for each in services],
    }


def _service_specification(catalog: Catalog, specification: CustomerService | ResourceService) -> Document:
    head = {
        **_entry("serviceSpecification", specification),
        "isBundle": isinstance(specification, CustomerService),
        "specCharacteristic": _characteristics(
            specification.characteristics, "CharacteristicSpecification", "characteristicValueSpecification"
        ),
    }
    if isinstance(specification, CustomerService):
        relationships = [_relationship(_service(catalog, use.specification)) for use in specification.supported_by]
        return {**head, "@type": "CustomerFacingServiceSpecification", "serviceSpecRelationship": relationships}
    required = (catalog.resource(each.specification) for each in specification.requires)
    resources = [reference("resourceSpecification", each) for each in required]
    return {**head, "@type": "ResourceFacingServiceSpecification", "resourceSpecification": resources}


def _service(catalog: Catalog, ref: Ref) -> Entry:
    return catalog.customer_services.named(ref.id, ref.version) or catalog.resource_service(ref)


def _relationship(entry: Entry) -> dict[str, Any]:
    referred = reference("serviceSpecification", entry)
    kept = {key: referred[key] for key in ("id", "href", "name", "version")}
    return {**kept, "relationshipType": "reliesOn", "@type": "ServiceSpecRelationship"}


def _resource_specification(specification: ResourceSpecification) -> Document:
    return {
        **_entry("resourceSpecification", specification),
        "@type": "LogicalResourceSpecification",
        "category": specification.allocation,
        "isBundle": False,
        "resourceSpecCharacteristic": _characteristics(
            specification.characteristics, "ResourceSpecificationCharacteristic", "resourceSpecCharacteristicValue"
        ),
    }


def _characteristics(
    specifications: Iterable[CharacteristicSpecification], type_name: str, values_key: str
) -> list[dict[str, Any]]:
    return [_characteristic(each, type_name, values_key) for each in specifications]


def _characteristic(specification: CharacteristicSpecification, type_name: str, values_key: str) -> dict[str, Any]:
    optional = {"regex": specification.pattern, "description": specification.description}
    return {
        "name": specification.name,
        "valueType": specification.value_type,
        "configurable": True,
        "extensible": not specification.allowed,
        "minCardinality": max(int(specification.required), specification.min_values if specification.required else 0),
        **({} if specification.max_values is None else {"maxCardinality": specification.max_values}),
        **{key: value for key, value in optional.items() if value},
        values_key: _values(specification),
        "@type": type_name,
    }


def _values(specification: CharacteristicSpecification) -> list[dict[str, Any]]:
    default = specification.default
    defaults = default if isinstance(default, tuple) else () if default is None else (default,)
    if specification.allowed:
        return [_value(specification, each, is_default=each in defaults) for each in specification.allowed]
    # valueFrom and valueTo are integers in the official definition; other bounds cannot be said there.
    bounds = {"valueFrom": specification.minimum, "valueTo": specification.maximum}
    stated = {key: int(value) for key, value in bounds.items() if value is not None and float(value).is_integer()}
    given = [_value(specification, each, is_default=True) for each in defaults]
    return [*given, *([{**_unit(specification), **stated, "rangeInterval": "closed"}] if stated else [])]


def _value(
    specification: CharacteristicSpecification, value: Value | list[Value], *, is_default: bool
) -> dict[str, Any]:
    return {**_unit(specification), "value": value, "isDefault": is_default}


def _unit(specification: CharacteristicSpecification) -> dict[str, Any]:
    unit = {"unitOfMeasure": specification.unit} if specification.unit else {}
    return {"valueType": specification.value_type, **unit}


def offered_version(catalog: Catalog, kind: str, key: str) -> str | None:
    """Return the version of an entry that an id alone means: the offered one, else the latest; None: no such id."""
    if kind == "catalog":
        return "1.0"
    found = find_entry(catalog, kind, key)
    return found.version if found is not None else None


def _shelves(catalog: Catalog) -> Mapping[str, tuple[Shelf[Entry], ...]]:
    return {
        "category": (catalog.product_specifications,),
        "productOffering": (catalog.offerings,),
        "productSpecification": (catalog.product_specifications,),
        "serviceSpecification": (catalog.customer_services, catalog.resource_services),
        "resourceSpecification": (catalog.resource_specifications,),
    }


def _complete(catalog: Catalog, kind: str, entry: Entry, document: Document) -> Document:
    """Return the document with what TM Forum has no word for, and with what the platform does not use but keeps."""
    key = (kind, entry.id, entry.version)
    declared, extra = catalog.declared.get(key, {}), catalog.extras.get(key, {})
    own = {name: value for name, value in declared.items() if name not in HEAD}
    found = {**extra, **document, **{name: extra[name] for name in _THEIRS & extra.keys()}}
    if kind in LISTS:
        name, values_key = LISTS[kind]
        characteristics = {each["name"]: each for each in declared.get("characteristics", ())}
        said = {each.get("name"): each for each in extra.get(name) or ()}
        found[name] = [
            {
                **said.get(each["name"], {}),
                **(
                    with_own(each, values_key, characteristics[each["name"]])
                    if each["name"] in characteristics
                    else each
                ),
            }
            for each in document[name]
        ]
    return {**found, OWN: own} if own else found
