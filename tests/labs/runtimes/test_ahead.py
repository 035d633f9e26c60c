"""The process that is started ahead of its lab: for whom, and what becomes of it when nobody needs it."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from labs.contracts import DeployOptions, LabRuntime
from labs.errors import LabStartError
from labs.runtimes.ahead import WaitingProcess, started_for
from labs.runtimes.state import LabState
from labs.topology import Topology

pytestmark = pytest.mark.lab

WORDS = {
    "deploy": ("lab deploy -t ftth", True),
    "netns": ("lab deploy --runtime netns -t ftth", True),
    "glued": ("lab deploy --runtime=netns", True),
    "help": ("lab deploy --help", False),
    "another-tool": ("lab deploy --runtime containerlab", False),
    "unknown": ("lab deploy --runtime vm", False),
    "destroy": ("lab destroy -t ftth", False),
    "not-a-lab": ("serve", False),
    "nothing": ("", False),
}


@pytest.mark.parametrize("case", WORDS)
def test_it_is_started_for_a_deploy_of_ours_alone_and_ends_unused(case: str) -> None:
    words, wanted = WORDS[case]
    process = started_for(words.split())
    assert (process is not None) == wanted
    if process is not None:
        pid = process._pid
        assert pid is not None
        process.end()
        process.end()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_lab_that_stands_needs_no_other_process(
    runtime: LabRuntime, topology: Topology, options: DeployOptions
) -> None:
    first = WaitingProcess("labs.runtimes.embedded:EmbeddedHeld")
    nodes = runtime.deploy(topology, replace(options, process=first))
    assert first._pid is None
    state = LabState.read(options.folder)
    second = WaitingProcess("labs.runtimes.embedded:EmbeddedHeld")
    try:
        assert runtime.deploy(topology, replace(options, process=second)) == nodes
        assert second._pid is not None
    finally:
        second.end()
    assert LabState.read(options.folder) == state


def test_one_that_died_is_told_and_leaves_the_folder_free(
    runtime: LabRuntime, topology: Topology, options: DeployOptions
) -> None:
    broken = WaitingProcess("labs.no_such_module:Lab")
    with pytest.raises(LabStartError, match="ended at its start"):
        runtime.deploy(topology, replace(options, process=broken))
    assert runtime.deploy(topology, options)


def test_next_to_nothing_is_imported_before_it_starts() -> None:
    program = (
        "import sys, api.main; print(sorted({'typer', 'rich', 'yaml', 'asyncio', 'subprocess'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
