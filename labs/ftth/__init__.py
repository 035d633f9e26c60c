"""The ftth lab: topology, start configurations and network data, shipped with the package."""
