"""The process killed in the middle of a repair: the repair still ends, once, and the devices are as it wants them."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest

from activation.paths import REPAIR_BASE
from activation.service_activation import BASE
from api.client import Client
from tests.api.by_hand import type_in
from tests.crash.calls import committed
from tests.crash.customers import Crowd
from tests.crash.life import Fate, until
from tests.crash.site import Site
from tests.crash.steps import pushing

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.lab, pytest.mark.timeout(600)]

STEPS: Final[Sequence[Fate]] = [doom for doom in pushing() if doom.is_committed]
"""Each step of a push, as it is written down."""
LIVE: Final[Sequence[Fate]] = [doom for doom in pushing() if doom.is_committed][2:]
"""Those at which the change is on the devices: read back, confirmed, done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One household's broadband, which has been upgraded once."""

    site: Site
    crowd: Crowd
    client: Client
    vlan: str

    def type_in(self, device: str, *lines: str) -> None:
        """Change a device behind the platform's back."""
        type_in(next(node for node in self.site.lab.nodes() if node.name == device), *lines)

    def die_repairing(self, doom: Fate, body: Callable[[], dict[str, Any]]) -> None:
        """Let the process die of the repair that ``body`` asks for, and see the repair end well in the next one."""
        life = self.site.serve(doom)
        life.await_up()
        place = self.client.post(REPAIR_BASE, body())["href"]
        self.site.await_doom(life)
        life = self.site.serve()
        life.await_up()
        until(lambda: self._monitor(place)["state"] != "InProgress", f"the repair ended after {doom}")
        assert self._monitor(place)["state"] == "Completed", self._monitor(place)
        self.site.assert_clean()
        self.site.kill(life)

    def _monitor(self, place: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.http.get(place).json()
        return found


@pytest.fixture
def line(on_sqlite: Site) -> Iterator[Line]:
    """Return a line; in the end, with everything ceased, nothing of it is left."""
    site = on_sqlite
    crowd, client = Crowd.of(1, site.address), Client.open(site.address, None)
    life = site.serve()
    life.await_up()
    (customer,) = crowd.customers
    customer.add(client)
    customer.upgrade(client)
    site.kill(life)
    found = re.search(r"name ftth-(\d+)", site.configurations()["sw1"])
    assert found
    yield Line(site=site, crowd=crowd, client=client, vlan=found[1])
    client.close()
    site.serve().await_up()
    site.assert_all_well(crowd)


def test_killed_while_it_puts_back_what_somebody_changed(line: Line) -> None:
    wanted = line.site.configurations()

    def reapply() -> dict[str, Any]:
        line.type_in("sw1", f"vlan {line.vlan}", "name mine")
        return {"action": "reapply", "subject": "sw1"}

    _die_of_all([*STEPS, committed("sw1")], line, reapply)
    assert line.site.configurations() == wanted


def test_killed_while_it_deploys_a_service_anew(line: Line) -> None:
    wanted = line.site.configurations()
    (service,) = (each["id"] for each in _running(line, f"{BASE}/service"))

    def redeploy() -> dict[str, Any]:
        line.type_in("r1", f"interface eth1.{line.vlan}", "description mine")
        return {"action": "redeploy", "subject": service}

    _die_of_all([*LIVE, committed("r1")], line, redeploy)
    assert line.site.configurations() == wanted


def test_killed_while_it_undoes_an_upgrade_and_undoes_that(line: Line) -> None:
    seen = [line.site.configurations()]

    def rollback() -> dict[str, Any]:
        done = [each for each in line.client.get("/lastmile/v1/transaction") if each["step"] == "done"]
        return {"action": "rollback", "subject": done[0]["id"]}

    # A rollback and the rollback of that take turns: after an even number of them the speed is the one that was sold.
    for doom in (*LIVE, committed("sw1")):
        line.die_repairing(doom, rollback)
        seen.append(line.site.configurations())
    fast, slow, *_ = seen
    assert fast != slow
    assert seen == [(fast, slow)[number % 2] for number in range(len(seen))]


def _die_of_all(dooms: Sequence[Fate], line: Line, body: Callable[[], dict[str, Any]]) -> None:
    for doom in dooms:
        line.die_repairing(doom, body)


def _running(line: Line, path: str) -> Any:
    life = line.site.serve()
    life.await_up()
    try:
        return line.client.get(path)
    finally:
        line.site.kill(life)
