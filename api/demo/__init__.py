"""The demo: one customer, ordered, upgraded and ceased, with everything that can be shown shown."""
