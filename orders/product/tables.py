"""The product order table."""

from sqlalchemy import MetaData

from inventory.tables import document_table

metadata = MetaData()
product_orders = document_table(metadata, "product_order")
