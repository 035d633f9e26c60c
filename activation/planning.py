"""One plan for a group of activations, against what stands on their devices now."""

from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter

from activation import fragment_store
from activation.draft import Draft, Planned
from activation.errors import DevicesFailed, DeviceUnreachable, Outdated, PlanError
from activation.fanout import Answer
from activation.model import Fragment, FragmentChange, Path
from activation.repair import is_passing
from activation.transact import Participants
from activation.work import Member, Work


def plan(members: Sequence[Member], participants: Participants) -> Planned:
    """Return one plan for all members; note in their reports what it is for each of them.

    Raises:
        DevicesFailed: a device cannot be read.
        Outdated: fragments are not what they were when the work was made of them.
        PlanError: what stands on a device and what is wanted there do not fit together, or a supporting service
            belongs to another service.
    """
    draft = Draft.of(members, participants.platform)
    with members[0].transactions.read() as connection:
        works = [member.work for member in members]
        held = fragment_store.held_by(connection, {part for work in works for part in work.parts()})
        refuse_strangers(works, {service_id: root for (service_id, _, _), (root, _) in held.items()})
        _refuse_outdated(works, held)
        shared = fragment_store.held_places(connection, draft.roots, draft.outer_places())
        draft.share_with(fragment_store.fragments_sharing(connection, draft.roots, draft.places(shared)))
        draft.beside(fragment_store.other_parts(connection, draft.roots, draft.parts))
    touched = draft.touched()
    started = perf_counter()
    answers = read_devices(participants, touched)
    read_s = perf_counter() - started
    if errors := [answer.error for answer in answers.values() if answer.error is not None]:
        raise DevicesFailed(errors)
    planned = draft.plan({name: answer.value or "" for name, answer in answers.items()})
    for member in members:
        member.work.check(planned.plan)
    for member in members:
        member.report.read_s = {name: answer.took_s for name, answer in answers.items()}
        member.report.phases_s |= {"read": read_s, "plan": perf_counter() - started - read_s}
        member.report.plan, member.report.own = planned.plan, None
    participants.expected.update(planned.devices)
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
            if owners[part] != work.root_of(part):
                raise PlanError(f"supporting service {part} belongs to service {owners[part]}; legal: an id of its own")


def _refuse_outdated(works: Iterable[Work], held: Mapping[tuple[str, str, str], tuple[str, Fragment]]) -> None:
    """Do nothing where the fragments that change are those that are stored now, under the devices' locks.

    Raises:
        Outdated: somebody changed one of them since the work was made.
    """
    for change in (change for work in works for made in work.changing().values() for change in made):
        _refuse_changed(change, held)


def _refuse_changed(change: FragmentChange, held: Mapping[tuple[str, str, str], tuple[str, Fragment]]) -> None:
    fragment = change.new or change.old
    if fragment is None or is_passing(fragment.service_id):
        return
    _, stored = held.get((fragment.service_id, fragment.device, fragment.intent), ("", None))
    if stored != change.old:
        raise Outdated(f"{fragment.service_id} on {fragment.device} was changed meanwhile")
