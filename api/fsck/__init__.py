"""``lastmile fsck``: proves that orders, events, jobs, reservations and inventories agree, and mends what is safe."""
