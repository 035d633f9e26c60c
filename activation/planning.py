"""One plan for a group of activations, against what stands on their devices now."""

from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter

from activation import store
from activation.draft import Draft, Planned
from activation.errors import DevicesFailed, DeviceUnreachable, PlanError
from activation.fanout import Answer
from activation.model import Path
from activation.transact import Participants
from activation.work import Member, Work


def plan(members: Sequence[Member], participants: Participants) -> Planned:
    """Return one plan for all members; note in their reports what it is for each of them.

    Raises:
        DevicesFailed: a device cannot be read.
        PlanError: what stands on a device and what is wanted there do not fit together, or a supporting service
            belongs to another service.
    """
    draft = Draft.of(members, participants.platform)
    with members[0].transactions.read() as connection:
        works = [member.work for member in members]
        refuse_strangers(works, store.owners(connection, {part for work in works for part in work.parts()}))
        draft.share_with(store.fragments_sharing(connection, draft.roots, draft.places))
    touched = draft.touched()
    started = perf_counter()
    answers = read_devices(participants, touched)
    read_s = perf_counter() - started
    if errors := [answer.error for answer in answers.values() if answer.error is not None]:
        raise DevicesFailed(errors)
    planned = draft.plan({name: answer.value or "" for name, answer in answers.items()})
    for member in members:
        member.report.read_s = {name: answer.took_s for name, answer in answers.items()}
        member.report.phases_s |= {"read": read_s, "plan": perf_counter() - started - read_s}
        member.report.plan, member.report.own = planned.plan, planned.own.get(member.monitor.id)
    return planned


def read_devices(participants: Participants, touched: Mapping[str, Sequence[Path]]) -> Mapping[str, Answer[str]]:
    """Return each device's answer; one whose session broke is asked again on a new one.

    A device that restarted without a word leaves a warm session that looks alive. Nothing has happened so far.
    """

    def ask(names: Iterable[str]) -> Mapping[str, Answer[str]]:
        return participants.ask("read", names, lambda name, driver: driver.read(touched[name]))

    answers = ask(touched)
    broken = [
        name
        for name, answer in answers.items()
        if isinstance(answer.error, DeviceUnreachable) and answer.error.phase != "connect" and not answer.abandoned
    ]
    return {**answers, **ask(broken)} if broken else answers


def refuse_strangers(works: Iterable[Work], owners: Mapping[str, str]) -> None:
    """Do nothing where all parts of ``works`` are their own.

    Raises:
        PlanError: a supporting service belongs to another service, as ``owners`` (by id) says.
    """
    for work in works:
        for part in work.parts() & owners.keys():
            if owners[part] != work.root_id:
                raise PlanError(f"supporting service {part} belongs to service {owners[part]}; legal: an id of its own")
