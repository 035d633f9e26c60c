"""Runs every rule over one snapshot of the database."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

import templates
from activation.intent import IntentSpec, load_intents
from activation.repair import is_baseline
from activation.states import TRANSACTION, MonitorState, ReviewState, Step
from activation.unique import claims
from api.far.model import Layer
from api.far.store import asked, neighbours_known
from api.fsck import store
from api.fsck.beside import BesideCheck
from api.fsck.chains import Parent, check_children, check_progress
from api.fsck.claims import ClaimFacts, asked_by, check_held, check_own, wanted_of
from api.fsck.holdings import (
    ServiceFacts,
    check_activation,
    check_claim,
    check_fragments,
    check_pool,
    check_product,
    check_reservation,
    check_reserved,
    check_service,
    check_used,
    is_live_product,
)
from api.fsck.jobs import check_jobs, work
from api.fsck.model import Entity, Finding, Held, RebuildPools, Repair
from api.fsck.records import check_gone, check_path, check_records
from inventory.store import Row
from orders.service.model import load_composition, load_tasks
from orders.service.states import ServiceState
from orders.states import FINAL

OnProgress = Callable[[str, int, int], None]
"""Called with what is checked, how much of it is done, and how much there is."""

INTENTS: Final = Path(templates.__file__).parent / "intents.yaml"
_VALUES_IN_DOUBT: Final = frozenset(
    {"resource-without-reservation", "service-without-resource", "reservation-value", "pool-outside", "pool-unknown"}
)
"""Rules after which the reservations are not to be believed as to which values are in use."""


def _silent(_: str, __: int, ___: int) -> None:
    pass


def check(connection: Connection, *, on_progress: OnProgress = _silent) -> list[Finding]:
    """Return everything in the database that does not agree; nothing is changed.

    Args:
        connection: one snapshot; the platform may be running.
        on_progress: is told how far the check is.
    """
    apart = {rule for layer in neighbours_known(connection) for rule in _JUDGED_ELSEWHERE.get(layer, ())}
    every = _Check(connection=connection, on_progress=on_progress).findings()
    found = [finding for finding in every if finding.rule not in apart]
    if not any(finding.rule in _VALUES_IN_DOUBT for finding in found):
        return found
    return [replace(finding, repairs=tuple(_without_rebuild(finding.repairs))) for finding in found]


def _without_rebuild(repairs: Iterable[Repair]) -> Iterator[Repair]:
    """Yield the repairs but for the free spans: computed from what is in doubt, they would free what is in use."""
    return (repair for repair in repairs if not isinstance(repair, RebuildPools))


_JUDGED_ELSEWHERE: Final[Mapping[Layer, frozenset[str]]] = {
    Layer.SOM: frozenset({"product-without-service"}),
    Layer.ROM: frozenset({"service-without-resource"}),
    Layer.ACTIVATION: frozenset({"service-activation", "service-without-fragments"}),
}
"""Rules that need what a layer in another process has, by that layer."""


@dataclass(slots=True, kw_only=True)
class _Check:
    """One run.

    Attributes:
        at_work: the orders and monitors that a job moves or whose event a job carries, or another process.
        elsewhere: what was asked of layers in other processes by external id, and whether that has not ended.
        uses: the resources that live services stand on, each with its service.
        realized: the live products by the service they stand on.
        intents: what services have for themselves.
        claimed: what is claimed; ``claiming``: what each TMF640 service may claim.
        beside: what filters are answered from, by kind.
    """

    connection: Connection
    on_progress: OnProgress
    at_work: frozenset[str] = frozenset()
    elsewhere: Mapping[str, bool] = field(default_factory=dict)
    uses: dict[str, str] = field(default_factory=dict)
    realized: dict[str, str] = field(default_factory=dict)
    intents: Mapping[str, IntentSpec] = field(default_factory=lambda: load_intents(INTENTS))
    claimed: ClaimFacts = field(default_factory=lambda: ClaimFacts(holders={}, asked={}, unrestored=frozenset()))
    claiming: dict[str, set[str]] = field(default_factory=dict)
    beside: dict[str, BesideCheck] = field(default_factory=dict)

    def findings(self) -> Iterator[Finding]:
        """Yield what every rule finds."""
        jobs = work(self.connection)
        self.elsewhere = asked(self.connection)
        # What another process does for an order moves it on as a job does.
        waiting = {name.partition(":")[0] for name, is_open in self.elsewhere.items() if is_open}
        self.at_work = frozenset(job.moves_id for job in jobs) | waiting
        yield from check_jobs(jobs)
        for kind, parents in self._levels().items():
            yield from self._orders(kind, parents)
        yield from self._each("product", self._product_rules)
        yield from self._each("service", self._service_rules)
        self.claimed = self._claims()
        yield from self._each("activationService", self._activation_rules)
        yield from check_held(self.claiming, self.claimed)
        yield from self._each("resource", self._resource_rules)
        yield from self._each("review", self._review_rules)
        for kind in store.TABLES:
            for key, moves in store.gone(self.connection, kind).items():
                yield from check_gone(kind, key, moves)
        yield from self._reservations()
        yield from chain.from_iterable(check_pool(pool) for pool in store.pools(self.connection))
        yield from self._fragments()
        yield from self._transactions()
        for beside in self.beside.values():
            yield from beside.findings(self.connection)

    def _claims(self) -> ClaimFacts:
        unrestored = store.requests_of(self.connection, store.unrestored_chains(self.connection))
        return ClaimFacts(
            holders=store.claim_holders(self.connection),
            asked=asked_by(store.requests_of(self.connection)),
            unrestored=frozenset(service_id for service_id, _ in unrestored),
        )

    def _levels(self) -> Mapping[str, Callable[[Sequence[Entity]], Iterable[Parent]]]:
        return {
            "productOrder": self._with_service_orders,
            "serviceOrder": self._with_work,
            "resourceOrder": lambda found: (Parent(entity=each) for each in found),
            "monitor": lambda found: (Parent(entity=each) for each in found),
        }

    def _each(self, kind: str, rules: Callable[[Sequence[Row]], Iterable[Finding]]) -> Iterator[Finding]:
        """Apply the rules on single resources, and ``rules``, to all resources of one kind."""
        for page in self._pages(kind):
            for entity in store.entities(self.connection, kind, page):
                yield from check_records(entity)
            yield from rules(page)

    def _orders(self, kind: str, parents: Callable[[Sequence[Entity]], Iterable[Parent]]) -> Iterator[Finding]:
        for page in self._pages(kind):
            found = store.entities(self.connection, kind, page)
            for entity in found:
                yield from check_records(entity)
            for parent in parents(found):
                yield from check_progress(parent, self.at_work)
                yield from check_children(parent)

    def _pages(self, kind: str) -> Iterator[list[Row]]:
        total, done = store.count(self.connection, kind), 0
        self.on_progress(kind, done, total)
        beside = BesideCheck.of(kind)
        if beside is not None:
            self.beside[kind] = beside
        for page in store.pages(self.connection, kind):
            if beside is not None:
                beside.add(self.connection, page)
            yield page
            done += len(page)
            self.on_progress(kind, done, total)

    def _with_service_orders(self, found: Sequence[Entity]) -> Iterator[Parent]:
        children = store.by_external_ids(self.connection, "serviceOrder", [each.row.id for each in found])
        by_parent: dict[str, list[Entity]] = defaultdict(list)
        for child in store.entities(self.connection, "serviceOrder", children):
            by_parent[child.row.external_id or ""].append(child)
        for entity in found:
            yield Parent(entity=entity, children=by_parent[entity.row.id])

    def _with_work(self, found: Sequence[Entity]) -> Iterator[Parent]:
        chains = [each.row.correlation_id for each in found]
        by_parent: dict[str, list[Entity]] = defaultdict(list)
        for kind in ("resourceOrder", "monitor"):
            children = store.by_correlation_ids(self.connection, kind, chains)
            for child in store.entities(self.connection, kind, children):
                by_parent[(child.row.external_id or "").partition(":")[0]].append(child)
        for entity in found:
            sent = {order.external_id for task in load_tasks(entity.row.task).values() for order in task.sent}
            yield Parent(entity=entity, children=by_parent[entity.row.id], sent=frozenset(sent - self.elsewhere.keys()))

    def _product_rules(self, page: Sequence[Row]) -> Iterator[Finding]:
        realizing = {row.id: [each["id"] for each in row.document.get("realizingService", ())] for row in page}
        services = store.heads(self.connection, "service", list(chain.from_iterable(realizing.values())))
        orders = self._states("productOrder", page)
        for row in page:
            states = [services[key].state for key in realizing[row.id] if key in services]
            yield from check_product(row, states[0] if states else None)
            yield from check_claim("product", row, orders)
            if is_live_product(row.state):
                self.realized |= dict.fromkeys(realizing[row.id], row.id)

    def _service_rules(self, page: Sequence[Row]) -> Iterator[Finding]:
        for row in page:
            if row.state != ServiceState.TERMINATED:
                used = row.document.get("supportingResource") or ()
                self.uses |= {str(each["id"]): row.id for each in used}
        composed = [row for row in page if "composition" in row.task]
        orders = self._states("serviceOrder", composed)
        for facts in self._service_facts(composed):
            yield from check_service(facts)
            yield from check_claim("service", facts.row, orders)

    def _service_facts(self, composed: Sequence[Row]) -> Iterator[ServiceFacts]:
        ids = [row.id for row in composed]
        parts = {row.id: [part.service_id for part in load_composition(row.task).parts] for row in composed}
        found = store.heads(self.connection, "service", list(chain.from_iterable(parts.values())))
        configured = store.fragment_owners(self.connection, ids)
        activated = store.heads(self.connection, "activationService", ids)
        ordered_by = self._ended_product_orders(composed)
        for row in composed:
            yield ServiceFacts(
                row=row,
                states={key: found[key].state if key in found else None for key in parts[row.id]},
                fragments=frozenset(configured.get(row.id, ())),
                activation=activated[row.id].state if row.id in activated else None,
                ordered_by=ordered_by.get(row.id),
                product=self.realized.get(row.id),
            )

    def _ended_product_orders(self, services: Sequence[Row]) -> dict[str, str]:
        """Return the product order behind each service, where there is one and it has ended."""
        origins = {
            row.id: [str(each["serviceOrderId"]) for each in row.document["serviceOrderItem"]] for row in services
        }
        service_orders = store.heads(self.connection, "serviceOrder", list(chain.from_iterable(origins.values())))
        parents = [row.external_id or "" for row in service_orders.values()]
        product_orders = store.heads(self.connection, "productOrder", parents)
        found = {}
        for service_id, orders in origins.items():
            for order in (service_orders[key] for key in orders if key in service_orders):
                parent = product_orders.get(order.external_id or "")
                if parent is not None and parent.state in FINAL:
                    found[service_id] = parent.id
        return found

    def _states(self, kind: str, page: Sequence[Row]) -> dict[str, str]:
        """Return the states of the orders that are in flight for these products or services."""
        claimed = [str(row.task["order"]) for row in page if row.task.get("order")]
        return {key: row.state for key, row in store.heads(self.connection, kind, claimed).items()}

    def _activation_rules(self, page: Sequence[Row]) -> Iterator[Finding]:
        configured = store.fragment_owners(self.connection, [row.id for row in page])
        for row in page:
            yield from check_activation(row, has_fragments=row.id in configured)
            due = claims(self.intents, wanted_of(row))
            self.claiming[row.id] = {*due, *row.task.get("claims", ())}
            yield from check_own(row, due, self.claimed)

    def _review_rules(self, page: Sequence[Row]) -> Iterator[Finding]:
        waiting = [row for row in page if row.state == ReviewState.WAITING]
        monitors = store.heads(self.connection, "monitor", [str(row.task["monitorId"]) for row in waiting])
        for row in waiting:
            monitor = monitors.get(str(row.task["monitorId"]))
            if monitor is None or monitor.state != MonitorState.IN_PROGRESS:
                text = f"people are asked, and its monitor is {monitor.state if monitor else 'not there'!r}"
                yield Finding(rule="review-without-monitor", kind="review", id=row.id, text=text)

    def _resource_rules(self, page: Sequence[Row]) -> Iterator[Finding]:
        return check_reserved(page, store.reserved_ids(self.connection, [row.id for row in page]))

    def _reservations(self) -> Iterator[Finding]:
        yield from check_used(self.uses, store.reserved_ids(self.connection, self.uses))
        unrestored = store.unrestored_chains(self.connection)
        for page in store.reservation_pages(self.connection):
            yield from chain.from_iterable(check_reservation(held) for held in self._held(page, unrestored))

    def _held(self, page: Sequence[Mapping[str, Any]], unrestored: frozenset[str]) -> Iterator[Held]:
        owners = {row["resource_id"]: row["owner"].rpartition(":")[0] for row in page}
        resources = store.rows(self.connection, "resource", list(owners))
        orders = store.heads(self.connection, "resourceOrder", list(owners.values()))
        senders = {key: (row.external_id or "").partition(":")[0] for key, row in orders.items()}
        parents = store.heads(self.connection, "serviceOrder", list(senders.values()))
        open_chains = store.open_chains(self.connection, [row.correlation_id for row in resources.values()])
        for row in page:
            key, order_id = row["resource_id"], owners[row["resource_id"]]
            known = [each for each in (resources.get(key), orders.get(order_id)) if each is not None]
            yield Held(
                resource_id=key,
                allocation=row["allocation"],
                pool=row["pool"],
                value=row["value"],
                owner_key=row["owner"],
                resource=resources.get(key),
                owner=orders.get(order_id),
                parent=parents.get(senders.get(order_id, "")),
                used_by=self.uses.get(key),
                in_flight=any(each.correlation_id in open_chains for each in known),
                unrestored=any(each.correlation_id in unrestored for each in known),
            )

    def _fragments(self) -> Iterator[Finding]:
        owners = store.fragment_owners(self.connection)
        services = store.rows(self.connection, "activationService", list(owners))
        for root_id, service_ids in owners.items():
            if is_baseline(root_id):
                continue  # What a device showed and somebody adopted: nobody's service.
            yield from check_fragments(root_id, frozenset(service_ids), services.get(root_id))

    def _transactions(self) -> Iterator[Finding]:
        for key, step, monitor_id, moves in store.transaction_paths(self.connection):
            yield from check_path("deviceTransaction", key, moves, step)
            if TRANSACTION.is_final(Step(step)):
                continue
            monitor = store.heads(self.connection, "monitor", [monitor_id]).get(monitor_id)
            if monitor is None or monitor.state != MonitorState.IN_PROGRESS:
                text = f"it stopped while {step!r}, and its monitor has ended; the next start rolls it back"
                yield Finding(rule="transaction-open", kind="deviceTransaction", id=key, text=text)
