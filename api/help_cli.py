"""What ``lastmile --help`` shows: every command and what it is for, without the code behind any of them."""

from collections.abc import Mapping
from typing import Final

import typer

ABOUT: Final = "Turns a customer's order into verified configuration on OLTs, switches and routers."
COMMANDS: Final[Mapping[str, str]] = {
    "plan": "Show what ORDER would change on which devices, after everything queued and in flight; nothing is stored.",
    "feasibility": (
        "Say whether SERVICE could be delivered at PLACE now, by which port and from which pools; nothing is reserved."
    ),
    "drift": (
        "Compare DEVICEs with what their services want: missing, changed and foreign configuration, and whose it is."
    ),
    "reconcile": "Put DEVICE and its intended configuration together again: all that deviates, or only PATHS.",
    "redeploy": "Render SERVICE anew with today's templates and push what differs or is missing on its devices.",
    "rollback": "Undo a past TRANSACTION on today's configuration; 'lastmile transactions' lists them.",
    "transactions": (
        "List transactions on devices: step, since when, devices, for which services, and why one goes back."
    ),
    "fsck": (
        "Prove that orders, events, jobs, reservations and inventories agree; exit code 1 where something does not."
    ),
    "serve": "Run the platform (and the lab) until it is interrupted, and print its URLs.",
    "api": "Serve the HTTP API alone; as many as wanted share one PostgreSQL database with the workers.",
    "worker": "Work on jobs alone; as many as wanted share one PostgreSQL database.",
    "demo": (
        "Order, upgrade and cease one broadband product on a fresh lab, and show every step; with packets on netns."
    ),
    "jobs": "Jobs that kept failing and wait for a person.",
    "token": "Access tokens of the HTTP API: each has a name and a role.",
    "catalog": "The catalog: offerings, specifications, decomposition.",
    "review": "Plans that wait for people: read, approve, reject.",
    "order": "Orders: list, look into, hold, mend, cancel.",
    "hub": "Subscribers of events, and events they did not take.",
    "mail": "E-mails to whoever ordered.",
    "db": "The database: upgrade, check, backup, restore.",
    "device": "Devices: sessions, quarantine, host keys.",
    "inventory": "The inventory of devices.",
    "lab": "Virtual labs from containerlab topologies: deploy, look into, disturb, destroy.",
    "service": "Services: whether they work, and what one that failed left behind.",
}
"""In the order of the whole command line."""

app = typer.Typer(
    name="lastmile", help=ABOUT, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False
)


def _shown_only() -> None:
    """Do nothing: :mod:`api.main` comes here for the list alone."""


for _name, _about in COMMANDS.items():
    app.command(_name, help=_about)(_shown_only)


def main() -> None:
    """Show the commands."""
    app(prog_name="lastmile")
