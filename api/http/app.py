"""The HTTP application: the TMF APIs, the platform's own extensions, errors and access."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from activation.model import DeviceEdit, PlanId
from activation.store import plan_edits
from api import tokens
from api.far.model import Layer
from api.far.routes import add_listeners
from api.http import problems
from api.http.activation import add_activation
from api.http.catalog import add_catalog_changes
from api.http.catalog_files import add_catalog_files
from api.http.chains import add_chains
from api.http.collections import add_create, add_reads
from api.http.devices import add_devices
from api.http.drift import add_drift
from api.http.feasibility import add_feasibility
from api.http.history import add_histories
from api.http.interventions import add_interventions
from api.http.layers import is_served, served
from api.http.list_query import list_request
from api.http.listing import listed, paged
from api.http.order_life import add_order_life
from api.http.plan import add_plans
from api.http.quick_reads import QuickReads
from api.http.repairs import add_repairs
from api.http.review import add_reviews
from api.http.service_claims import add_service_claims
from api.http.service_tests import add_service_tests
from api.http.transactions import add_transactions
from api.hub.routes import add_hubs
from api.mail.routes import add_mails
from api.roles import ANONYMOUS, Actor, authorize
from api.runtime.contracts import ParkedJob
from api.runtime.history import event_page
from api.system import System
from inventory.errors import UnknownResource

EVENT_BASE = "/tmf-api/event/v4"
EVENT: Final = frozenset(
    {"id", "eventId", "eventTime", "eventType", "domain", "correlationId", "title", "@type", "timeOcurred", "event"}
)
PARKED: Final = frozenset({"job", "kind", "lane", "attempts", "reason"})


def create_app(system: System) -> FastAPI:
    """Return the application over one wired system."""
    app = FastAPI(title="lastmile", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.max_body_bytes = system.settings.max_body_bytes
    problems.install(app)
    app.add_api_route("/health", lambda: _health(system), methods=["GET"])
    add_listeners(app.router, system.database)
    # From here on nobody comes in unasked. A router within a router would be searched twice for each request.
    guarded = app.router
    guarded.dependencies.append(Depends(_guard(system)))
    _add_tmf(guarded, system)
    add_order_life(guarded, system)
    add_interventions(guarded, system)
    add_catalog_changes(guarded, system)
    add_catalog_files(guarded, system)
    if system.side.is_whole:
        # It asks all layers in one transaction.
        add_feasibility(guarded, system)
    add_histories(guarded, system)
    _add_events(guarded, system)
    _add_own(guarded, system)
    if Layer.ACTIVATION in system.side.here:
        _add_devices(guarded, system)
    add_hubs(guarded, system.hub, lambda base: is_served(base, system.side.here))
    add_chains(guarded, system)
    if Layer.COM in system.side.here:
        add_mails(guarded, system.database)
    if system.database.backend.dialect == "sqlite":
        auth = system.settings.auth
        app.add_middleware(QuickReads, collections=served(system), database=system.database, auth=auth)
    return app


def _add_devices(router: APIRouter, system: System) -> None:
    """TMF640, and what engineers do with devices."""
    add_activation(router, system.activation)
    add_devices(router, system)
    add_drift(router, system)
    add_transactions(router, system)
    add_repairs(router, system)
    add_plans(router, system)
    add_service_tests(router, system)
    add_service_claims(router, system)
    add_reviews(router, system)


def _guard(system: System) -> Any:  # noqa: ANN401 - a FastAPI dependency
    def who(header: str | None) -> Actor:
        with system.database.read() as connection:
            return tokens.check(connection, header)

    async def check(request: Request) -> None:
        request.state.actor = ANONYMOUS
        if system.settings.auth:
            header = request.headers.get("authorization")
            # A look into a file of this machine takes less than a thread does.
            is_near = system.database.backend.dialect == "sqlite"
            request.state.actor = who(header) if is_near else await run_in_threadpool(who, header)
            authorize(request.state.actor, request.method, request.url.path)

    return check


def _health(system: System) -> Mapping[str, Any]:
    with system.database.read() as connection:
        parked = system.database.queue.parked(connection)
        pending = system.database.queue.pending(connection)
    jobs = {"pending": pending, "parked": len(parked)}
    return {"status": "warn" if parked else "pass", "jobs": jobs}


def _parked(job: ParkedJob) -> Mapping[str, Any]:
    return {"job": job.job_id, "kind": job.kind, "lane": job.lane, "attempts": job.attempt, "reason": job.reason}


def _planned(edit: DeviceEdit) -> Mapping[str, Any]:
    """What an engineer needs of one device's share of a plan, the lines that undo it among it."""
    names = ("device", "platform", "diff", "edit", "inverse")
    return {name: getattr(edit, name) for name in names}


def _add_tmf(router: APIRouter, system: System) -> None:
    for collection in served(system):
        add_reads(router, collection)
        create = system.creates.get(collection.name)
        if create is not None:
            add_create(router, collection, system.database, create, system.layer_creates.get(collection.name))


def _add_events(router: APIRouter, system: System) -> None:
    """TMF688, reading: one topic per layer."""
    topics = ("product", "service", "resource", "activation", "inventory", "catalog")

    def read_topics(request: Request) -> Response:
        found = [{"id": name, "href": f"{EVENT_BASE}/topic/{name}", "name": name, "@type": "Topic"} for name in topics]
        return listed(request, found, frozenset(found[0]))

    def read_events(topic: str, request: Request) -> Response:
        if topic not in topics:
            raise UnknownResource("topic", topic, topics)
        wanted = list_request(request, EVENT)
        with system.database.read() as connection:
            found, total = event_page(connection, topic, wanted.query)
        return paged(wanted, found, total)

    router.add_api_route(f"{EVENT_BASE}/topic", read_topics, methods=["GET"])
    router.add_api_route(f"{EVENT_BASE}/topic/{{topic}}/event", read_events, methods=["GET"])


def _add_own(router: APIRouter, system: System) -> None:
    """What TM Forum has no API for: the whole chain of an order, the pools, the jobs that wait for a person."""

    def read_pools() -> Any:  # noqa: ANN401 - JSON
        with system.database.read() as connection:
            return system.pool_usage(connection)

    def read_parked(request: Request) -> Response:
        with system.database.read() as connection:
            found = [_parked(job) for job in system.database.queue.parked(connection)]
        return listed(request, found, PARKED)

    def read_plan(key: str) -> list[Mapping[str, Any]]:
        with system.database.read() as connection:
            return [_planned(edit) for edit in plan_edits(connection, PlanId(key))]

    if Layer.ROM in system.side.here:
        router.add_api_route("/lastmile/v1/pool", read_pools, methods=["GET"])
    router.add_api_route("/lastmile/v1/parkedJob", read_parked, methods=["GET"])
    router.add_api_route("/lastmile/v1/plan/{key}", read_plan, methods=["GET"])
