"""Measures the platform: ``make bench``."""
