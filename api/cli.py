"""The command line: ``lastmile``."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from activation.errors import BadPolicy
from api import repair_commands
from api.catalog_commands import catalog_app
from api.client import ApiRefused
from api.collector import settle_heap
from api.db_commands import app as db_app
from api.demo.story import Story, tell_split
from api.demo.story import tell as tell_story
from api.device_commands import device_app
from api.drift_commands import EPILOG as DRIFT_EPILOG
from api.drift_commands import drift_command
from api.errors import ApiError, StartRefused
from api.far.model import Layer
from api.feasibility_commands import EPILOG as FEASIBILITY
from api.feasibility_commands import feasibility_command
from api.fsck.command import fsck_command
from api.help_cli import ABOUT
from api.http.app import create_app
from api.http.server import bind, serve, url_of
from api.hub.commands import hub_app
from api.inventory_commands import inventory_app
from api.lab_commands import app as lab_app
from api.mail.commands import mail_app
from api.order_commands import order_app
from api.plan_commands import HELP, plan_command
from api.review_commands import review_app
from api.runtime.worker import DEVICE_THREAD
from api.service_commands import service_app
from api.settings import Settings
from api.storage import existing_storage
from api.system import System
from api.token_commands import token_app
from api.transaction_commands import EPILOG as TRANSACTIONS_EPILOG
from api.transaction_commands import transactions_command
from api.wiring import Part, running_system
from inventory.errors import InventoryError
from labs.errors import LabError, PortInUse
from labs.runtimes.registry import RUNTIMES
from orders.errors import OrdersError

app = typer.Typer(
    name="lastmile",
    help=ABOUT,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
jobs_app = typer.Typer(help="Jobs that kept failing and wait for a person.", no_args_is_help=True)
app.add_typer(jobs_app, name="jobs")
app.add_typer(token_app, name="token")
app.add_typer(catalog_app, name="catalog")
app.add_typer(review_app, name="review")
app.add_typer(order_app, name="order")
app.command("plan", epilog=HELP)(plan_command)
app.add_typer(hub_app, name="hub")
app.add_typer(mail_app, name="mail")
app.add_typer(db_app, name="db")
app.add_typer(device_app, name="device")
app.command("feasibility", epilog=FEASIBILITY)(feasibility_command)
app.command("drift", epilog=DRIFT_EPILOG)(drift_command)
app.add_typer(inventory_app, name="inventory")
app.add_typer(lab_app, name="lab")
app.add_typer(service_app, name="service")
app.command("reconcile", epilog=repair_commands.RECONCILE)(repair_commands.reconcile_command)
app.command("redeploy", epilog=repair_commands.REDEPLOY)(repair_commands.redeploy_command)
app.command("rollback", epilog=repair_commands.ROLLBACK)(repair_commands.rollback_command)
app.command("transactions", epilog=TRANSACTIONS_EPILOG)(transactions_command)
app.command("fsck", epilog="Examples:  lastmile fsck --json   ·   lastmile fsck --repair")(fsck_command)
console = Console()

Port = Annotated[int | None, typer.Option(help="TCP port of the HTTP API (8640); 0: any free one.", min=0, max=65535)]
Data = Annotated[Path | None, typer.Option(help="Folder of the database (./lastmile-data).")]
Lab = Annotated[str | None, typer.Option(help="Topology or shipped lab to serve, or 'none' (ftth).")]
Runtime = Annotated[str | None, typer.Option(help=f"How the lab runs: {', '.join(RUNTIMES)} (embedded).")]
DatabaseUrl = Annotated[str | None, typer.Option(help="postgresql://… instead of SQLite in the data folder.")]
Kinds = Annotated[str | None, typer.Option(help="Job kinds or layers, comma separated: product,activation (all).")]
Concurrency = Annotated[int | None, typer.Option(help="Changes of devices under way at a time (64).", min=1, max=1000)]
Auth = Annotated[str | None, typer.Option(help="'on' or 'off': whether requests need a bearer token (on).")]

LayerOption = Annotated[str | None, typer.Option(help="Be this part of the chain: com, som, rom, activation (all).")]
Upstream = Annotated[str | None, typer.Option(help="Where the layers below are: som=http://…,rom=http://….")]
Split = Annotated[bool, typer.Option("--split", help="On four processes, one per layer.")]
Policy = Annotated[Path | None, typer.Option(help="YAML file: which plans wait for people (none).", metavar="FILE")]


@app.command(
    "serve",
    epilog="Examples:  lastmile serve --port 8640 --data ./lastmile-data --lab none --auth on   ·   "
    "lastmile serve --lab ftth --runtime netns   ·   lastmile serve --layer com --upstream som=http://127.0.0.1:8642",
)
def serve_command(  # noqa: PLR0913, PLR0917 - one parameter per option
    port: Port = None,
    data: Data = None,
    database: DatabaseUrl = None,
    lab: Lab = None,
    runtime: Runtime = None,
    auth: Auth = None,
    review_policy: Policy = None,
    layer: LayerOption = None,
    upstream: Upstream = None,
) -> None:
    """Run the platform (and the lab) until it is interrupted, and print its URLs."""
    of_lab = {"lab": lab, "runtime": runtime, "layer": layer, "upstream": upstream}
    settings = Settings.read(
        os.environ, port=port, data=data, database=database, auth=_on(auth), review_policy=review_policy, **of_lab
    )
    _serve(settings, Part.ALL)


@app.command("api", epilog="Example:  lastmile api --port 8641 --database postgresql://lastmile@db/lastmile")
def api_command(
    port: Port = None, database: DatabaseUrl = None, auth: Auth = None, review_policy: Policy = None
) -> None:
    """Serve the HTTP API alone; as many as wanted share one PostgreSQL database with the workers."""
    _serve(
        Settings.read(os.environ, port=port, database=database, auth=_on(auth), review_policy=review_policy), Part.API
    )


@app.command("worker", epilog="Example:  lastmile worker --kinds activation --concurrency 32 --database postgresql://…")
def worker_command(
    database: DatabaseUrl = None, kinds: Kinds = None, concurrency: Concurrency = None, review_policy: Policy = None
) -> None:
    """Work on jobs alone; as many as wanted share one PostgreSQL database."""
    settings = Settings.read(
        os.environ, database=database, kinds=kinds, concurrency=concurrency, review_policy=review_policy
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with running_system(settings, Part.WORKER):
        console.print(f"[bold]lastmile worker[/] works on {', '.join(settings.kinds) or 'everything'}")
        ended.wait()
    _leave()


def _serve(settings: Settings, part: Part) -> None:
    # The HTTP server ends with the signal that ended it; this way it unwinds what surrounds the server first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    listening = bind(settings.host, settings.port)
    try:
        here = settings.model_copy(update={"port": listening.getsockname()[1]})
        with running_system(here, part) as system:
            _announce(system, url_of(listening))
            settle_heap()
            serve(create_app(system), listening)
    finally:
        _leave()


def _leave() -> None:
    """End the process although device jobs still run: they had their grace, and a peer or the next start has them."""
    if any(thread.name.startswith(DEVICE_THREAD) for thread in threading.enumerate()):
        logging.getLogger(__name__).error("device jobs outlived their grace; leaving them to a peer or the next start")
        os._exit(1)


def _on(auth: str | None) -> bool | None:
    if auth not in {None, "on", "off"}:
        raise typer.BadParameter(f"{auth!r}; legal: on, off", param_hint="--auth")
    return None if auth is None else auth == "on"


@app.command("demo", epilog="Examples:  lastmile demo   ·   lastmile demo --split   ·   lastmile demo --runtime netns")
def demo_command(runtime: Runtime = None, split: Split = False) -> None:  # noqa: FBT002 - a flag, as typer declares it
    """Order, upgrade and cease one broadband product on a fresh lab, and show every step; with packets on netns."""
    if split and runtime is not None:
        raise typer.BadParameter("the split demo runs on the embedded lab", param_hint="--runtime")
    if not (tell_split(console) if split else tell_story(Story.fresh(console, runtime=runtime))):
        raise typer.Exit(1)


@jobs_app.command("list", epilog="Example:  lastmile jobs list --data ./lastmile-data")
def jobs_list_command(data: Data = None, database: DatabaseUrl = None) -> None:
    """List the parked jobs with the reason of their last attempt."""
    with existing_storage(Settings.read(os.environ, data=data, database=database)) as opened, opened.read() as reader:
        parked, pending = opened.queue.parked(reader), opened.queue.pending(reader)
    for job in parked:
        console.print(
            f"{job.job_id}  {job.kind}  {job.lane}  {job.attempt} attempts  {job.reason}", soft_wrap=True, markup=False
        )
    console.print(f"{len(parked)} parked, {pending} pending", highlight=False)


@jobs_app.command("retry", epilog="Example:  lastmile jobs retry 42;  lastmile jobs retry all")
def jobs_retry_command(job: str, data: Data = None, database: DatabaseUrl = None) -> None:
    """Run a parked JOB again, or all of them."""
    if job != "all" and not job.isdecimal():
        raise typer.BadParameter(f"{job!r}; legal: a job's number, all", param_hint="JOB")
    with existing_storage(Settings.read(os.environ, data=data, database=database)) as opened, opened.begin() as uow:
        again = opened.queue.retry(uow.connection, None if job == "all" else [int(job)])
    if not again and job != "all":
        raise StartRefused(f"job {job} is not parked; 'lastmile jobs list' shows those that are")
    console.print(f"ready again: {', '.join(map(str, again)) or 'none'}", highlight=False)


def main() -> None:
    """Run the command line; what the user can mend is one line, not a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The SSH libraries log every login and every dropped session; our own errors say what matters of it.
    for library in ("asyncssh", "paramiko", "ncclient", "netmiko", "nornir"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    try:
        app()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        sys.exit(f"lastmile: settings: {problems}")
    except PortInUse as error:
        sys.exit(f"lastmile: {error} (LASTMILE_LAB_SSH_PORT, LASTMILE_LAB_NETCONF_PORT)")
    except (ApiError, ApiRefused, LabError, OrdersError, InventoryError, BadPolicy) as error:
        sys.exit(f"lastmile: {error}")


def _shown(system: System) -> Iterator[str]:
    here = system.side.here
    if Layer.COM in here:
        yield "/tmf-api/productOrderingManagement/v4/productOrder"
    if Layer.ACTIVATION in here:
        yield "/lastmile/v1/device"


def _announce(system: System, url: str) -> None:
    console.print(f"[bold]lastmile[/] serves at [link={url}]{url}[/link]   (Ctrl-C ends it)")
    if system.first_token:
        console.print("Admin token, shown this once:", style="bold")
        console.print(f"  export LASTMILE_TOKEN={system.first_token}", soft_wrap=True, highlight=False)
    elif system.settings.auth:
        console.print("Access: the admin token printed at the first start; 'lastmile token create NAME' makes more.")
    bearer = ' -H "Authorization: Bearer $LASTMILE_TOKEN"' if system.settings.auth else ""
    for path in ("/health", *_shown(system)):
        console.print(f"  curl -s{bearer} {url}{path}", soft_wrap=True, highlight=False)
    if system.served is not None and system.served.notice:
        console.print(system.served.notice, highlight=False, soft_wrap=True)
    for node in system.nodes:
        how = f"ssh -p {node.port} {node.username}@{node.address}"
        if node.protocol == "netconf":
            how += " -s netconf"
        console.print(f"  {node.name:<8} {how}   (password: {node.password})", soft_wrap=True, highlight=False)
