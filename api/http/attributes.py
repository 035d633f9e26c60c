"""Which attributes the resources of each collection have: a filter on any other is a slip of the pen.

The names are those of the official TM Forum v4 files; every resource may carry more, of which these are known.
"""

from collections.abc import Mapping
from typing import Final

ALWAYS: Final = frozenset({"@baseType", "@schemaLocation", "@type", "correlationId", "externalId", "href", "id"})
"""What may stand in every resource."""

_NAMES: Final[Mapping[str, str]] = {
    "/lastmile/v1/review": """
        action author because decision devices monitor note planHash planId requestedAt requirement risk rule service
        state
    """,
    "/tmf-api/productCatalogManagement/v4/catalog": """
        catalogType category description lastUpdate lifecycleStatus name relatedParty validFor version
    """,
    "/tmf-api/productCatalogManagement/v4/category": """
        description isRoot lastUpdate lifecycleStatus name parentId productOffering subCategory validFor version
    """,
    "/tmf-api/productCatalogManagement/v4/productOffering": """
        agreement attachment bundledProductOffering category channel description isBundle isSellable lastUpdate
        lifecycleStatus marketSegment name place prodSpecCharValueUse productOfferingPrice
        productOfferingRelationship productOfferingTerm productSpecification resourceCandidate serviceCandidate
        serviceLevelAgreement statusReason validFor version
    """,
    "/tmf-api/productCatalogManagement/v4/productSpecification": """
        attachment brand bundledProductSpecification description isBundle lastUpdate lifecycleStatus name
        productNumber productSpecCharacteristic productSpecificationRelationship relatedParty
        resourceSpecification serviceSpecification targetProductSchema validFor version
    """,
    "/tmf-api/productOrderingManagement/v4/productOrder": """
        agreement billingAccount cancellationDate cancellationReason category channel completionDate description
        expectedCompletionDate note notificationContact orderDate orderTotalPrice payment priority
        productOfferingQualification productOrderItem quote relatedParty requestedCompletionDate
        requestedStartDate state
    """,
    "/tmf-api/productOrderingManagement/v4/cancelProductOrder": """
        cancellationReason completionMessage effectiveCancellationDate errorMessage productOrder
        requestedCancellationDate state
    """,
    "/tmf-api/serviceOrdering/v4/cancelServiceOrder": """
        cancellationReason completionMessage effectiveCancellationDate errorMessage requestedCancellationDate
        serviceOrder state
    """,
    "/tmf-api/resourceOrderingManagement/v4/cancelResourceOrder": """
        cancellationReason completionMessage effectiveCancellationDate errorMessage requestedCancellationDate
        resourceOrder state
    """,
    "/tmf-api/serviceCatalogManagement/v4/serviceSpecification": """
        attachment constraint description entitySpecRelationship featureSpecification isBundle lastUpdate
        lifecycleStatus name relatedParty resourceSpecification serviceLevelSpecification
        serviceSpecRelationship specCharacteristic targetEntitySchema validFor version
    """,
    "/tmf-api/resourceCatalog/v4/resourceSpecification": """
        attachment category description featureSpecification isBundle lastUpdate lifecycleStatus name
        relatedParty resourceSpecCharacteristic resourceSpecRelationship targetResourceSchema validFor version
    """,
    "/tmf-api/productInventory/v4/product": """
        agreement billingAccount description isBundle isCustomerVisible name orderDate place product
        productCharacteristic productOffering productOrderItem productPrice productRelationship
        productSerialNumber productSpecification productTerm realizingResource realizingService relatedParty
        startDate status terminationDate
    """,
    "/tmf-api/serviceInventory/v4/service": """
        category description endDate feature hasStarted isBundle isServiceEnabled isStateful name note place
        relatedEntity relatedParty serviceCharacteristic serviceDate serviceOrderItem serviceRelationship
        serviceSpecification serviceType startDate startMode state supportingResource supportingService
    """,
    "/tmf-api/resourceInventoryManagement/v4/resource": """
        administrativeState attachment category description endOperatingDate name note operationalState place
        relatedParty resourceCharacteristic resourceRelationship resourceSpecification resourceStatus
        resourceVersion startOperatingDate usageState
    """,
    "/tmf-api/ServiceActivationAndConfiguration/v4/service": """
        category description endDate feature hasStarted isBundle isServiceEnabled isStateful name note place
        relatedEntity relatedParty serviceCharacteristic serviceDate serviceOrderItem serviceRelationship
        serviceSpecification serviceType startDate startMode state supportingResource supportingService
    """,
    "/tmf-api/ServiceActivationAndConfiguration/v4/monitor": """
        errorMessage plan request response review sourceHref state
    """,
    "/tmf-api/serviceOrdering/v4/serviceOrder": """
        cancellationDate cancellationReason category completionDate description errorMessage
        expectedCompletionDate externalReference jeopardyAlert milestone note notificationContact orderDate
        orderRelationship priority relatedParty requestedCompletionDate requestedStartDate serviceOrderItem
        startDate state
    """,
    "/tmf-api/resourceOrderingManagement/v4/resourceOrder": """
        category completionDate description expectedCompletionDate externalReference name note orderDate
        orderItem orderType priority relatedParty requestedCompletionDate requestedStartDate startDate state
    """,
}

ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    path: ALWAYS | frozenset(names.split()) for path, names in _NAMES.items()
}
"""The attributes of a resource by its collection's path."""
