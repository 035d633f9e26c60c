"""Versions side by side: which one is offered, and which one a name means."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.catalog.model import Offering, Ref
from orders.catalog.shelf import shelf, version_key

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
BEFORE, AFTER = datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)


def offering(version: str, status: str = "active") -> Offering:
    return Offering(
        id="fibre", name="Fibre", version=version, lifecycle_status=status, specification=Ref(id="broadband")
    )


OFFERED = {
    "the latest": ([offering("1.0"), offering("2.0")], "2.0"),
    "numbers are numbers": ([offering("1.10"), offering("1.9")], "1.10"),
    "launched is offered": ([offering("1.0"), offering("2.0", "launched")], "2.0"),
    "not yet": ([offering("1.0"), offering("2.0", "inTest")], "1.0"),
    "no longer": ([offering("1.0"), offering("2.0", "retired")], "1.0"),
    "none": ([offering("1.0", "obsolete")], None),
    "from new year on": ([offering("1.0"), replace(offering("2.0"), valid_from=NEW_YEAR)], "1.0"),
    "until new year": ([replace(offering("1.0"), valid_to=NEW_YEAR)], "1.0"),
}


@pytest.mark.parametrize("case", OFFERED)
def test_the_latest_that_is_offered(case: str) -> None:
    entries, expected = OFFERED[case]
    found = shelf(entries).at(BEFORE).get("fibre")
    assert (found.version if found is not None else None) == expected


def test_time_moves_what_is_offered() -> None:
    old, new = replace(offering("1.0"), valid_to=NEW_YEAR), replace(offering("2.0"), valid_from=NEW_YEAR)
    both = shelf([new, old])
    assert [both.at(moment)["fibre"].version for moment in (BEFORE, NEW_YEAR, AFTER)] == ["1.0", "2.0", "2.0"]


def test_a_version_is_found_by_its_name_whether_offered_or_not() -> None:
    entries = shelf([offering("1.0", "retired"), offering("2.0")])
    assert entries.named("fibre", "1.0") == offering("1.0", "retired")
    assert entries.named("fibre") == offering("2.0")
    assert entries.named("fibre", "3.0") is None
    assert [each.version for each in entries.every()] == ["1.0", "2.0"]


def test_what_is_retired_altogether_is_still_known() -> None:
    entries = shelf([offering("1.0", "retired")])
    assert "fibre" not in entries
    assert entries.named("fibre") == offering("1.0", "retired")


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=2))
def test_versions_sort_as_their_numbers_do(numbers: list[tuple[int, int]]) -> None:
    spelled = [f"{major}.{minor}" for major, minor in numbers]
    assert sorted(spelled, key=version_key) == [f"{major}.{minor}" for major, minor in sorted(numbers)]
