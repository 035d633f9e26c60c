"""The process killed around every call of every driver: whoever comes next finishes the work or takes it back.

A commit whose answer is lost although the process lives on: :mod:`tests.trouble`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.crash.calls import back, committed, forward
from tests.crash.customers import Crowd
from tests.crash.life import Fate
from tests.crash.site import Site, Tally, built_site
from tests.crash.steps import pushing

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.lab, pytest.mark.timeout(600)]

CUSTOMERS = 2
DRIVERS: Final = {"netconf-fast": "olt1", "netconf": "olt1", "napalm": "sw1", "netmiko": "r1"}
"""Every installed driver, with the device that it speaks to here."""


def _deaths(device: str) -> Iterator[Sequence[Fate]]:
    """Yield what kills the processes one after the other, before one may live."""
    yield from ([doom] for doom in forward(device))
    yield from ([committed(device), doom] for doom in back(device))


@pytest.mark.parametrize("driver", DRIVERS)
def test_killed_around_every_call_of_a_driver(driver: str, tmp_path: Path, tally: Tally) -> None:
    device = DRIVERS[driver]
    with built_site(tmp_path / "data", tally, drivers={device: driver}) as site:
        crowd = Crowd.of(CUSTOMERS, site.address)
        for deaths in _deaths(device):
            _die_and_go_on(site, crowd, deaths)
        site.serve()
        site.assert_all_well(crowd)


def test_killed_at_every_step_of_a_push_over_the_other_netconf_driver(tmp_path: Path, tally: Tally) -> None:
    with built_site(tmp_path / "data", tally, drivers={"olt1": "netconf"}) as site:
        crowd = Crowd.of(CUSTOMERS, site.address)
        for doom in pushing():
            _die_and_go_on(site, crowd, [doom])
        site.serve()
        site.assert_all_well(crowd)


def _die_and_go_on(site: Site, crowd: Crowd, deaths: Sequence[Fate]) -> None:
    """Let processes die under load, the next one see every order through, and find no trace on the devices."""
    with crowd.ordering():
        for doom in deaths:
            site.await_doom(site.serve(doom))
        life = site.serve()
    site.assert_clean()
    site.kill(life)
