"""The HTTP face: TMF Open APIs and the platform's own small extensions."""
