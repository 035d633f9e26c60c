"""Settings: given before environment before default, and a wrong name is told the right ones."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from api.errors import StartRefused
from api.settings import FTTH_LAB, Settings


def test_given_wins_over_environment_over_default() -> None:
    found = Settings.read({"LASTMILE_PORT": "1", "LASTMILE_AUTH": "off", "HOME": "/x"}, port=2, data=None)
    assert (found.port, found.auth, found.data, found.lab) == (2, False, Path("lastmile-data"), FTTH_LAB)


@pytest.mark.parametrize(("lab", "meant"), [("none", None), ("x.clab.yml", Path("x.clab.yml"))])
def test_lab_is_a_file_or_none(lab: str, meant: Path | None) -> None:
    assert Settings.read({}, lab=lab).lab == meant


def test_a_shell_that_holds_a_client_token_can_start_the_server() -> None:
    assert Settings.read({"LASTMILE_TOKEN": "lm_x"}).port == 8640


def test_a_misspelt_setting_is_told_the_legal_names() -> None:
    with pytest.raises(StartRefused, match=r"LASTMILE_POTR in the environment is no setting; legal: .*LASTMILE_PORT"):
        Settings.read({"LASTMILE_POTR": "1"})


@pytest.mark.parametrize("port", ["-1", "70000", "http"])
def test_a_port_out_of_range_is_refused(port: str) -> None:
    with pytest.raises(ValidationError, match="port"):
        Settings.read({"LASTMILE_PORT": port})


def test_an_unknown_runtime_is_told_the_legal_ones() -> None:
    with pytest.raises(ValidationError, match="unknown runtime 'vmware'; legal: embedded, netns, containerlab"):
        Settings.read({}, runtime="vmware")
