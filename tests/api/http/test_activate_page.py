"""``docs/how-to/activate.md`` as it stands there: its commands, run one after the other by a shell."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.conftest import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PAGE = (Path(__file__).resolve().parents[3] / "docs/how-to/activate.md").read_text(encoding="utf-8")
STEP = re.compile(r"<!-- run: (\d+) -->\n```sh\n(.*?)\n```(?:\n\n<!-- reason: (.*?) -->)?", re.DOTALL)
AROUND = """
SERVICES=$LASTMILE_URL/tmf-api/ServiceActivationAndConfiguration/v4/service
curl() { command curl --noproxy '*' -w '\\n%{http_code}' "$@"; }
"""


def _steps() -> Iterator[tuple[str, str, str]]:
    for found in STEP.finditer(PAGE):
        yield found[1], found[2], found[3] or ""


def test_the_page_does_what_it_says(platform: Platform) -> None:
    before = platform.configurations()
    environ = {**os.environ, "LASTMILE_URL": platform.url, "LASTMILE_TOKEN": platform.system.first_token or ""}
    statuses = []
    for status, command, reason in _steps():
        ran = subprocess.run(
            ["/bin/bash", "-c", AROUND + command], check=True, capture_output=True, text=True, env=environ, timeout=60
        )
        answer, _, code = ran.stdout.rpartition("\n")
        assert code == status, f"{command}\n{answer}"
        assert reason in answer
        if reason:
            assert platform.configurations() != before
        statuses.append(code)
    assert statuses == ["201", "200", "200", "200", "200", "400", "409", "204"]
    assert platform.configurations() == before


def test_every_command_of_the_page_is_run() -> None:
    assert len(re.findall(r"```sh\n", PAGE)) == len(list(_steps()))
