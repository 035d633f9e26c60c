"""Workers on a PostgreSQL server, killed at every step they write down; their peers take over."""

import pytest

from activation.states import Step
from tests.crash.customers import Crowd
from tests.crash.site import Site
from tests.crash.steps import ordering, pushing, undoing

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.lab, pytest.mark.timeout(3600)]

CUSTOMERS = 4
LULL = 5
"""Every so many kills everybody gets an order through."""
_ORDERING = "product,service,resource"
"""Work on the database alone: such a worker leaves no device locked, and nobody waits until it is given up."""
_ELSEWHERE = {("productOrder", "acknowledged"), ("monitor", "Completed")}
"""Moves that others make: the API, and whoever works on devices; killed with ``deviceTransaction done``."""


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
