"""Corruptions made by SQL on a database that a platform produced: each is found, and mended where that is safe."""

import json
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.fsck.check import check
from tests.api.conftest import Start
from tests.api.fsck.produced import Produced, read_corruptions

pytestmark = [pytest.mark.lab]

CASES: Final = read_corruptions()


def _rules(produced: Produced) -> set[str]:
    with produced.vault().read() as connection:
        return {f"{finding.rule}/{finding.kind}" for finding in check(connection)}


def test_what_a_platform_produced_agrees(produced: Produced) -> None:
    with produced.vault().read() as connection:
        assert check(connection) == []


@pytest.mark.parametrize("name", CASES)
def test_each_corruption_is_found_and_mended_where_that_is_safe(name: str, produced: Produced, tmp_path: Path) -> None:
    case = CASES[name]
    copy = produced.copy(tmp_path / "copy")
    copy.spoil(case.sql)
    assert _rules(copy) == case.finds
    answer = CliRunner().invoke(app, ["fsck", "--repair", "--json", *copy.options()])
    left = json.loads(answer.stdout)
    assert answer.exit_code == (0 if case.mended else 1)
    assert left["clean"] is case.mended
    assert bool(left["repaired"]) or not case.mended
    assert all(not finding["repairs"] for finding in left["findings"])


LOST_JOBS: Final = (
    "the job that starts an order is lost",
    "the job of an activation is lost",
    "the reports of resource orders are lost",
)


@pytest.mark.parametrize("name", LOST_JOBS)
def test_an_order_whose_job_was_lost_ends_well_after_the_repair(
    name: str, produced: Produced, tmp_path: Path, start: Start
) -> None:
    copy = produced.copy(tmp_path / "copy")
    copy.spoil(CASES[name].sql)
    assert CliRunner().invoke(app, ["fsck", "--repair", *copy.options()]).exit_code == 0
    given = {"database": copy.url} if copy.url else {}
    with start(copy.folder, auth=False, **given) as platform:
        orders = platform.client.get("/tmf-api/productOrderingManagement/v4/productOrder")
        ended = [platform.client.follow(order["id"], timeout_s=30.0)["productOrder"]["state"] for order in orders]
    assert sorted(ended) == ["completed"] * 7 + ["failed"]
    with copy.vault().read() as connection:
        assert check(connection) == []


def test_people_get_a_table_and_the_exit_code(produced: Produced, tmp_path: Path) -> None:
    clean = CliRunner().invoke(app, ["fsck", *produced.options()])
    assert (clean.exit_code, "agree" in clean.stdout) == (0, True)
    copy = produced.copy(tmp_path / "copy")
    copy.spoil(CASES["a pool has lost its free values"].sql)
    found = CliRunner().invoke(app, ["fsck", *copy.options()])
    assert (found.exit_code, "pool-spans" in found.stdout) == (1, True)


def test_repair_keeps_off_a_platform_that_runs(produced: Produced, tmp_path: Path, start: Start) -> None:
    copy = produced.copy(tmp_path / "copy")
    given = {"database": copy.url} if copy.url else {}
    with start(copy.folder, auth=False, lab="none", kinds="hub", **given):
        assert CliRunner().invoke(app, ["fsck", *copy.options()]).exit_code == 0
        refused = CliRunner().invoke(app, ["fsck", "--repair", *copy.options()])
    assert refused.exit_code == 1
    assert "in use" in str(refused.exception)
