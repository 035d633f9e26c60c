"""The tables of product orders and of the tasks that cancel them."""

from sqlalchemy import MetaData

from inventory.tables import document_table

metadata = MetaData()
product_orders = document_table(
    metadata,
    "product_order",
    mentioned=(
        "relatedParty.id",
        "relatedParty.name",
        "productOrderItem.product.id",
        "productOrderItem.product.place.id",
    ),
)
cancel_product_orders = document_table(metadata, "cancel_product_order")
