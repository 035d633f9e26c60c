"""Who killed a worker is looked for apart from everybody else, a few at a time."""

import pytest

from activation.batch_size import MOST
from activation.suspects import Suspects, may_share
from inventory.ledger import DeviceJob, Job, Retry
from tests.activation.rig import Rig


def job(number: int, failures: int, *, died: bool = True) -> DeviceJob:
    named = Job(job_id=number, kind="touch", lane=str(number), payload={}, attempt=failures + 1)
    return DeviceJob(job=named, transactions=None, end=lambda _: None, failures=failures, died=died)  # type: ignore[arg-type]  # nothing is written


def nobody(job: DeviceJob, outcome: Retry | BaseException | None) -> None:
    del job, outcome


def tried(suspects: Suspects, *, is_idle: bool = True) -> list[int]:
    return [each.job.job_id for each in suspects.next(nobody, is_idle=is_idle)]


@pytest.mark.parametrize(
    ("failures", "most"), [(0, MOST), (1, MOST), (2, 250), (3, 62), (4, 15), (5, 3), (6, 1), (9, 1)]
)
def test_groups_shrink_with_each_failure(failures: int, most: int) -> None:
    assert may_share(failures) == most


@pytest.mark.parametrize(("failures", "died"), [(0, True), (1, True), (5, False)])
def test_who_is_not_suspected_goes_with_everybody(failures: int, died: bool) -> None:  # noqa: FBT001 - a case
    mine = job(1, failures, died=died)
    assert Suspects().apart([mine]) == [mine]


def test_the_least_suspect_go_first_and_the_next_when_all_of_these_have_ended() -> None:
    suspects, jobs = Suspects(), [job(1, 5), job(2, 2), job(3, 4), *(job(number, 5) for number in (4, 5, 6))]
    assert suspects.apart(jobs) == []
    assert tried(suspects) == [2, 3, 1]
    for each in (jobs[1], jobs[2]):
        suspects.let_go(each)
        assert tried(suspects) == []
    suspects.let_go(jobs[0])
    suspects.let_go(jobs[0])
    assert tried(suspects) == [4, 5, 6]


def test_who_is_to_be_alone_waits_until_nobody_else_works_and_keeps_others_from_beginning() -> None:
    suspects, mine = Suspects(), job(1, 6)
    suspects.apart([mine])
    assert suspects.want_quiet
    assert tried(suspects, is_idle=False) == []
    assert tried(suspects) == [1]
    assert suspects.want_quiet
    suspects.let_go(mine)
    assert not suspects.want_quiet


def test_those_on_trial_tell_who_ended_and_how() -> None:
    suspects, mine, told = Suspects(), job(1, 2), []
    suspects.apart([mine])
    (trial,) = suspects.next(lambda job, outcome: told.append((job, outcome)), is_idle=True)
    trial.end(None)
    assert told == [(mine, None)]


def test_a_dismissed_core_ends_those_who_wait_for_their_trial(rig: Rig) -> None:
    told: list[object] = []
    rig.core._suspects.apart(
        [DeviceJob(job=job(1, 6).job, transactions=rig.database, end=told.append, failures=6, died=True)]
    )
    rig.core.dismiss()
    assert [type(outcome) for outcome in told] == [Retry]
