"""``lastmile lab``: labs that are deployed, looked into, disturbed and destroyed from the command line."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from labs.artefacts import inspect_data
from labs.contracts import DeployOptions, FaultRequest, LabNode, LabRuntime
from labs.errors import LabError
from labs.faults_file import load_faults
from labs.graph import FORMATS
from labs.lint import Weight, lint
from labs.runtimes.ahead import WaitingProcess
from labs.runtimes.places import Places, topology_file, topology_files
from labs.runtimes.registry import EMBEDDED, RUNTIMES, runtime_named
from labs.runtimes.state import LabState
from labs.topology import Topology, load_topology, only

app = typer.Typer(
    help="Virtual labs from containerlab topologies: deploy, look into, disturb, destroy.", no_args_is_help=True
)
console = Console()

File = Annotated[
    Path | None,
    typer.Option(
        "--topo", "-t", help="Topology file, a folder with one, or a shipped lab's name (the one in this folder)."
    ),
]
Runtime = Annotated[
    str | None,
    typer.Option(help=f"{', '.join(RUNTIMES)}; a deployed lab knows its own (embedded).", show_default=False),
]
Format = Annotated[str, typer.Option("--format", "-f", help="table or json.")]
OneNode = Annotated[str, typer.Option("--node", help="Name of the node.")]
NodeFilter = Annotated[str | None, typer.Option(help="Only these nodes, comma separated, and the links between them.")]
Flag = typer.Option

TABLE: Final = "table"
LINT_STYLES: Final = {Weight.ERROR: "red", Weight.WARNING: "yellow", Weight.HINT: "dim"}
STATE_STYLES: Final = {"running": "", "stopped": "red", "drawn": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The lab that the options of a command mean."""

    topology: Topology
    folder: Path
    runtime: LabRuntime
    places: Places


def chosen(topo: Path | None, runtime: str | None, *, node_filter: str | None = None) -> Chosen:
    """Return the lab that ``topo`` names, with the runtime that runs it, or is to run it.

    Raises:
        LabError: there is no such file, runtime or node.
    """
    places = Places.of(os.environ, Path.cwd())
    topology = load_topology(_file(topo, places), os.environ)
    if node_filter is not None:
        topology = _filtered(topology, node_filter)
    folder = places.folder(topology.name)
    state = LabState.read(folder)
    of_state = state.runtime if state is not None else EMBEDDED
    return Chosen(topology=topology, folder=folder, runtime=runtime_named(runtime or of_state), places=places)


def _file(topo: Path | None, places: Places) -> Path:
    """Return the file; the name of a deployed lab is enough, from whatever folder, or none where one is deployed."""
    if topo is not None and topo.exists():
        return topology_file(topo, Path())
    deployed = list(places.deployed())
    name = str(topo) if topo is not None else deployed[0] if len(deployed) == 1 else ""
    if topo is None and (not name or topology_files(Path())):
        return topology_file(None, Path())
    return places.topology_of(name) or topology_file(topo, Path())


def _filtered(topology: Topology, node_filter: str) -> Topology:
    names = [name.strip() for name in node_filter.split(",") if name.strip()]
    unknown = sorted(set(names) - set(topology.nodes))
    if unknown or not names:
        raise LabError(f"--node-filter: unknown node {', '.join(unknown)}; known: {', '.join(sorted(topology.nodes))}")
    return only(topology, names)


@app.command(
    "deploy",
    epilog="Examples:  lastmile lab deploy -t ftth   ·   lastmile lab deploy -t ring.clab.yml --runtime netns"
    "   ·   lastmile lab deploy -t ftth --reconfigure --faults trouble.yml",
)
def deploy_command(  # noqa: PLR0913, PLR0917 - options of one command
    context: typer.Context,
    topo: File = None,
    runtime: Runtime = None,
    node_filter: NodeFilter = None,
    ssh_port: Annotated[int, typer.Option(help="SSH port of every device; 0: any free ones.", min=0, max=65535)] = 2222,
    netconf_port: Annotated[int, typer.Option(help="The same for NETCONF.", min=0, max=65535)] = 8830,
    faults: Annotated[Path | None, typer.Option(help="YAML file of faults to switch on.")] = None,
    reconfigure: Annotated[bool, Flag("--reconfigure", "-c", help="Start anew, whatever runs or was saved.")] = False,  # noqa: FBT002 - a flag
    output: Format = TABLE,
) -> None:
    """Bring a lab up and return; it lives on until 'lab destroy'. Deploying it again changes nothing."""
    lab = chosen(topo, runtime, node_filter=node_filter)
    wanted = load_faults(faults) if faults is not None else ()
    options = DeployOptions(
        folder=lab.folder,
        ssh_port=ssh_port,
        netconf_port=netconf_port,
        reconfigure=reconfigure,
        process=context.obj if isinstance(context.obj, WaitingProcess) else None,
    )
    began = time.perf_counter()
    with Console(stderr=True).status(f"deploying {lab.topology.name}: {len(lab.topology.nodes)} nodes"):
        nodes = lab.runtime.deploy(lab.topology, options)
    took_s = time.perf_counter() - began
    lab.places.remember(lab.topology.name, lab.folder)
    for request in wanted:
        lab.runtime.faults(lab.topology, lab.folder).set(request)
    _show(lab, nodes, output)
    if output == TABLE:
        _say_what_is_left_out(lab)
        state = LabState.read(lab.folder)
        nodes_s = f", its nodes in {state.up_in_s:.3f} s" if state is not None and state.up_in_s is not None else ""
        line = f"{lab.topology.name} is up after {took_s:.2f} s{nodes_s}; folder {lab.folder}"
        console.print(line, highlight=False, soft_wrap=True)


