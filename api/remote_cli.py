"""The commands that ask a running platform by themselves, without the platform's own code."""

import logging
import sys

import typer

from api import repair_commands
from api.client import ApiRefused
from api.device_commands import device_app
from api.drift_commands import EPILOG as DRIFT
from api.drift_commands import drift_command
from api.errors import ApiError
from api.feasibility_commands import EPILOG as FEASIBILITY
from api.feasibility_commands import feasibility_command
from api.hub.commands import hub_app
from api.order_commands import order_app
from api.plan_commands import HELP, plan_command
from api.review_commands import review_app
from api.service_commands import service_app
from api.transaction_commands import EPILOG as TRANSACTIONS
from api.transaction_commands import transactions_command

app = typer.Typer(name="lastmile", rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)
app.add_typer(device_app, name="device")
app.add_typer(hub_app, name="hub")
app.add_typer(order_app, name="order")
app.add_typer(review_app, name="review")
app.add_typer(service_app, name="service")
app.command("drift", epilog=DRIFT)(drift_command)
app.command("reconcile", epilog=repair_commands.RECONCILE)(repair_commands.reconcile_command)
app.command("redeploy", epilog=repair_commands.REDEPLOY)(repair_commands.redeploy_command)
app.command("rollback", epilog=repair_commands.ROLLBACK)(repair_commands.rollback_command)
app.command("feasibility", epilog=FEASIBILITY)(feasibility_command)
app.command("plan", epilog=HELP)(plan_command)
app.command("transactions", epilog=TRANSACTIONS)(transactions_command)


def main() -> None:
    """Run the command line; what the user can mend is one line, not a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        app(prog_name="lastmile")
    except (ApiError, ApiRefused) as error:
        sys.exit(f"lastmile: {error}")
