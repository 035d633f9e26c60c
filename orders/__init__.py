"""What was ordered: the catalog and the product, service and resource order layers."""
