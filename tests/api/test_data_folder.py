"""One process per data folder."""

import os
from pathlib import Path

import pytest

from api.data_folder import held
from api.errors import StartRefused


def test_the_second_holder_is_told_who_holds_it(tmp_path: Path) -> None:
    with (
        held(tmp_path / "data"),
        pytest.raises(StartRefused, match=f"in use by process {os.getpid()}"),
        held(tmp_path / "data"),
    ):
        pass


def test_a_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with held(tmp_path / "data") as folder:
            assert folder.is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartRefused, match="file/data"), held(tmp_path / "file" / "data"):
        pass
