"""Deploys one embedded lab: a process for tests to kill."""

import sys
from pathlib import Path

from labs.contracts import DeployOptions
from labs.runtimes.registry import runtime_named
from labs.topology import load_topology

if __name__ == "__main__":
    topology, folder = map(Path, sys.argv[1:])
    options = DeployOptions(folder=folder, ssh_port=0, netconf_port=0)
    runtime_named("embedded").deploy(load_topology(topology, {}), options)
