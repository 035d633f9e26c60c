"""What a failed rollback leaves claimed, seen and given back by an engineer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.client import ApiRefused
from api.demo import bodies
from api.fsck.check import check
from labs.embedded.faults import Fault
from tests.api.conftest import Platform, Start
from tests.api.test_drift import lastmile
from tests.api.test_transactions import PATIENCE_S, on_the_router

pytestmark = [pytest.mark.e2e, pytest.mark.lab]


@pytest.fixture
def fresh(start: Start, tmp_path: Path) -> Iterator[Platform]:
    with start(tmp_path / "data") as running:
        yield running


def left_behind(fresh: Platform) -> str:
    """Return the TMF640 service of an order that the switch refused and the router did not give back."""
    lab, order = on_the_router(fresh)
    lab.faults.set("r1", Fault("refuse_commit", times=-1))
    tree = fresh.client.follow(order, timeout_s=PATIENCE_S)
    assert tree["productOrder"]["state"] == "failed"
    (monitor,) = tree["monitor"]
    codes = [each["code"] for each in monitor["errorMessage"]]
    assert "rollbackFailed" in codes
    (told,) = [each for each in monitor["errorMessage"] if each["code"] == "claimsKept"]
    return str(told["message"].rpartition("lastmile service release ")[2])


def test_it_is_nobody_elses_until_an_engineer_releases_it(fresh: Platform) -> None:
    service = left_behind(fresh)
    second = fresh.client.follow(fresh.client.place(bodies.add()), timeout_s=PATIENCE_S)
    assert second["productOrder"]["state"] == "failed"
    assert f"service {service!r}'s" in str(second["serviceOrder"])
    with fresh.system.database.read() as connection:
        kept = [each for each in check(connection) if each.id == service]
    assert [each.rule for each in kept] == ["service-claim-unused"]
    assert f"lastmile service release {service}" in kept[0].text
    assert kept[0].repairs == ()
    done = lastmile(fresh, "service", "release", service, "--comment", "router cleaned by hand")
    assert done.exit_code == 0, done.output
    assert "released: " in done.stdout
    again = lastmile(fresh, "service", "release", service)
    assert again.exit_code == 2
    assert "serviceClaim" in again.stderr


def test_a_service_that_is_there_keeps_what_it_has(fresh: Platform) -> None:
    fresh.client.follow(fresh.client.place(bodies.add()), timeout_s=PATIENCE_S)
    service = fresh.client.get("/lastmile/v1/transaction")[0]["member"][0]["service"]
    with pytest.raises(ApiRefused, match="is there"):
        fresh.client.post(f"/lastmile/v1/serviceClaim/{service}/release", {})
