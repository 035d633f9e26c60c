"""Writes the pages that are made from the code: ``python -m tests.docs.generate``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
import typer
from typer.testing import CliRunner

import activation.states
import orders.product.states
import orders.resource.states
import orders.service.states
from api.cli import app
from api.settings import PREFIX, Settings
from inventory.lifecycle import Lifecycle
from tests.docs.troubles import faults_page, troubles_page

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
NARROW: Final = {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1", "GITHUB_ACTIONS": "", "FORCE_COLOR": ""}

SETTINGS: Final = {
    "host": "address the HTTP API listens on",
    "port": "its TCP port; 0: any free one",
    "data": "folder of the SQLite database and of the lab's saved configurations",
    "lab": "containerlab topology to serve, or `none`",
    "runtime": "how the lab runs: `embedded` in this process; others are deployed, or joined where they run",
    "auth": "whether requests need a bearer token",
    "lab_ssh_port": "SSH port of every emulated device, each on its own address; 0: any free one",
    "lab_netconf_port": "the same for NETCONF",
    "database": "`postgresql://…`: a PostgreSQL database in place of SQLite",
    "kinds": "job kinds or layers this process works on, comma separated",
    "concurrency": "changes of devices this process has under way at a time",
    "drift_every_s": "how often each device is compared with what its services want, in seconds; `0`: when asked",
    "commit_target_s": "how long a device's commit may take before fewer activations share it, in seconds",
    "max_body_bytes": "larger request bodies are refused",
    "catalog": "folder with catalog files of your own, beside the shipped ones and the lab's",
    "review_policy": "YAML file that says which plans wait for people; see [the review policy](review-policy.md)",
    "activation_patience_s": "how long a TMF640 client waits for its result, in seconds, unless it says how long",
    "hub_allow": "networks (CIDR, comma separated) of subscribers whose addresses are not public",
    "hub_attempts": "failed deliveries of one event before it becomes a dead letter",
    "hub_first_pause_s": "pause after the first failed delivery, in seconds; it doubles with each further one",
    "hub_timeout_s": "how long one delivery may take, in seconds",
    "layer": "what of the chain this process is: `com`, `som`, `rom`, `activation`, comma separated; see "
    "[split deployment](../how-to/split.md)",
    "upstream": "where the layers below listen: `som=http://…,rom=http://…`",
    "upstream_tokens": "tokens of the role `layer` for them: `som=lm_…,rom=lm_…`",
    "public_url": "where the layers below reach this process with their events",
    "upstream_patience_s": "how long nothing may be heard of a request to another layer before its "
    "state is read, in seconds",
    "mail_host": "mail server for [e-mails to whoever ordered](../how-to/mail.md); none are sent without one",
    "mail_port": "its TCP port",
    "mail_tls": "`starttls`, `tls` from the first byte, or `none`",
    "mail_sender": "address that e-mails come from",
    "mail_username": "for a mail server that wants a login",
    "mail_password": "for a mail server that wants a login",
    "mail_states": "ends of a product order that are written about: `completed`, `failed`, `partial`, `cancelled`",
    "mail_templates": "folder of templates that replace the shipped ones",
    "mail_attempts": "failed attempts before an e-mail is given up",
}

DEFAULTS: Final = {
    "review_policy": "none",
    "lab": "the ftth lab",
    "database": "none",
    "kinds": "all",
    "hub_allow": "none",
    "layer": "all",
    "upstream": "none",
    "upstream_tokens": "none",
    "public_url": "`http://HOST:PORT`",
    "mail_host": "none",
    "mail_sender": "none",
    "mail_username": "none",
    "mail_password": "none",
    "mail_states": "`completed`",
    "mail_templates": "none",
}
"""Defaults that are not shown as the value in the code."""

CLI_HEAD: Final = """# Command line

<!-- Made by `python -m tests.docs.generate`; a test compares. -->

Exit status: 0 when all is well, 1 when something is not (one line on standard error says what), 2 for wrong usage.
`lastmile serve`, `api` and `worker` end with Ctrl-C (SIGINT) or SIGTERM; they first finish the device work under way,
for up to a minute.

The commands of virtual labs have [a page of their own](lab-cli.md).
"""

LAB: Final = "lastmile lab"
LAB_HEAD: Final = """# Command line of the labs

<!-- Made by `python -m tests.docs.generate`; a test compares. -->

[How to use labs](../how-to/labs.md) shows them at work. Where containerlab has an option for the same thing, it has
the same name here. Exit status as [everywhere](cli.md); `exec` ends with that of the command on the node.
"""

STATES_HEAD: Final = """# States

<!-- Made by `python -m tests.docs.generate` from the life cycles in the code; a test compares. -->

Each table is the whole law: a move that is not in it is refused, and nothing is written. Every move leaves a row in
the order tree's `history`. Orders begin as `acknowledged`. They are `held` while a
plan waits for a review, and go from `assessingCancellation` over `pendingCancellation` to `cancelled`, or back where
they were. [Cancel an order](../how-to/cancel.md) says what that means at each point.

