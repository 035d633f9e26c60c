"""One Open vSwitch per node: database and switch process in the node's namespace, with the userspace datapath."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from labs.netns.commands import run, start_daemon
from labs.netns.forwarding import Applied, Forwarding, step

SCHEMA: Final = Path("/usr/share/openvswitch/vswitch.ovsschema")
OPENFLOW: Final = ("-O", "OpenFlow13")


@dataclass(slots=True, kw_only=True)
class OpenVSwitch:
    """The switch of one node.

    Attributes:
        folder: its database, sockets and logs.
    """

    namespace: str
    folder: Path
    _applied: dict[str, Applied] = field(default_factory=dict)

    def start(self) -> None:
        """Start the two processes.

        Raises:
            CommandFailed: one of them does not start; says why.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        database = self.folder / "conf.db"
        run(["ovsdb-tool", "create", database, SCHEMA], environ=self._environ)
        self._daemon("ovsdb-server", database, f"--remote=punix:{self._socket}")
        self.vsctl("--no-wait", "init")
        self._daemon("ovs-vswitchd", f"unix:{self._socket}")

    def add_bridge(self, name: str, ports: Sequence[str], *, learning: bool) -> None:
        """Make a bridge with these ports.

        Args:
            name: of the bridge and of its own, internal port.
            ports: interfaces that exist already.
            learning: forwards as any switch does at once; else drops all that no flow names.

        Raises:
            CommandFailed: Open vSwitch refuses.
        """
        mode = "standalone" if learning else "secure"
        settings = ["datapath_type=netdev", f"fail_mode={mode}", "protocols=[OpenFlow10,OpenFlow13]"]
        added = [word for port in ports for word in ("--", "add-port", name, port)]
        self.vsctl("add-br", name, "--", "set", "bridge", name, *settings, *added)

    def add_vlan_port(self, bridge: str, name: str, vlan_id: int) -> None:
        """Give the machine an interface in one VLAN of a bridge.

        Raises:
            CommandFailed: Open vSwitch refuses.
        """
        inside = ["--", "set", "interface", name, "type=internal"]
        self.vsctl("--may-exist", "add-port", bridge, name, f"tag={vlan_id}", *inside)

    def add_access_port(self, bridge: str, name: str, vlan_id: int) -> None:
        """Plug an interface that exists already into one VLAN of a bridge.

        Raises:
            CommandFailed: Open vSwitch refuses.
        """
        self.vsctl("--may-exist", "add-port", bridge, name, "--", "set", "port", name, f"tag={vlan_id}")

    def remove_port(self, bridge: str, name: str) -> None:
        """Take a port off a bridge; does nothing where it has none.

        Raises:
            CommandFailed: Open vSwitch refuses.
        """
        self.vsctl("--if-exists", "del-port", bridge, name)

    def apply(self, bridge: str, wanted: Forwarding) -> None:
        """Make a bridge do ``wanted``, changing only what differs from what it does.

        Raises:
            CommandFailed: Open vSwitch refuses.
        """
        todo = step(self._applied.get(bridge, Applied()), wanted)
        settings = ("--", "set", "bridge", bridge, *todo.bridge) if todo.bridge else ()
        if changes := (*settings, *todo.ports):
            self.vsctl(*changes[1:])
        for verb, text in todo.meters:
            self._ofctl(verb, bridge, text)
        if todo.flows is not None:
            self._ofctl("replace-flows", bridge, "-", typed="".join(f"{flow}\n" for flow in todo.flows))
        for number in todo.gone:
            self._ofctl("del-meter", bridge, f"meter={number}")
        self._applied[bridge] = todo.reached

    def vsctl(self, *arguments: str) -> str:
        """Return what ``ovs-vsctl`` says on this switch.

        Raises:
            CommandFailed: it refuses.
        """
        return run(["ovs-vsctl", "--timeout=10", f"--db=unix:{self._socket}", *arguments], environ=self._environ)

    def _ofctl(self, verb: str, bridge: str, *arguments: str, typed: str | None = None) -> None:
        place = f"unix:{self.folder / bridge}.mgmt"
        run(["ovs-ofctl", *OPENFLOW, "--names", verb, place, *arguments], environ=self._environ, typed=typed)

    def _daemon(self, program: str, *arguments: str | Path) -> None:
        own = [f"--pidfile={self.folder / program}.pid", f"--log-file={self.folder / program}.log", "-vconsole:off"]
        control = f"--unixctl={self.folder / program}.ctl"
        start_daemon(
            [program, *arguments, *own, control, "--detach"],
            namespace=self.namespace,
            log=self.folder / f"{program}.out",
            environ=self._environ,
        )

    @property
    def _socket(self) -> Path:
        return self.folder / "db.sock"

    @property
    def _environ(self) -> dict[str, str]:
        folder = str(self.folder)
        return {"OVS_RUNDIR": folder, "OVS_LOGDIR": folder, "OVS_DBDIR": folder, "OVS_SYSCONFDIR": folder}
