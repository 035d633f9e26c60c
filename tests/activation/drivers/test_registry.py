"""Installed drivers are imported when somebody says so, or at the first session."""

import subprocess
import sys

import pytest

LOADED = """
import sys

import pytest
from activation.drivers.registry import DriverRegistry
drivers = DriverRegistry.installed()
before = "napalm" in sys.modules
drivers.load(["napalm", "nobody"])
print(before, "napalm" in sys.modules, "activation.drivers.netconf_ncclient" in sys.modules)
"""


@pytest.mark.slow
def test_drivers_are_imported_when_wanted_and_those_alone() -> None:
    said = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.split() == ["False", "True", "False"]
