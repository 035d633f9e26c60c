"""The tables of resource orders and of the tasks that cancel them."""

from sqlalchemy import MetaData

from inventory.tables import document_table

metadata = MetaData()
resource_orders = document_table(
    metadata,
    "resource_order",
    mentioned=("relatedParty.id", "relatedParty.name", "orderItem.resource.id"),
)
cancel_resource_orders = document_table(metadata, "cancel_resource_order")
