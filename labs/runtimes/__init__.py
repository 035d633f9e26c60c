"""The runtimes that bring a topology to life."""
