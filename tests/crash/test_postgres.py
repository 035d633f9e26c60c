"""An API, two workers and a PostgreSQL server: any of them killed at random."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.crash.customers import Crowd
from tests.crash.life import Doom, Life
from tests.crash.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.lab, pytest.mark.timeout(3600)]

CUSTOMERS = 4
LONGEST_LIFE_S = 1.2
LULL = 5
"""Every so many kills everybody gets an order through."""
VICTIMS = ("api", "first worker", "second worker", "first worker", "second worker", "server")


@dataclass(slots=True)
class Staff:
    """The processes on one database; who is killed is replaced at once, as a supervisor does."""

    site: Site
    lives: dict[str, Life] = field(default_factory=dict)

    def start(self) -> None:
        """Start whoever is not there."""
        for name in ("api", "first worker", "second worker"):
            if name not in self.lives:
                self.lives[name] = self._starter(name)()

    def kill(self, victim: str) -> None:
        """Kill the one that is named, once all are up."""
        for life in self.lives.values():
            life.await_up()
        self.site.pause(LONGEST_LIFE_S)
        if victim == "server":
            self.site.kill_server()
        else:
            self.site.kill(self.lives.pop(victim))

    def _starter(self, name: str) -> Callable[[], Life]:
        return self.site.api if name == "api" else self.site.worker


def test_anybody_killed_at_any_moment_under_load(on_postgres: Site, rounds: int) -> None:
    site, crowd, staff = on_postgres, Crowd.of(CUSTOMERS, on_postgres.address), Staff(on_postgres)
    staff.start()
    with crowd.ordering():
        for number in range(rounds):
            if number % LULL == 0:
                crowd.await_progress()
            staff.kill(site.moments.choice(VICTIMS))
            staff.start()
    site.assert_all_well(crowd)


def test_an_api_killed_as_it_takes_an_order_takes_it_once(on_postgres: Site) -> None:
    site, crowd = on_postgres, Crowd.of(CUSTOMERS, on_postgres.address)
    site.worker()
    with crowd.ordering():
        for nth in (1, 2, 3):
            for is_committed in (False, True):
                doom = Doom(kind="productOrder", state="acknowledged", nth=nth, is_committed=is_committed)
                site.await_doom(site.api(doom))
        site.api()
    site.assert_all_well(crowd)
