"""The process killed around every call of every driver: whoever comes next finishes the work or takes it back.

A commit whose answer is lost although the process lives on: :mod:`tests.trouble`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.crash.calls import deaths
from tests.crash.customers import Crowd
from tests.crash.life import Fate
from tests.crash.site import Site, Tally, built_site
from tests.crash.steps import pushing

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.lab, pytest.mark.timeout(600)]

CUSTOMERS = 1
DRIVERS: Final = {"netconf-fast": "olt1", "netconf": "olt1", "napalm": "sw1", "netmiko": "r1"}
"""Every installed driver, with the device that it speaks to here."""


@pytest.mark.parametrize("driver", DRIVERS)
def test_killed_around_every_call_of_a_driver(driver: str, tmp_path: Path, tally: Tally) -> None:
    device = DRIVERS[driver]
    with built_site(tmp_path / "data", tally, drivers={device: driver}) as site:
        crowd = Crowd.of(CUSTOMERS, site.address)
        for row in deaths(device):
            _die_and_go_on(site, crowd, row)
        site.serve()
        site.assert_all_well(crowd)


def test_killed_at_every_step_of_a_push_over_the_other_netconf_driver(tmp_path: Path, tally: Tally) -> None:
    with built_site(tmp_path / "data", tally, drivers={"olt1": "netconf"}) as site:
        crowd = Crowd.of(CUSTOMERS, site.address)
        for before, after in zip(*[iter(pushing())] * 2, strict=True):
            _die_and_go_on(site, crowd, [before, after])
        site.serve()
        site.assert_all_well(crowd)


def _die_and_go_on(site: Site, crowd: Crowd, dooms: Sequence[Fate]) -> None:
    """Let processes die under load, the next one see every order through, and find no trace on the devices."""
    with crowd.ordering():
        for doom in dooms:
            site.await_doom(site.serve(doom))
        life = site.serve()
    site.assert_clean()
    site.kill(life)
