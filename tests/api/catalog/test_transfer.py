"""``lastmile catalog export`` and ``import`` against a running platform, and the commands on a stored catalog."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from api.cli import app
from tests.api.conftest import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

Run = Callable[..., str]
OFFERING: dict[str, object] = {
    "id": "imported-300",
    "name": "Imported 300",
    "version": "1.0",
    "productSpecification": "broadband",
    "fixes": {"downstreamMbps": 300, "upstreamMbps": 30},
}


@pytest.fixture
def run(platform: Platform) -> Run:
    """Return what runs ``lastmile catalog …`` against the platform."""
    token = platform.client.http.headers["Authorization"].removeprefix("Bearer ")

    def ran(*words: str | Path, code: int = 0) -> str:
        where = ("--url", platform.url, "--token", token)
        answer = CliRunner().invoke(app, ["catalog", *map(str, words), *where], env={"COLUMNS": "200"})
        assert answer.exit_code == code, answer.output
        return answer.output or str(answer.exception)

    return ran


def written(folder: Path, *offerings: dict[str, object]) -> Path:
    file = folder / "more.yaml"
    file.write_text(yaml.safe_dump({"productOfferings": list(offerings)}), encoding="utf-8")
    return file


def test_out_and_in_again_changes_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    run("export", file)
    assert "0 created, 0 changed" in run("import", file)
    again = yaml.safe_load(run("export"))
    assert again == yaml.safe_load(file.read_text(encoding="utf-8"))


def test_a_new_file_is_shown_then_taken_and_explained(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, OFFERING)
    assert "+ productOffering imported-300@1.0" in run("import", file, "--dry-run")
    assert "1 created" in run("import", file)
    assert "1 unchanged" in run("import", file)
    assert "RFS gpon-access" in run("explain", "imported-300", "--stored")
    assert "0 errors" in run("lint", "--stored")


def test_what_was_offered_is_not_rewritten_and_nothing_of_a_wrong_file_is_taken(run: Run, tmp_path: Path) -> None:
    changed = {**OFFERING, "id": "fibre-100", "fixes": {"downstreamMbps": 1, "upstreamMbps": 1}}
    fresh = {**OFFERING, "id": "fresh"}
    said = run("import", written(tmp_path, fresh, changed), code=1)
    assert "productOffering fibre-100@1.0 differs from what is stored" in said
    dangling = {**OFFERING, "id": "dangling", "productSpecification": "fax"}
    assert "'fax' does not exist" in run("import", written(tmp_path, fresh, dangling), code=1)
    assert "more.yaml: productOfferings[0].price: is not known" in run(
        "import", written(tmp_path, {**fresh, "price": 1}), code=1
    )
    assert "fresh" not in run("export")
