"""A switch prints the part that is asked for; one that does not as its platform says is read whole."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from activation.contracts import Driver
from activation.plan import plan_device
from activation.terminal import PartRule
from labs.embedded.lab import EmbeddedLab
from tests.activation.drivers.benches import EAPI, Bench, lab_bench
from tests.activation.variants import with_eapi

pytestmark = pytest.mark.lab

NOT_UNDERSTOOD = "show running-config | dance ^({lines})$"
WITHOUT_END = "show running-config section vlan.*({lines})?"


@pytest.fixture(scope="module")
def switches() -> Iterator[EmbeddedLab]:
    with EmbeddedLab(with_eapi(), ssh_port=0, netconf_port=0) as lab:
        yield lab


@pytest.fixture(params=["", EAPI], ids=["ssh", "eapi"])
def bench(request: pytest.FixtureRequest, switches: EmbeddedLab) -> Bench:
    return lab_bench(switches, "sw1", request.param)


def reading(driver: Driver, bench: Bench) -> tuple[str, ...]:
    touched = bench.edit(driver).touched
    part = driver.read(touched)
    whole = driver.read(())
    changes = [bench.change]
    name, platform = bench.device.name, bench.platform
    assert plan_device(name, platform, part, changes) == plan_device(name, platform, whole, changes)
    return part, whole


def test_the_part_is_what_was_asked_for_and_plans_the_same(bench: Bench) -> None:
    driver = bench.open()
    part, whole = reading(driver, bench)
    driver.close()
    assert whole.strip() == bench.configuration().strip()
    assert "interface Ethernet1\n" in part
    assert "hostname" not in part
    assert len(part) < len(whole) / 2


@pytest.mark.parametrize("command", [NOT_UNDERSTOOD, WITHOUT_END])
def test_a_switch_that_prints_parts_in_another_way_is_read_whole_from_then_on(
    command: str, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    terminal = bench.platform.terminal.model_copy(update={"read_part": PartRule(command=command)})
    other = replace(bench, platform=bench.platform.model_copy(update={"terminal": terminal}))
    with caplog.at_level(logging.WARNING, logger="activation"):
        driver = other.open()
        part, whole = reading(driver, other)
        driver.close()
    assert part == whole
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == [other.device.name]
