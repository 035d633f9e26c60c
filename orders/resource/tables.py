"""The resource order table."""

from sqlalchemy import MetaData

from inventory.tables import document_table

metadata = MetaData()
resource_orders = document_table(metadata, "resource_order")
