"""What exists: products, services, resources, devices, pools, and the ledger that records every change."""
