"""What only asks a running platform imports none of it: an engineer does not wait for code that is not used."""

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from api import cli, remote_cli
from api.help_cli import COMMANDS
from api.help_cli import app as APP  # noqa: N812 - a value of this module
from api.main import QUICK, REMOTE, module_for

WIDE = {"COLUMNS": "200"}
PROGRAM = """
import os
import sys
import api.main
os.environ.pop("_LASTMILE_COMPLETE", None)
sys.argv = ["lastmile", *{words!r}]
try:
    api.main.main()
finally:
    print("LOADED", *sorted(sys.modules))
"""
HEAVY = frozenset(
    {
        "alembic",
        "asyncssh",
        "fastapi",
        "hier_config",
        "jinja2",
        "lxml",
        "napalm",
        "ncclient",
        "netmiko",
        "nornir",
        "paramiko",
        "sqlalchemy",
        "uvicorn",
    }
)
"""What no command needs that only asks."""
PLATFORM = frozenset(
    {"api.cli", "api.wiring", "api.system", "api.settings", "activation.engine", "orders.product.layer"}
)


def loaded(*words: str) -> tuple[frozenset[str], str]:
    """Return the modules that a command line loads, and what it prints."""
    program = PROGRAM.format(words=words)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in {0, 2}, done.stderr
    shown, _, names = done.stdout.partition("LOADED ")
    return frozenset(names.split()), shown


@pytest.mark.slow
@pytest.mark.parametrize("command", ["order", "drift"])
def test_a_command_that_asks_a_platform_imports_none(command: str) -> None:
    modules, shown = loaded(command, "--help")
    assert not (HEAVY | PLATFORM) & modules
    assert f"Usage: lastmile {command}" in shown


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--help",)])
def test_the_list_of_commands_imports_none_of_them(words: tuple[str, ...]) -> None:
    modules, shown = loaded(*words)
    assert not (HEAVY | PLATFORM | {"httpx", "pydantic", "yaml", "asyncio"}) & modules
    assert "Orders: list, look into, hold, mend, cancel." in shown


@pytest.mark.parametrize(
    ("words", "environment", "module"),
    [
        (["--help"], {}, "api.help_cli"),
        ([], {}, "api.help_cli"),
        ([], {"_LASTMILE_COMPLETE": "complete_bash"}, "api.cli"),
        (["--install-completion"], {}, "api.cli"),
        (["order", "--help"], {}, "api.remote_cli"),
        (["serve", "--help"], {}, "api.cli"),
        (["ordr"], {}, "api.cli"),
    ],
)
def test_each_command_line_goes_where_it_is_known(words: list[str], environment: dict[str, str], module: str) -> None:
    assert module_for(words, environment) == module


def test_the_list_of_commands_is_that_of_the_whole_command_line() -> None:
    texts = [CliRunner().invoke(each, ["--help"], prog_name="lastmile", env=WIDE).output for each in (APP, cli.app)]
    assert texts[0] == texts[1]
    assert [*COMMANDS] == [*get_group(cli.app).commands]


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
