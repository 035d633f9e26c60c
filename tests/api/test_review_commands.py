"""``lastmile review`` against a running platform."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.demo import bodies
from tests.api.conftest import Platform, Start
from tests.api.test_review import PATIENCE_S, waiting

pytestmark = [pytest.mark.e2e, pytest.mark.lab]
Run = Callable[..., str]


@pytest.fixture(scope="module")
def guarded(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "policy.yaml").write_text("otherwise: oneApprover\n", encoding="utf-8")
    with start(folder / "data", review_policy=Path(folder / "policy.yaml"), auth=False) as platform:
        yield platform


@pytest.fixture
def review(guarded: Platform) -> Run:
    """Run ``lastmile review …`` and return what it printed."""

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["review", *words, "--url", guarded.url])
        assert result.exit_code == code, result.output
        return result.output

    return run


def test_list_show_and_approve(guarded: Platform, review: Run) -> None:
    order_id = guarded.client.place(bodies.add(serial_number="LMLE0000A015"))
    found = waiting(guarded.client, order_id)
    assert [each["id"] for each in json.loads(review("list", "--json"))] == [found["id"]]
    listed = review("list")
    assert "oneApprover" in listed
    assert found["id"][:8] in listed

    shown = review("show", found["id"][:8], "--edits")
    for words in ("● olt1", "● sw1", "● r1", "what undoes it", "blast radius", f"plan hash: {found['planHash']}"):
        assert words in shown
    assert review("show", found["id"], "--patch") == found["patch"]
    assert json.loads(review("show", found["id"], "--json"))["planHash"] == found["planHash"]

    assert review("approve", found["id"][:8], "-m", "seen").startswith("approved: ")
    assert guarded.client.follow(order_id, timeout_s=PATIENCE_S)["productOrder"]["state"] == "completed"
    assert "nothing waits" in review("list")
    assert "approved by anonymous" in review("show", found["id"])


def test_reject_needs_a_comment(guarded: Platform, review: Run) -> None:
    order_id = guarded.client.place(bodies.add(serial_number="LMLE0000B015"))
    found = waiting(guarded.client, order_id)
    review("reject", found["id"], code=2)
    assert review("reject", found["id"], "-m", "not tonight").startswith("rejected: ")
    assert guarded.client.follow(order_id, timeout_s=PATIENCE_S)["productOrder"]["state"] == "failed"


def test_an_id_that_nobody_has_is_said(review: Run) -> None:
    review("show", "zzz", code=1)
