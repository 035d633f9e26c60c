"""Device drivers: one small Protocol, one module per way of talking to a device."""
