"""What only asks a running platform imports none of it: an engineer does not wait for code that is not used."""

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest
from typer.main import get_group

from api import cli, remote_cli
from api.main import QUICK, REMOTE

PROGRAM = """
import sys
import api.main
sys.argv = ["lastmile", {command!r}, "--help"]
try:
    api.main.main()
finally:
    heavy = {{"sqlalchemy", "fastapi", "napalm", "netmiko", "asyncssh", "lxml", "alembic", "hier_config"}}
    print("HEAVY", sorted(heavy & set(sys.modules)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", REMOTE)
def test_a_command_that_asks_a_platform_imports_none(command: str) -> None:
    program = PROGRAM.format(command=command)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "HEAVY []" in done.stdout
    assert f"Usage: lastmile {command}" in done.stdout


def shape(command: Any) -> tuple[object, ...]:
    """Return what a command line shows of a command, and of those below it."""
    options = [(each.name, each.opts, each.required) for each in command.params]
    return command.help, command.epilog, options, [shape(each) for each in getattr(command, "commands", {}).values()]


def test_the_quick_commands_are_the_same_as_the_whole_command_lines() -> None:
    quick, whole = get_group(remote_cli.app), get_group(cli.app)
    assert set(quick.commands) == set(REMOTE)
    for name in REMOTE:
        assert shape(quick.commands[name]) == shape(whole.commands[name])


def test_the_command_line_begins_where_the_choice_is_made() -> None:
    (script,) = entry_points(group="console_scripts", name="lastmile")
    assert script.value == "api.main:main"
    assert QUICK.keys() == {"lab", *REMOTE}
