"""A reservation is released only where nothing can stand on it."""

from dataclasses import replace

import pytest

from api.fsck.holdings import check_reservation
from api.fsck.model import Held, Release
from inventory.store import Row

ORDER = Row(id="ro-1", state="completed", correlation_id="c", document={})
PARENT = Row(id="so-1", state="failed", correlation_id="c", document={})
RESOURCE = Row(
    id="r-1",
    state="reserved",
    correlation_id="c",
    document={"resourceCharacteristic": [{"name": "vlanId", "value": 1042}]},
)
LEFT_OVER = Held(
    resource_id="r-1",
    allocation="vlan",
    pool="subscriber-vlans",
    value=1042,
    owner_key="ro-1:1",
    resource=RESOURCE,
    owner=ORDER,
    parent=PARENT,
)


def test_what_a_failed_order_left_behind_is_released() -> None:
    (finding,) = check_reservation(LEFT_OVER)
    assert (finding.rule, finding.repairs) == ("reservation-unused", (Release(resource_id="r-1"),))


@pytest.mark.parametrize("doubt", [{"unrestored": True}, {"in_flight": True}])
def test_what_may_still_be_in_use_is_left_to_people(doubt: dict[str, bool]) -> None:
    (finding,) = check_reservation(replace(LEFT_OVER, **doubt))  # type: ignore[arg-type]  # names of flags
    assert finding.repairs == ()


@pytest.mark.parametrize(
    "good",
    [
        replace(LEFT_OVER, used_by="svc-1"),
        replace(LEFT_OVER, parent=replace(PARENT, state="inProgress")),
        replace(LEFT_OVER, parent=None),
    ],
)
def test_what_is_in_use_is_no_finding(good: Held) -> None:
    assert list(check_reservation(good)) == []


def test_an_owner_that_is_lost_is_left_to_people_while_a_service_stands_on_it() -> None:
    (finding,) = check_reservation(replace(LEFT_OVER, owner=None, used_by="svc-1"))
    assert (finding.rule, finding.repairs) == ("reservation-without-owner", ())
