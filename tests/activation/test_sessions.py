import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from activation.device_board import DeviceBoard
from activation.drivers.fake import FakeDriver, FakeNetwork
from activation.drivers.registry import DriverRegistry
from activation.errors import DeviceQuarantined, DeviceUnreachable, HostKeyRefused, NothingToTrust
from activation.platforms import load_platforms
from activation.sessions import ASK_AFTER_S, DeviceLocks, Leases, SessionPool
from inventory.model import Device
from inventory.secrets import with_password
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
def pool(network: FakeNetwork, clock: Clock) -> Iterator[SessionPool]:
    devices = DeviceList([fake_device("a"), fake_device("b"), fake_device("odd", "nonsense")])
    drivers = DriverRegistry().including("fake", network.open)
    built = SessionPool(devices, load_platforms(FAKE_TEMPLATES), drivers, clock=clock)
    yield built
    built.close()


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


def test_device_gets_no_more_sessions_than_it_takes(pool: SessionPool) -> None:
    pool.devices = DeviceList([replace(fake_device("a"), max_sessions=1, timeout_s=0.05)])
    first = pool.take("a")
    with pytest.raises(DeviceUnreachable, match=r"all 1 sessions are in use; waited 0\.05 s"):
        pool.take("a")

    pool.give_back("a", first)
    assert pool.take("a") is first
    assert pool.sessions("a") == 1


def test_transaction_waits_its_turn_for_a_session(pool: SessionPool) -> None:
    pool.devices = DeviceList([replace(fake_device("a"), max_sessions=1)])
    first = pool.take("a")
    got: list[object] = []
    waiting = threading.Thread(target=lambda: got.append(pool.take("a")))
    waiting.start()
    pool.part_with("a", first)
    waiting.join(PATIENCE_S)

    assert len(got) == 1
    assert got[0] is not first


def test_failed_login_takes_no_session_away(pool: SessionPool, network: FakeNetwork) -> None:
    network.devices["a"].faults["connect"] = ["unreachable"]
    with pytest.raises(DeviceUnreachable):
        pool.take("a")
    assert pool.sessions("a") == 0


def test_logins_are_paced(pool: SessionPool, clock: Clock) -> None:
    paused: list[float] = []
    pool.pause = paused.append
    pool.devices = DeviceList([replace(fake_device("a"), max_sessions=99, logins_per_minute=60)])
    for _ in range(12):
        pool.take("a")

    assert paused == [pytest.approx(1.0), pytest.approx(2.0)]
    pool.devices = DeviceList([replace(fake_device("a"), max_sessions=99, logins_per_minute=1, timeout_s=1.0)])
    with pytest.raises(DeviceUnreachable, match="1 logins per minute are used up; the next one in"):
        pool.take("a")
    assert clock.now_s == 0.0


def test_session_that_waited_is_asked_before_it_is_used(pool: SessionPool, network: FakeNetwork, clock: Clock) -> None:
    first = pool.take("a")
    pool.give_back("a", first)
    clock.now_s = 60.0
    assert pool.take("a") is first
    assert network.devices["a"].phases[-1] == "ping"

    pool.give_back("a", first)
    clock.now_s = 120.0
    network.devices["a"].faults["ping"] = ["unreachable"]
    assert pool.take("a") is not first


def test_the_keeper_closes_what_nobody_needs_any_more(pool: SessionPool, clock: Clock) -> None:
    used, dead = pool.take("a"), pool.take("a")
    pool.give_back("a", used)
    pool.give_back("a", dead)
    dead.close()
    pool.keep()
    join_closing()
    assert (pool.idle("a"), pool.sessions("a")) == (0, 0)  # What broke one of them has most likely broken all.

    alone = pool.take("a")
    pool.give_back("a", alone)
    clock.now_s += pool.idle_limit_s + 1
    pool.keep()
    join_closing()
    assert not alone.alive()
    assert pool.sessions("a") == 0