**An order's state is computed from its items':** all `completed` → `completed`; some completed and some not →
`partial`; none completed and one failed → `failed`. While one is unfinished, the order is `inProgress`. An order that
was `pendingCancellation` ends `cancelled`, whatever its items were; an item that was `completed` is undone with it.

A reserved resource (TMF639) has `resourceStatus` `reserved`, and is removed when it is released.
A device is `available`.
"""

Table = tuple[str, str, Lifecycle[Any]]
TABLES: Final[tuple[Table, ...]] = (
    ("Product order", "TMF622", orders.product.states.ORDER),
    ("Product order item", "TMF622; it has no partial items", orders.product.states.ITEM),
    ("Product", 'TMF637 `status`; the official list spells `"aborted "` with a blank', orders.product.states.PRODUCT),
    ("Service order", "TMF641", orders.service.states.ORDER),
    ("Service order item", "TMF641", orders.service.states.ITEM),
    ("Service", "TMF638; orders for a terminated service are refused", orders.service.states.SERVICE),
    ("Resource order", "TMF652", orders.resource.states.ORDER),
    ("Resource order item", "TMF652; it has no partial items", orders.resource.states.ITEM),
    ("Monitor", "TMF640", activation.states.MONITOR),
    ("Service in activation", "TMF640", activation.states.SERVICE),
    ("Device transaction", "internal: the journal of a push", activation.states.TRANSACTION),
)


def cli_page() -> str:
    """Return ``docs/reference/cli.md``."""
    others = {name: text for name, text in helps().items() if not name.startswith(LAB)}
    return "\n".join([CLI_HEAD, *_sections(others), _settings()])


def lab_page() -> str:
    """Return ``docs/reference/lab-cli.md``."""
    of_labs = {name: text for name, text in helps().items() if name.startswith(LAB)}
    return "\n".join([LAB_HEAD, *_sections(of_labs)])


def _sections(texts: Mapping[str, str]) -> list[str]:
    return [f"## `{name}`\n\n```\n{text}\n```\n" for name, text in texts.items()]


def helps() -> Mapping[str, str]:
    """Return the help text of every command, by what one types."""
    return {" ".join(words): _help(words[1:]) for words in _commands(typer.main.get_command(app), ("lastmile",))}


def states_page() -> str:
    """Return ``docs/reference/states.md``."""
    return "\n".join([STATES_HEAD, *(_section(*table) for table in TABLES)])


PAGES: Final = {
    "reference/cli.md": cli_page,
    "reference/lab-cli.md": lab_page,
    "reference/states.md": states_page,
    "reference/faults.md": faults_page,
    "reference/troubles.md": troubles_page,
}


def _commands(command: click.Command | Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*words, name))


def _help(words: tuple[str, ...]) -> str:
    shown = CliRunner().invoke(app, [*words, "--help"], prog_name="lastmile", env=NARROW)
    return "\n".join(line.rstrip() for line in shown.output.strip("\n").splitlines()).strip()


def _settings() -> str:
    rows = [
        f"| `{PREFIX}{name.upper()}` | {SETTINGS[name]} | {_default(name, field.default)} |"
        for name, field in Settings.model_fields.items()
    ]
    head = "## Environment\n\nOptions win over the environment. An unknown name stops the start.\n"
    return "\n".join([head, "| variable | meaning | default |", "|---|---|---|", *rows, ""])


def _default(name: str, value: object) -> str:
    return DEFAULTS.get(name, f"`{value}`")


def _section(title: str, remark: str, lifecycle: Lifecycle[Any]) -> str:
    states = sorted(
        {*lifecycle.initial, *lifecycle.transitions, *_targets(lifecycle)}, key=list(_members(lifecycle)).index
    )
    rows = [f"| {_state(lifecycle, state)} | {_moves(lifecycle, state)} |" for state in states]
    return "\n".join(
        [f"## {title}\n", f"{remark}. Bold: where it may begin.\n", "| state | next |", "|---|---|", *rows, ""]
    )


def _targets(lifecycle: Lifecycle[Any]) -> Iterator[Any]:
    for moves in lifecycle.transitions.values():
        yield from moves


def _members(lifecycle: Lifecycle[Any]) -> Any:
    return type(next(iter(lifecycle.initial)))


def _state(lifecycle: Lifecycle[Any], state: Any) -> str:
    return f"**`{state}`**" if state in lifecycle.initial else f"`{state}`"


def _moves(lifecycle: Lifecycle[Any], state: Any) -> str:
    return ", ".join(f"`{to}`" for to in lifecycle.legal(state)) or "final"


if __name__ == "__main__":
    for path, page in PAGES.items():
        (DOCS / path).write_text(page(), encoding="utf-8")
