"""An API, two workers and a PostgreSQL server: any of them killed at random, and a worker at every step."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from activation.states import Step
from tests.crash.customers import Crowd
from tests.crash.life import Doom, Life
from tests.crash.site import Site
from tests.crash.steps import ordering, pushing, undoing

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.lab, pytest.mark.timeout(3600)]

CUSTOMERS = 4
LONGEST_LIFE_S = 1.2
LULL = 5
"""Every so many kills everybody gets an order through."""
_ORDERING = "product,service,resource"
"""Work on the database alone: such a worker leaves no device locked, and nobody waits until it is given up."""
_ELSEWHERE = {("productOrder", "acknowledged"), ("monitor", "Completed")}
"""Moves that others make: the API, and whoever works on devices; killed with ``deviceTransaction done``."""
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


def test_a_worker_killed_at_every_step_of_a_push_leaves_it_to_its_peer(on_postgres: Site) -> None:
    site, crowd = on_postgres, Crowd.of(CUSTOMERS, on_postgres.address)
    site.api()
    site.worker()
    with crowd.ordering():
        for number, doom in enumerate(pushing()):
            if number % LULL == 0:
                crowd.await_progress()
            site.await_doom(site.worker(doom))
    site.assert_all_well(crowd)


def test_a_worker_killed_at_every_step_of_an_order_leaves_it_to_its_peer(on_postgres: Site) -> None:
    site, crowd = on_postgres, Crowd.of(CUSTOMERS, on_postgres.address)
    site.api()
    site.worker()
    with crowd.ordering():
        for doom in ordering():
            if (doom.kind, doom.state) not in _ELSEWHERE:
                site.await_doom(site.worker(doom, kinds=_ORDERING))
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


def test_killed_at_every_step_of_a_rollback(on_postgres: Site) -> None:
    site, crowd = on_postgres, Crowd.of(CUSTOMERS, on_postgres.address)
    site.api()
    with crowd.ordering():
        for first, second in undoing(Step.CONFIRMING):
            site.await_doom(site.worker(first))
            site.await_doom(site.worker(second))
            life = site.worker()
            crowd.await_progress()
            site.kill(life)
        site.worker()
    site.assert_all_well(crowd)