@app.command(
    "inspect",
    epilog="Examples:  lastmile lab inspect -t ftth   ·   lastmile lab inspect -t ftth -f json   ·   "
    "lastmile lab inspect --all",
)
def inspect_command(
    topo: File = None,
    runtime: Runtime = None,
    output: Format = TABLE,
    every: Annotated[bool, Flag("--all", "-a", help="Every deployed lab.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Show a lab's nodes as they are now, with address, ports and credentials."""
    if not every:
        lab = chosen(topo, runtime)
        _show(lab, lab.runtime.inspect(lab.topology, lab.folder), output)
        return
    found: dict[str, Any] = {}
    for name in Places.of(os.environ, Path.cwd()).deployed():
        lab = chosen(Path(name), None)
        nodes = lab.runtime.inspect(lab.topology, lab.folder)
        found |= inspect_data(lab.topology, nodes, lab.folder)
        if output == TABLE:
            _show(lab, nodes, output)
    if output != TABLE:
        typer.echo(json.dumps(found, indent=2))
    elif not found:
        console.print("no lab is deployed")


@app.command(
    "exec",
    epilog='Examples:  lastmile lab exec -t ftth --node sw1 --cmd "show vlan"   ·   '
    'lastmile lab exec -t ftth --node r1 --cmd "show ip route" -f json',
)
def exec_command(
    node: OneNode,
    cmd: Annotated[str, typer.Option("--cmd", help="The command.")],
    topo: File = None,
    runtime: Runtime = None,
    output: Annotated[str, typer.Option("--format", "-f", help="plain or json.")] = "plain",
) -> None:
    """Run a command on a node: the device's own command line, or a shell where the runtime has one."""
    lab = chosen(topo, runtime)
    done = lab.runtime.exec(lab.topology, lab.folder, node, cmd)
    if output == "json":
        answer = {"cmd": cmd.split(), "return-code": done.return_code, "stdout": done.stdout, "stderr": done.stderr}
        typer.echo(json.dumps({lab.topology.long_name(node): [answer]}, indent=2))
    else:
        typer.echo(done.stdout, nl=False)
        typer.echo(done.stderr, nl=False, err=True)
    if done.return_code:
        raise typer.Exit(done.return_code)


@app.command("save", epilog="Example:  lastmile lab save -t ftth")
def save_command(topo: File = None, runtime: Runtime = None) -> None:
    """Write the running configurations into the lab's folder; the next deploy starts from them."""
    lab = chosen(topo, runtime)
    for file in lab.runtime.save(lab.topology, lab.folder):
        console.print(str(file), soft_wrap=True, highlight=False)


@app.command("destroy", epilog="Examples:  lastmile lab destroy -t ftth   ·   lastmile lab destroy --all --cleanup")
def destroy_command(
    topo: File = None,
    runtime: Runtime = None,
    cleanup: Annotated[bool, Flag("--cleanup", "-c", help="Remove saved configurations as well.")] = False,  # noqa: FBT002 - a flag
    every: Annotated[bool, Flag("--all", "-a", help="Every deployed lab.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Take a lab down, also one whose process was killed; nothing of it stays but what 'lab save' wrote."""
    names = [Path(name) for name in Places.of(os.environ, Path.cwd()).deployed()] if every else [topo]
    for name in names:
        lab = chosen(name, runtime)
        found = lab.runtime.destroy(lab.topology, lab.folder, cleanup=cleanup)
        lab.places.forget(lab.topology.name)
        console.print(f"{lab.topology.name}: {'destroyed' if found else 'was not deployed'}", highlight=False)
    if not names:
        console.print("no lab is deployed")


@app.command(
    "graph",
    epilog="Examples:  lastmile lab graph -t ftth > ftth.mmd   ·   lastmile lab graph -t ftth -f svg -o ftth.svg   ·   "
    "lastmile lab graph -t ftth -f dot | dot -Tpng -o ftth.png",
)
def graph_command(
    topo: File = None,
    output: Annotated[str, typer.Option("--format", "-f", help=f"{', '.join(FORMATS)}.")] = "mermaid",
    into: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
) -> None:
    """Draw a topology, deployed or not."""
    draw = FORMATS.get(output)
    if draw is None:
        raise typer.BadParameter(f"{output!r}; legal: {', '.join(FORMATS)}", param_hint="--format")
    picture = draw(chosen(topo, EMBEDDED).topology)
    if into is None:
        typer.echo(picture, nl=False)
    else:
        into.write_text(picture, encoding="utf-8")
        console.print(str(into), soft_wrap=True, highlight=False)


@app.command(
    "lint",
    epilog="Examples:  lastmile lab lint -t ftth   ·   lastmile lab lint -t ring.clab.yml --schema clab.schema.json",
)
def lint_command(
    topo: File = None,
    schema: Annotated[Path | None, typer.Option(help="containerlab's JSON schema, to hold the file against.")] = None,
    output: Format = TABLE,
) -> None:
    """Say what is wrong or odd about a topology file; exit status 1 where no runtime can deploy it."""
    file = topology_file(topo, Path())
    findings = lint(file, os.environ, schema=schema)
    if output == "json":
        typer.echo(json.dumps([{**asdict(finding), "weight": finding.weight.value} for finding in findings], indent=2))
    else:
        for each in findings:
            line = f"{file}:{each.line}: {each.weight.value}: {each.text} ({each.rule})"
            console.print(line, style=LINT_STYLES[each.weight], highlight=False, markup=False, soft_wrap=True)
        console.print(f"{file}: {len(findings) or 'no'} findings", highlight=False, soft_wrap=True)
    if any(finding.weight is Weight.ERROR for finding in findings):
        raise typer.Exit(1)


@app.command(
    "fault",
    epilog="Examples:  lastmile lab fault --list   ·   lastmile lab fault sw1 --list   ·   "
    "lastmile lab fault sw1 refuse_commit --times 1 -t ftth   ·   "
    "lastmile lab fault olt1 refuse_commit --times 1 --after 2   ·   "
    "lastmile lab fault olt1 latency --param 0.5   ·   lastmile lab fault olt1 latency --times 0",
)
def fault_command(  # noqa: PLR0913, PLR0917 - options of one command
    node: Annotated[str | None, typer.Argument(help="Name of the node.")] = None,
    kind: Annotated[str | None, typer.Argument(help="Kind of fault, see --list.")] = None,
    times: Annotated[int, typer.Option(help="How often it strikes; -1: always, 0: off.", min=-1)] = -1,
    param: Annotated[float | None, typer.Option(help="The kind's parameter, e.g. seconds.")] = None,
    after: Annotated[int, typer.Option(help="How many occasions pass first.", min=0)] = 0,
    listed: Annotated[bool, Flag("--list", "-l", help="List the kinds, and the faults that are on.")] = False,  # noqa: FBT002 - a flag
    topo: File = None,
) -> None:
    """Have a node make trouble, or stop it; takes effect at once."""
    lab = chosen(topo, None)
    faults = lab.runtime.faults(lab.topology, lab.folder)
    if listed:
        active = [each for each in faults.active() if node in {None, each.node}]
        _show_faults(faults.kinds(node or ""), active)
        return
    if node is None or kind is None:
        raise typer.BadParameter("name a node and a kind, or say --list", param_hint="NODE KIND")
    request = FaultRequest(node=node, kind=kind, times=times, value=param, after=after)
    faults.set(request)
    console.print(_fault_line(request), highlight=False)


def _show(lab: Chosen, nodes: Sequence[LabNode], output: str) -> None:
    if output not in {TABLE, "json"}:
        raise typer.BadParameter(f"{output!r}; legal: table, json", param_hint="--format")
    if output != TABLE:
        typer.echo(json.dumps(inspect_data(lab.topology, nodes, lab.folder), indent=2))
        return
    # Lines, not a table: logins are there to be copied, and a table breaks them at the terminal's width.
    rows = [("node", "kind", "platform", "state", "login", "password"), *map(_row, nodes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        style = "dim" if not number else STATE_STYLES[row[3]]
        console.print(cells, style=style, highlight=False, markup=False, soft_wrap=True)


def _row(node: LabNode) -> tuple[str, ...]:
    return (node.name, node.kind, node.platform or "-", node.state.value, _login(node), node.password)


def _login(node: LabNode) -> str:
    if node.port is None:
        return "-"
    subsystem = " -s netconf" if "netconf" in node.ports and "ssh" not in node.ports else ""
    return f"ssh -p {node.port} {node.username}@{node.address}{subsystem}"


def _say_what_is_left_out(lab: Chosen) -> None:
    for remark in (*lab.topology.remarks, *map(str, lab.runtime.missing(lab.topology))):
        console.print(f"[yellow]![/] {remark}", highlight=False, soft_wrap=True)


def _show_faults(kinds: Sequence[Any], active: Sequence[FaultRequest]) -> None:
    table = Table("kind", "what", "--param", box=None, header_style="dim")
    for kind in kinds:
        table.add_row(kind.name, kind.what, kind.parameter)
    console.print(table)
    console.print("\non now:" if active else "\nno fault is on")
    for request in active:
        console.print(f"  {_fault_line(request)}", highlight=False)


def _fault_line(request: FaultRequest) -> str:
    if request.times == 0:
        return f"{request.node}: {request.kind} is off"
    value = f" {request.value:g}" if request.value is not None else ""
    often = "always" if request.times < 0 else f"{request.times} times"
    later = f", after {request.after} occasions" if request.after else ""
    return f"{request.node}: {request.kind}{value}, {often}{later}"
