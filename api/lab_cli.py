"""``lastmile lab`` by itself, without the platform."""

import sys

import typer

from api.lab_commands import app as lab_app
from labs.errors import LabError, PortInUse
from labs.runtimes.ahead import WaitingProcess

app = typer.Typer(name="lastmile", rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)
app.add_typer(lab_app, name="lab")
app.callback()(lambda: None)


def main(process: WaitingProcess | None = None) -> None:
    """Run the command line; what the user can mend is one line, not a traceback.

    Args:
        process: one that was started ahead to hold the lab that is deployed.
    """
    try:
        app(prog_name="lastmile", obj=process)
    except PortInUse as error:
        sys.exit(f"lastmile: {error} (--ssh-port, --netconf-port)")
    except LabError as error:
        sys.exit(f"lastmile: {error}")
    finally:
        if process is not None:
            process.end()
