"""The tables of service orders and of the tasks that cancel them."""

from sqlalchemy import MetaData

from inventory.tables import document_table

metadata = MetaData()
service_orders = document_table(
    metadata,
    "service_order",
    mentioned=("relatedParty.id", "relatedParty.name", "serviceOrderItem.service.id"),
)
cancel_service_orders = document_table(metadata, "cancel_service_order")