def test_the_keeper_asks_silent_sessions_without_making_them_young(
    pool: SessionPool, network: FakeNetwork, clock: Clock
) -> None:
    session = pool.take("a")
    pool.give_back("a", session)
    for _ in range(9):
        clock.now_s += ASK_AFTER_S + 1
        pool.keep()
    assert pool.idle("a") == 1
    clock.now_s += ASK_AFTER_S + 1
    pool.keep()
    join_closing()
    assert not session.alive()
    assert network.devices["a"].phases.count("ping") == 9


def test_the_keepers_thread_ends_with_the_pool(pool: SessionPool) -> None:
    before = set(threading.enumerate())
    pool.give_back("a", pool.take("a"))
    (keeper,) = set(threading.enumerate()) - before
    assert keeper.name == "session-keeper"
    pool.close()
    assert not keeper.is_alive()


def test_device_in_quarantine_is_not_asked_unless_it_is_urgent(pool: SessionPool, network: FakeNetwork) -> None:
    for _ in range(3):
        pool.failed("a", DeviceUnreachable("a", "read", "gone"))
    with pytest.raises(DeviceQuarantined, match=r"quarantined until .* 'lastmile device release a'"):
        pool.take("a")
    assert network.devices["a"].phases == []

    assert pool.take("a", urgent=True).alive()
    pool.answered("a")
    assert pool.take("a").alive()


def test_first_key_is_trusted_and_another_one_refused_until_a_person_trusts_it(
    pool: SessionPool, network: FakeNetwork
) -> None:
    seen: list[str] = []

    def open_with(shown: str) -> DriverRegistry:
        def opened(device: Device, rules: object) -> FakeDriver:  # noqa: ARG001 - the factory's signature
            seen.append(device.host_key)
            if device.host_key not in {"", shown}:
                raise HostKeyRefused(device.name, known=device.host_key, shown=shown)
            driver = FakeDriver(network.devices["a"])
            driver.host_key = shown
            return driver

        return DriverRegistry({"fake": opened})

    board = DeviceBoard(devices=pool.devices, sessions=pool)
    pool.drivers = open_with("SHA256:one")
    pool.take("a")
    pool.drivers = open_with("SHA256:two")
    with pytest.raises(HostKeyRefused, match=r"known is SHA256:one, the device shows SHA256:two.*device trust a"):
        pool.take("a")

    assert (board.one("a").condition, board.one("a").state.offered_key) == ("keyChanged", "SHA256:two")
    with pytest.raises(NothingToTrust, match="the key refused last is SHA256:two, not SHA256:three"):
        board.trust("a", "SHA256:three")
    assert board.trust("a", "SHA256:two").condition == "ok"
    pool.take("a")
    assert seen == ["", "SHA256:one", "SHA256:two"]
    with pytest.raises(NothingToTrust, match="no key was refused"):
        board.trust("a", "")


def test_released_device_is_asked_at_once(pool: SessionPool) -> None:
    board = DeviceBoard(devices=pool.devices, sessions=pool)
    for _ in range(3):
        pool.failed("a", DeviceUnreachable("a", "read", "gone"))
    assert [shown.condition for shown in board.all()] == ["quarantined", "ok", "ok"]

    assert board.release("a").condition == "ok"
    assert pool.take("a").alive()


def test_password_is_read_where_it_is_kept(pool: SessionPool, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from-file\n")
    kept = replace(fake_device("a"), password="", password_from=f"file:{tmp_path / 'pw'}")
    assert with_password(kept).password == "from-file"
    assert with_password(replace(kept, password_from="env:PW"), {"PW": "from-env"}).password == "from-env"

    pool.devices = DeviceList([replace(kept, password_from="env:LASTMILE_NO_SUCH")])
    with pytest.raises(DeviceUnreachable, match="the environment variable LASTMILE_NO_SUCH is not set"):
        pool.take("a")
    assert "from-file" not in repr(with_password(kept))


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
