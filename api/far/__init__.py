"""Layers in other processes: what is asked of them and what they report, over the TMF APIs and their hubs alone."""
