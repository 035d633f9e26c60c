"""Could it be delivered there? Answered by the layers themselves: they decompose and reserve, and all of it is undone.

What decides about a real order decides here too, in a transaction that is rolled back: nothing is reserved.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from pydantic import Field
from sqlalchemy import Connection

from api.offerings import Site, sold_at
from api.runtime.database import Database
from inventory.documents import Document
from inventory.ledger import Handler, UnitOfWork
from inventory.pool_store import PoolStore
from orders.catalog.contracts import CatalogSource
from orders.catalog.model import Catalog, CustomerService
from orders.errors import InvalidOrder, OrdersError
from orders.inbound import Inbound, SpecificationBody, Text, parse
from orders.resource.layer import ResourceOrdering
from orders.service.bodies import ServiceBody
from orders.service.decompose import needs
from orders.service.documents import reserved, reserving_order
from orders.service.layer import ServiceOrdering
from orders.service.model import Composition, Part, Reserved, load_tasks
from orders.states import OrderState

QUALIFIED: Final = "qualified"
UNQUALIFIED: Final = "unqualified"
_BEGUN: Final = frozenset({OrderState.IN_PROGRESS, OrderState.HELD, OrderState.COMPLETED})
_SERVICE_PATH: Final = "serviceOrderItem[0].service."


class ItemBody(Inbound):
    """One question: a service at a place."""

    id: Text = "1"
    service: ServiceBody
    product_offering: SpecificationBody | None = None


class QualificationBody(Inbound):
    """A TMF645 CheckServiceQualification_Create body."""

    provide_alternative: bool = False
    service_qualification_item: list[ItemBody] = Field(min_length=1, max_length=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What would become of an order.

    Attributes:
        reasons: why it would not be delivered; none where it would.
        resources: what it would reserve, were it ordered next.
        assumed: characteristics that the service needs and the question did not give: they were not looked at.
    """

    reasons: tuple[str, ...] = ()
    resources: tuple[Reserved, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def result(self) -> str:
        """TM Forum's word for it."""
        return UNQUALIFIED if self.reasons else QUALIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offered:
    """By which offerings a service is sold at a place, and why it is not by the one that was asked about."""

    told: list[dict[str, Any]] = field(default_factory=list)
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feasibility:
    """Answers whether a service could be delivered at a place."""

    database: Database
    catalog: CatalogSource
    services: ServiceOrdering
    resources: ResourceOrdering
    handlers: Mapping[str, Handler]
    pools: PoolStore = field(default_factory=PoolStore)

    def check(self, body: Document) -> dict[str, Any]:
        """Return the TMF645 answer to ``body``; each item is judged as if it were the only one.

        Raises:
            InvalidOrder: the body is no question; names every path.
        """
        asked, document = parse(QualificationBody, body)
        items = document["serviceQualificationItem"]
        found = [self._item(item, with_alternatives=asked.provide_alternative) for item in items]
        results = {each["qualificationItemResult"] for each in found}
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            **document,
            "id": str(uuid4()),
            "checkServiceQualificationDate": now,
            "state": "done",
            "qualificationResult": UNQUALIFIED if UNQUALIFIED in results else QUALIFIED,
            "serviceQualificationItem": found,
            "@type": "CheckServiceQualification",
        }

    def verdict(self, service: Document) -> Verdict:
        """Return what would become of an order for ``service``, a TMF641 service with specification and place."""
        with self._trial() as (unit, catalog):
            assumed = _missing(catalog, service)
            verdict = self._ordered(unit, service) if not assumed else None
            return verdict or self._part_known(unit, catalog, service, assumed)

    @contextmanager
    def _trial(self) -> Iterator[tuple[UnitOfWork, Catalog]]:
        with self.database.rehearse() as rehearsal, rehearsal.begin() as unit:
            yield unit, self.catalog.current(unit)

    def _ordered(self, unit: UnitOfWork, service: Document) -> Verdict | None:
        """Order it in earnest, but for the end of the transaction; None: it waits for somebody before it reserves."""
        order = {"serviceOrderItem": [{"id": "1", "action": "add", "service": service}]}
        try:
            order_id = self.services.place(unit, order)
        except InvalidOrder as error:
            return Verdict(reasons=tuple(str(each).removeprefix(_SERVICE_PATH) for each in error.problems))
        self._run(unit, order_id)
        row = self.services.orders.get(unit, order_id)
        task = load_tasks(row.task)["1"]
        if row.state == OrderState.PENDING:
            return None
        if row.state not in _BEGUN or task.errors:
            return Verdict(reasons=tuple(dict.fromkeys(_said(each) for each in task.errors)) or (f"{row.state}",))
        return Verdict(resources=task.composition.resources)

    def _part_known(self, unit: UnitOfWork, catalog: Catalog, service: Document, assumed: tuple[str, ...]) -> Verdict:
        """Decompose and reserve what is known, as the layers would."""
        lane = str(uuid4())
        composition = self._composition(unit, catalog, service)
        try:
            wanted = needs(catalog, composition)
        except OrdersError as error:
            return Verdict(reasons=(str(error),), assumed=assumed)
        taken: list[Reserved] = []
        for number, need in enumerate(wanted):
            part = Part(service_id=str(number), specification_id=need.specification_id, requires=need.requires)
            if not part.requires:
                continue
            order = reserving_order(catalog, part, composition, f"{lane}:{number}")
            order_id = self.resources.place(unit, order, correlation_id=lane)
            self._run(unit, lane)
            row = self.resources.orders.get(unit, order_id)
            if row.state != OrderState.COMPLETED:
                return Verdict(reasons=tuple(each["text"] for each in row.document["note"]), assumed=assumed)
            taken += reserved(row.document, part.service_id)
        return Verdict(resources=tuple(taken), assumed=assumed)

    def _composition(self, unit: UnitOfWork, catalog: Catalog, service: Document) -> Composition:
        place = service["place"][0]
        specification = _specification(catalog, service)
        return Composition(
            specification_id=specification.id if specification is not None else "",
            version=specification.version if specification is not None else "",
            place={"id": place["id"], "name": place.get("name"), "role": place.get("role")},
            place_attributes=dict(self.services.places.attributes(unit, place["id"])),
            values=_values(service),
        )

    def _run(self, unit: UnitOfWork, lane: str) -> None:
        while (job := unit.take(self.handlers, lane)) is not None:  # type: ignore[attr-defined] # a rehearsal's unit
            with unit.step():  # type: ignore[attr-defined] # the same
                self.handlers[job.kind](job, unit)

    def _item(self, item: Document, *, with_alternatives: bool) -> dict[str, Any]:
        verdict = self.verdict(item["service"])
        offered = self._offered(item)
        verdict = replace(verdict, reasons=(*verdict.reasons, *offered.reasons))
        answer = {
            "id": item.get("id", "1"),
            "state": "done",
            "qualificationItemResult": verdict.result,
            "service": {**item["service"], **_resources(verdict)},
            "@type": "ServiceQualificationItem",
        }
        if verdict.reasons:
            codes = [{"code": "notFeasible", "label": each} for each in verdict.reasons]
            answer["eligibilityUnavailabilityReason"] = codes
            if with_alternatives:
                answer["alternateServiceProposal"] = list(self._alternatives(item["service"]))
        own: dict[str, Any] = {"offering": offered.told} if offered.told else {}
        if verdict.assumed:
            own["notConsidered"] = list(verdict.assumed)
        if verdict.resources:
            own["free"] = self._free(verdict)
        return {**answer, "lastmile": own} if own else answer

    def _offered(self, item: Document) -> _Offered:
        """Return by which offerings the service is sold there, and why not by the one that is named."""
        service, named = item["service"], item.get("productOffering")
        place = next((each for each in service.get("place", ()) if each.get("id")), None)
        if place is None:
            return _Offered()
        with self._trial() as (unit, catalog):
            attributes = dict(self.services.places.attributes(unit, place["id"]))
            site = Site(place=dict(place), attributes=attributes, values=_values(service))
            asked = str((service.get("serviceSpecification") or {}).get("id"))
            found = {offering.id: reason for offering, reason in sold_at(catalog, asked, site)}
        wanted = str(named["id"]) if named is not None else ""
        told = [
            {"id": key, "sold": not reason, **({"reason": reason} if reason else {})} for key, reason in found.items()
        ]
        if wanted and wanted not in found:
            legal = ", ".join(found) or "none"
            return _Offered(
                told=told, reasons=(f"productOffering.id: {wanted!r} does not sell {asked!r} (legal: {legal})",)
            )
        return _Offered(told=told, reasons=(found[wanted],) if wanted and found[wanted] else ())

    def _alternatives(self, service: Document) -> Iterator[dict[str, Any]]:
        with self._trial() as (_, catalog):
            known = dict(catalog.customer_services)
        asked = (service.get("serviceSpecification") or {}).get("id")
        for key in sorted(known.keys() - {asked}):
            taken = {each.name for each in known[key].characteristics}
            given = [each for each in service.get("serviceCharacteristic", ()) if each["name"] in taken]
            other = {**service, "serviceSpecification": {"id": key}, "serviceCharacteristic": given}
            verdict = self.verdict(other)
            if not verdict.reasons:
                yield {"id": key, "alternateService": {**other, **_resources(verdict)}}

    def _free(self, verdict: Verdict) -> list[dict[str, Any]]:
        """Return how much is left of what it would take from."""
        with self.database.read() as connection:
            return list(_pools(self.pools, connection, self.catalog.read(connection, datetime.now(UTC)), verdict))


