"""Parts of one service on one device share nodes; what one of them no longer wants, another may still."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from activation.service_activation import Request
from activation.states import MonitorState
from tests.activation.rig import part
from tests.activation.services import INTENT_OF, characteristics
from tests.activation.small import Site, small_site
from tests.activation.test_plan_laws import BENCHES

SHARES: Final = {  # what parts of one speed have in common
    "bbf_olt": "<name>up-100M</name>",
    "arista_eos": "service-policy type qos input lm-downstream",
    "smartax": "100M",
}


@pytest.fixture(params=sorted(SHARES))
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with small_site(request.param, occupied=False) as made:
        yield made


def service(site: Site, *speeds: int) -> dict[str, Any]:
    """Return a service with a part of each of these speeds, all on the one device."""
    parts = [
        part(f"part-{number}", INTENT_OF[site.platform], **characteristics(site.platform, 1042 + number, mbps))
        for number, mbps in enumerate(speeds)
    ]
    return {"id": "svc-x", "serviceSpecification": {"id": "line"}, "supportingService": parts}


def test_what_one_part_gives_up_stays_for_the_other(site: Site) -> None:
    site.rig.create(service(site, 100, 100))
    changed = site.rig.modify(service(site, 100, 500))
    assert changed.state == MonitorState.COMPLETED
    assert SHARES[site.platform] in site.device.running
    [device] = changed.document["plan"]["devices"]
    assert device["sharedWith"] == [], "a service is not its own neighbour"


def test_a_part_that_goes_leaves_what_the_other_holds(site: Site) -> None:
    site.rig.create(service(site, 100))
    alone = site.device.running
    site.rig.modify(service(site, 100, 100))
    assert SHARES[site.platform] in alone
    assert site.rig.modify(service(site, 100)).state == MonitorState.COMPLETED
    assert site.device.running == alone


def test_a_part_that_comes_later_owns_what_it_shares(site: Site) -> None:
    """It found the node there: not because the node is foreign, but because the first part had made it."""
    site.rig.create(service(site, 100))
    site.rig.modify(service(site, 100, 100))
    site.rig.terminate("svc-x")
    assert site.device.running == site.base


def test_the_dry_run_says_the_same(site: Site) -> None:
    site.rig.create(service(site, 100, 100))
    wanted = Request(action="modify", service_id="svc-x", service=service(site, 100, 500))
    [foreseen] = site.rig.core.dry_run([wanted], site.rig.database).plans
    changed = site.rig.modify(service(site, 100, 500))
    assert changed.document["plan"]["planHash"] == foreseen.plan.plan_hash
    assert [edit.shared_with for edit in foreseen.plan.edits] == [()]


def test_every_platform_that_shares_by_speed_or_vlan_is_here() -> None:
    assert set(BENCHES) - set(SHARES) == {"frr"}, "a router's services share nothing but what stood there before"
