"""What every driver owes the core; the fake and the real ones run the same tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from activation.contracts import Driver
from activation.drivers.fake import FakeNetwork
from activation.errors import DeviceUnreachable
from labs.embedded.lab import EmbeddedLab
from tests.activation.drivers.benches import EAPI, TOKEN, Bench, fake_bench, lab_bench
from tests.activation.variants import VARIANTS, variant, with_eapi

REAL = [pytest.param(name, marks=pytest.mark.lab) for name in ("olt1 netconf", "olt1 netconf-fast", "sw1", "r1")]
LESS = [
    pytest.param(f"less {driver} {offer}", marks=pytest.mark.lab)
    for driver in ("netconf", "netconf-fast")
    for offer in VARIANTS
]


@pytest.fixture(scope="module")
def lesser_labs() -> Iterator[Callable[[str], EmbeddedLab]]:
    """Labs whose OLT offers less, started when they are needed."""
    with ExitStack() as stack:

        @cache
        def started(offer: str) -> EmbeddedLab:
            return stack.enter_context(EmbeddedLab(variant(VARIANTS[offer]), ssh_port=0, netconf_port=0))

        yield started


@pytest.fixture(scope="module")
def eapi_lab() -> Iterator[EmbeddedLab]:
    with EmbeddedLab(with_eapi(), ssh_port=0, netconf_port=0) as lab:
        yield lab


@pytest.fixture(params=["fake a", "fake c", *REAL, *LESS, pytest.param("eapi sw1", marks=pytest.mark.lab)])
def bench(request: pytest.FixtureRequest) -> Bench:
    name: str = request.param
    if name.startswith("fake"):
        network: FakeNetwork = request.getfixturevalue("network")
        return fake_bench(network, name[-1])
    if name.startswith("less"):
        _, driver, offer = name.split()
        return lab_bench(request.getfixturevalue("lesser_labs")(offer), "olt1", driver)
    if name.startswith("eapi"):
        return lab_bench(request.getfixturevalue("eapi_lab"), "sw1", EAPI)
    lab: EmbeddedLab = request.getfixturevalue("lab")
    return lab_bench(lab, *name.split())


@pytest.fixture
def driver(bench: Bench) -> Iterator[Driver]:
    session = bench.open()
    yield session
    session.close()


@pytest.fixture
def start(bench: Bench) -> Iterator[str]:
    """The configuration at the start; every test leaves it so."""
    configuration = bench.configuration()
    yield configuration
    assert bench.configuration() == configuration


def committed(bench: Bench, driver: Driver) -> None:
    edit = bench.edit(driver)
    driver.stage(edit, token=TOKEN)
    driver.commit(edit, token=TOKEN, confirm_timeout_s=60)


def test_new_session_is_alive_until_it_is_closed(bench: Bench) -> None:
    driver = bench.open()
    assert driver.alive()
    driver.close()
    assert not driver.alive()


def test_closing_twice_is_closing_once(bench: Bench) -> None:
    driver = bench.open()
    driver.close()
    driver.close()
    assert not driver.alive()


def test_closed_session_answers_with_device_and_phase(bench: Bench) -> None:
    driver = bench.open()
    edit = bench.edit(driver)
    driver.close()
    with pytest.raises(DeviceUnreachable, match=f"^{bench.device.name}: read: "):
        driver.read(edit.touched)


def test_staging_changes_nothing_that_is_live(bench: Bench, driver: Driver, start: str) -> None:
    edit = bench.edit(driver)
    driver.stage(edit, token=TOKEN)

    assert bench.configuration() == start
    driver.discard()


def test_discarded_candidate_leaves_the_device_free_for_others(bench: Bench, driver: Driver, start: str) -> None:
    edit = bench.edit(driver)
    driver.stage(edit, token=TOKEN)
    driver.discard()

    other = bench.open()
    other.stage(edit, token=TOKEN + "2")
    other.discard()
    other.close()
    assert bench.configuration() == start


def test_discard_with_nothing_staged_is_nothing(driver: Driver, start: str) -> None:
    driver.discard()
    assert start


def test_confirmed_commit_is_live_and_reads_back_as_planned(bench: Bench, driver: Driver, start: str) -> None:
    edit = bench.edit(driver)
    committed(bench, driver)
    assert bench.done(edit, driver)
    driver.confirm(edit, token=TOKEN)
    assert bench.done(edit, driver)
    assert bench.configuration() != start

    driver.rollback(edit, token=TOKEN, undone=bench.undone(edit))


def test_unconfirmed_commit_is_rolled_back(bench: Bench, driver: Driver, start: str) -> None:
    edit = bench.edit(driver)
    committed(bench, driver)
    assert bench.configuration() != start

    driver.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    assert bench.configuration() == start


def test_commit_is_rolled_back_by_another_session_after_a_crash(bench: Bench, driver: Driver, start: str) -> None:
    edit = bench.edit(driver)
    committed(bench, driver)
    driver.close()

    recovering = bench.open()
    recovering.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    recovering.close()
    assert bench.configuration() == start


def test_staged_edit_of_a_crashed_session_is_cleared_by_rollback(bench: Bench, driver: Driver, start: str) -> None:
    edit = bench.edit(driver)
    driver.stage(edit, token=TOKEN)
    driver.close()

    recovering = bench.open()
    recovering.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    recovering.stage(edit, token=TOKEN + "2")
    recovering.discard()
    recovering.close()
    assert bench.configuration() == start


def test_commit_is_confirmed_by_another_session(bench: Bench, driver: Driver, start: str) -> None:
    edit = bench.edit(driver)
    committed(bench, driver)
    driver.close()

    other = bench.open()
    other.confirm(edit, token=TOKEN)
    assert bench.done(edit, other)
    other.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    other.close()
    assert bench.configuration() == start


def test_rollback_of_nothing_is_nothing(bench: Bench, driver: Driver, start: str) -> None:
    edit = bench.edit(driver)
    driver.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    driver.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    assert bench.configuration() == start


def test_one_session_serves_many_changes(bench: Bench, driver: Driver, start: str) -> None:
    for number in range(3):
        edit = bench.edit(driver)
        driver.stage(edit, token=f"{TOKEN}{number}")
        driver.commit(edit, token=f"{TOKEN}{number}", confirm_timeout_s=60)
        driver.confirm(edit, token=f"{TOKEN}{number}")
        driver.rollback(edit, token=f"{TOKEN}{number}", undone=bench.undone(edit))
        assert bench.configuration() == start