def _pools(pools: PoolStore, connection: Connection, catalog: Catalog, verdict: Verdict) -> Iterator[dict[str, Any]]:
    names: set[str] = set()
    for each in verdict.resources:
        shelf = catalog.resource_specifications.named(each.specification_id)
        values = each.characteristics
        names.add(f"{values.get('olt')}/{values.get('ponPort')}" if shelf is None or not shelf.pool else shelf.pool)
    for usage in pools.usage(connection):
        if usage["pool"] in names:
            yield {"pool": usage["pool"], "kind": usage["kind"], "free": usage["free"], "size": usage["size"]}


def _resources(verdict: Verdict) -> dict[str, Any]:
    """Return what would be reserved, as TMF645 says it: resources that do not exist yet have no id."""
    if not verdict.resources:
        return {}
    found = [
        {
            "name": each.name,
            "resourceCharacteristic": [{"name": name, "value": value} for name, value in each.characteristics.items()],
            "resourceSpecification": {"id": each.specification_id},
            "@type": "ResourceRef",
            "@referredType": "LogicalResource",
        }
        for each in verdict.resources
    ]
    return {"supportingResource": found}


def _missing(catalog: Catalog, service: Document) -> tuple[str, ...]:
    specification = _specification(catalog, service)
    if specification is None or not any(each.get("id") for each in service.get("place", ())):
        return ()
    given = _values(service)
    return tuple(
        each.name
        for each in specification.characteristics
        if each.required and each.default is None and each.name not in given
    )


def _specification(catalog: Catalog, service: Document) -> CustomerService | None:
    """Return what is asked for where it is offered; a real order then says what is wrong with anything else."""
    named: Mapping[str, Any] = service.get("serviceSpecification") or {}
    found = catalog.customer_services.get(str(named.get("id")))
    return found if found is not None and named.get("version") in (None, found.version) else None


def _values(service: Document) -> dict[str, Any]:
    given: Sequence[Document] = service.get("serviceCharacteristic") or ()
    return {each["name"]: each["value"] for each in given}


def _said(error: Mapping[str, Any]) -> str:
    return str(error.get("message") or error.get("reason") or error.get("code"))
