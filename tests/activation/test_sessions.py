import threading

import pytest

from activation.drivers.fake import FakeDriver, FakeNetwork
from activation.drivers.registry import DriverRegistry
from activation.errors import DeviceUnreachable
from activation.platforms import load_platforms
from activation.sessions import DeviceLocks, Leases, SessionPool
from tests.activation.rig import FAKE_TEMPLATES, DeviceList, fake_device

PATIENCE_S = 5.0


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(network: FakeNetwork, clock: Clock) -> SessionPool:
    devices = DeviceList([fake_device("a"), fake_device("b"), fake_device("odd", "nonsense")])
    drivers = DriverRegistry().including("fake", network.open)
    return SessionPool(devices, load_platforms(FAKE_TEMPLATES), drivers, clock=clock)


def test_returned_session_is_used_again(pool: SessionPool) -> None:
    first = pool.take("a")
    pool.give_back("a", first)

    assert pool.take("a") is first


def test_session_that_is_out_is_nobody_elses(pool: SessionPool) -> None:
    assert pool.take("a") is not pool.take("a")


def test_dead_session_is_replaced(pool: SessionPool) -> None:
    first = pool.take("a")
    pool.give_back("a", first)
    first.close()

    second = pool.take("a")
    assert second is not first
    assert second.alive()


def test_session_idle_for_too_long_is_closed_and_replaced(pool: SessionPool, clock: Clock) -> None:
    first = pool.take("a")
    pool.give_back("a", first)
    clock.now_s = pool.idle_limit_s + 1

    assert pool.take("a") is not first
    join_closing()
    assert not first.alive()


def test_pool_keeps_few_sessions_per_device(pool: SessionPool) -> None:
    taken = [pool.take("a") for _ in range(4)]
    for driver in taken:
        pool.give_back("a", driver)

    join_closing()
    assert [driver.alive() for driver in taken] == [True, True, False, False]
    assert pool.idle("a") == 2


def test_closed_pool_keeps_nothing(pool: SessionPool) -> None:
    waiting, out = pool.take("a"), pool.take("b")
    pool.give_back("a", waiting)
    pool.close()
    pool.give_back("b", out)

    join_closing()
    assert (waiting.alive(), out.alive()) == (False, False)


@pytest.mark.parametrize(
    ("name", "words"),
    [("z", "unknown device 'z'; known: a, b"), ("odd", "unknown platform 'nonsense'; known: fake, fake_line")],
)
def test_what_cannot_be_opened_says_what_is_known(name: str, words: str, pool: SessionPool) -> None:
    with pytest.raises(DeviceUnreachable, match=words):
        pool.take(name)


def test_unknown_driver_names_the_known_ones(network: FakeNetwork) -> None:
    drivers = DriverRegistry({"other": network.open})
    with pytest.raises(DeviceUnreachable, match="unknown driver 'fake'; known: other"):
        drivers.open(fake_device("a"), load_platforms(FAKE_TEMPLATES)["fake"])


def test_warming_opens_what_answers_and_skips_what_does_not(pool: SessionPool, network: FakeNetwork) -> None:
    network.devices["a"].faults["connect"] = ["unreachable"]
    pool.warm(["a", "b"]).join(PATIENCE_S)

    assert (pool.idle("a"), pool.idle("b")) == (0, 1)


def test_lease_keeps_one_session_and_gives_it_back(pool: SessionPool) -> None:
    leases = Leases(pool)
    driver = leases.driver("a")
    assert leases.driver("a") is driver
    leases.release()

    assert pool.take("a") is driver


def test_dropped_lease_is_closed_and_never_comes_back(pool: SessionPool) -> None:
    leases = Leases(pool)
    first = leases.driver("a")
    leases.drop("a")
    second = leases.driver("a")
    leases.release()

    join_closing()
    assert not first.alive()
    assert pool.take("a") is second


def test_dropped_lease_takes_the_warm_sessions_with_it(pool: SessionPool) -> None:
    siblings = [pool.take("a"), pool.take("b")]
    leases = Leases(pool)
    leases.driver("a")
    pool.give_back("a", siblings[0])
    pool.give_back("b", siblings[1])

    leases.drop("a")

    assert (pool.idle("a"), pool.idle("b")) == (0, 1)
    assert leases.driver("a") is not siblings[0]


def test_connection_that_comes_after_its_deadline_is_closed(pool: SessionPool, network: FakeNetwork) -> None:
    leases = Leases(pool)
    opening, go_on = threading.Event(), threading.Event()

    def slow_open(device: object, rules: object) -> FakeDriver:  # noqa: ARG001  # the factory's signature
        opening.set()
        go_on.wait(PATIENCE_S)
        return FakeDriver(network.devices["a"])

    pool.drivers = DriverRegistry({"fake": slow_open})
    refused: list[DeviceUnreachable] = []

    def take() -> None:
        try:
            leases.driver("a")
        except DeviceUnreachable as error:
            refused.append(error)

    late = threading.Thread(target=take)
    late.start()
    assert opening.wait(PATIENCE_S)
    leases.drop("a")
    go_on.set()
    late.join(PATIENCE_S)

    assert "after its deadline" in str(refused)
    leases.release()
    assert pool.idle("a") == 0


def test_locks_taken_in_any_order_never_wait_for_each_other() -> None:
    locks = DeviceLocks()
    inside: list[str] = []

    def hold(names: tuple[str, ...]) -> None:
        for _ in range(200):
            with locks.held(names):
                inside.append(names[0])
                assert len(inside) == 1
                inside.pop()

    threads = [threading.Thread(target=hold, args=(names,)) for names in (("a", "b"), ("b", "a"), ("b", "a", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)


def join_closing() -> None:
    for thread in threading.enumerate():
        if thread.name == "close-session":
            thread.join(PATIENCE_S)
