"""The demo on four processes ends well, and ends everything."""

import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.lab]


def test_the_split_demo_ends_well_and_leaves_no_process() -> None:
    around = {name: value for name, value in os.environ.items() if not name.startswith("LASTMILE_")}
    told = subprocess.run(
        [sys.executable, "-c", "from api.main import main; main()", "demo", "--split"],
        check=False,
        capture_output=True,
        text=True,
        env={**around, "COLUMNS": "200"},
        timeout=100,
    )
    assert told.returncode == 0, told.stdout[-2000:] + told.stderr[-2000:]
    assert "everything is as it should be" in told.stdout
    assert "four processes: " in told.stdout
