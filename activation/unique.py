"""Claims: the values of a service that no other live service may have, as its intents declare them. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from activation.desired import parts
from activation.intent import IntentSpec, Unique, camel_case
from activation.service_documents import state_of
from activation.states import ServiceState
from inventory.documents import Document, characteristics


def claims(intents: Mapping[str, IntentSpec], service: Document | None) -> tuple[str, ...]:
    """Return what ``service`` claims for itself, in words that name intent, device and values; sorted.

    A client's own name for its service is a claim as well: it makes a repeated request find the first one.
    A part that does not fit its intent claims nothing: it never comes to be.
    """
    if service is None or state_of(service) is ServiceState.TERMINATED:
        return ()
    found = {claim for part in parts(service) for claim in _of_part(intents, part)}
    named = {f"externalId {service['externalId']!r}"} if service.get("externalId") else set()
    return tuple(sorted(found | named))


def _of_part(intents: Mapping[str, IntentSpec], part: Document) -> Iterator[str]:
    spec = intents.get(str((part.get("serviceSpecification") or {}).get("id", "")))
    if spec is None or not spec.unique:
        return
    values = characteristics(part, "serviceCharacteristic")
    for unique in spec.unique:
        names = [camel_case(name) for name in unique.variables]
        if all(name in values for name in names):
            yield _words(spec, unique, values, names)


def _words(spec: IntentSpec, unique: Unique, values: Mapping[str, Any], names: Iterable[str]) -> str:
    where = f" on {values.get(camel_case(spec.device))}" if unique.within == "device" else ""
    return f"{spec.name}{where}: " + ", ".join(f"{name} {values[name]!r}" for name in names)
