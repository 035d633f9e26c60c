"""One process and a SQLite file: killed at random, and at every step it writes down."""

import pytest

from activation.states import Step
from tests.crash.customers import Crowd
from tests.crash.site import Site
from tests.crash.steps import ordering, pushing, undoing

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.lab, pytest.mark.timeout(3600)]

CUSTOMERS = 4
LONGEST_LIFE_S = 1.2
LULL = 5
"""Every so many kills everybody gets an order through."""


def test_killed_at_any_moment_under_load(on_sqlite: Site, rounds: int) -> None:
    site, crowd = on_sqlite, Crowd.of(CUSTOMERS, on_sqlite.address)
    life = site.serve()
    with crowd.ordering():
        for number in range(rounds):
            life.await_up()
            if number % LULL == 0:
                crowd.await_progress()
            site.pause(LONGEST_LIFE_S)
            site.kill(life)
            life = site.serve()
    site.assert_all_well(crowd)


def test_killed_at_every_step_of_a_push_and_of_its_orders(on_sqlite: Site) -> None:
    site, crowd = on_sqlite, Crowd.of(CUSTOMERS, on_sqlite.address)
    with crowd.ordering():
        for doom in (*pushing(), *ordering()):
            site.await_doom(site.serve(doom))
            _have_a_good_life(site, crowd)
        site.serve()
    site.assert_all_well(crowd)


def test_killed_at_every_step_of_a_rollback(on_sqlite: Site) -> None:
    site, crowd = on_sqlite, Crowd.of(CUSTOMERS, on_sqlite.address)
    with crowd.ordering():
        for first, second in undoing(Step.COMMITTING, Step.READING_BACK, Step.CONFIRMING):
            site.await_doom(site.serve(first))
            site.await_doom(site.serve(second))
            _have_a_good_life(site, crowd)
        site.serve()
    site.assert_all_well(crowd)


def _have_a_good_life(site: Site, crowd: Crowd) -> None:
    """Let everybody get an order through before the next kill, which is at any moment."""
    life = site.serve()
    crowd.await_progress()
    site.kill(life)
