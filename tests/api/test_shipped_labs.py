"""Orders on the labs that come with lastmile."""

from pathlib import Path
from typing import Any

import pytest

from api.demo import bodies, pictures
from labs.access_500 import FOLDER, files
from tests.api.conftest import Platform, Start

PATIENCE_S = 60.0


def test_the_files_of_access_500_are_current() -> None:
    assert {name: (FOLDER / name).read_text(encoding="utf-8") for name in files()} == files(), (
        "run: python -m labs.access_500"
    )


@pytest.mark.e2e
@pytest.mark.lab
def test_orders_find_their_devices_among_500_olts(start: Start, tmp_path: Path) -> None:
    with start(tmp_path, lab="access-500") as platform:
        assert len(platform.system.nodes) == 512
        before = platform.configurations()
        first, last = (_ordered(platform, place) for place in ("ACC-0001", "ACC-1000"))
        assert _changed(first) == ["olt001", "r1", "sw01"]
        assert _changed(last) == ["olt500", "r2", "sw10"]
        for tree in (first, last):
            product = str(tree["productOrder"]["productOrderItem"][0]["product"]["id"])
            _follow(platform, bodies.cease(product))
        assert platform.configurations() == before


def _ordered(platform: Platform, place: str) -> dict[str, Any]:
    return _follow(platform, bodies.add(place_id=place, serial_number=f"LMLE{int(place[-4:]):08X}"))


def _follow(platform: Platform, body: dict[str, Any]) -> dict[str, Any]:
    tree = platform.client.follow(platform.client.place(body), timeout_s=PATIENCE_S)
    assert tree["productOrder"]["state"] == "completed", pictures.reasons(tree)
    return tree


def _changed(tree: dict[str, Any]) -> list[str]:
    return sorted(device["device"] for device in pictures.plan_devices(tree) if device["diff"])
