"""From a TMF640 service to what each device is to carry: its parts become intents, its intents fragments."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from activation.errors import BadIntent
from activation.intent import IntentSpec, build_intent
from activation.model import Fragment, FragmentChange, Intent, ServiceId
from activation.render import Renderer
from activation.states import ServiceState
from inventory.documents import Document, characteristics


def parts(service: Document) -> Sequence[Document]:
    """Return what is to be configured: the supporting services by value, or the service itself."""
    supporting: Sequence[Document] = service.get("supportingService") or ()
    return supporting or (service,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderings:
    """Makes fragments of services.

    Attributes:
        platform_of: platform name by device name; raises UnknownResource for a device nobody knows.
    """

    intents: Mapping[str, IntentSpec]
    renderer: Renderer
    platform_of: Callable[[str], str]

    def fragments(self, service: Document) -> tuple[Fragment, ...]:
        """Return the fragments of ``service``, one per part: as they are in service, unless its state is ``inactive``.

        Raises:
            BadIntent: a part without specification, of an unknown one, with characteristics that do not fit, or with
                the id of another part.
            RenderError: a template failed.
            UnknownResource: a device that is not in the inventory.
        """
        active = service.get("state") != ServiceState.INACTIVE
        intents = [self._intent(part, active=active) for part in parts(service)]
        counted = Counter(intent.service_id for intent in intents)
        if twice := [service_id for service_id, count in counted.items() if count > 1]:
            raise BadIntent("supportingService", (f"the id {', '.join(twice)} is given twice; legal: one id per part",))
        return tuple(map(self._fragment, intents))

    def _intent(self, part: Document, *, active: bool) -> Intent:
        specification = str(part.get("serviceSpecification", {}).get("id", ""))
        spec = self.intents.get(specification)
        if spec is None:
            known = ", ".join(sorted(self.intents))
            raise BadIntent(specification or "service", (f"no intent has this specification id; known: {known}",))
        if not part.get("id"):
            raise BadIntent(specification, ("id is missing: a supporting service needs one",))
        values = characteristics(part, "serviceCharacteristic")
        return build_intent(spec, ServiceId(str(part["id"])), values, active=active)

    def _fragment(self, intent: Intent) -> Fragment:
        text = self.renderer.render(intent, self.platform_of(intent.device))
        return Fragment(service_id=intent.service_id, device=intent.device, intent=intent.name, text=text)


def changes(old: Iterable[Fragment], new: Iterable[Fragment]) -> Mapping[str, tuple[FragmentChange, ...]]:
    """Return what becomes of each device's fragments, by device; a device may have changes that change nothing."""
    before = {(fragment.service_id, fragment.device, fragment.intent): fragment for fragment in old}
    after = {(fragment.service_id, fragment.device, fragment.intent): fragment for fragment in new}
    by_device: dict[str, list[FragmentChange]] = {}
    for key in sorted(before.keys() | after.keys()):
        change = FragmentChange(old=before.get(key), new=after.get(key))
        by_device.setdefault(key[1], []).append(change)
    return {device: tuple(found) for device, found in sorted(by_device.items())}


def is_change(change: FragmentChange) -> bool:
    """Say whether the fragment's text differs at all."""
    return (change.old.text if change.old else None) != (change.new.text if change.new else None)
