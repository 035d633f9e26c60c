"""What services have for themselves: a table of what is claimed, and what is found of it."""

from dataclasses import replace

import pytest

from api.fsck.claims import ClaimFacts, check_held, check_own
from api.fsck.model import KeepForItself, LetOthersHave
from inventory.store import Row

LIVE = Row(id="s1", state="active", correlation_id="c", document={}, task={"stands": True})
GONE = ClaimFacts(holders={"ont A": "ghost"}, asked={}, unrestored=frozenset())


@pytest.mark.parametrize(
    ("holders", "rules"),
    [
        ({"ont A": "s1"}, []),
        ({}, ["service-claim-missing"]),
        ({"ont A": "s2"}, ["service-claim-taken"]),
    ],
)
def test_a_service_has_what_is_its_own(holders: dict[str, str], rules: list[str]) -> None:
    facts = ClaimFacts(holders=holders, asked={}, unrestored=frozenset())
    found = list(check_own(LIVE, ["ont A"], facts))
    assert [each.rule for each in found] == rules
    mends = [repair for each in found for repair in each.repairs]
    assert mends == ([KeepForItself(service_id="s1", claims=("ont A",))] if not holders else [])
    assert list(check_own(replace(LIVE, state="terminated"), ["ont A"], facts)) == []
    assert list(check_own(replace(LIVE, task={"stands": False}), ["ont A"], facts)) == []


def test_what_a_service_that_is_gone_claims_is_given_back_unless_a_device_may_still_carry_it() -> None:
    (found,) = check_held({}, GONE)
    assert found.repairs == (LetOthersHave(service_id="ghost", claims=("ont A",)),)
    (kept,) = check_held({}, replace(GONE, unrestored=frozenset({"ghost"})))
    assert kept.repairs == ()
    assert "rollback of its chain failed" in kept.text
    assert list(check_held({}, replace(GONE, asked={"ghost": {"ont A"}}))) == []
    assert list(check_held({"ghost": {"ont A"}}, GONE)) == []
