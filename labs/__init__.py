"""Virtual labs: containerlab topologies and the emulated devices that run them."""
