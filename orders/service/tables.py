"""The service order table."""

from sqlalchemy import MetaData

from inventory.tables import document_table

metadata = MetaData()
service_orders = document_table(metadata, "service_order")
