"""Arista EOS with NAPALM, here over SSH: a named configuration session, a commit timer, a confirm."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import Any, Final

import paramiko
from napalm.base.exceptions import (
    CommandErrorException,
    ConnectionException,
    NapalmException,
    SessionLockedException,
)
from napalm.eos import EOSDriver
from netmiko import ConfigInvalidException
from netmiko.base_connection import BaseConnection
from netmiko.exceptions import NetmikoBaseException
from pyeapi.eapilib import CommandError
from pyeapi.eapilib import ConnectionError as EapiConnectionError

from activation.contracts import Driver, PlatformRules
from activation.drivers.cli_configuration import ConfigurationReader
from activation.drivers.foreign_work import discards_foreign
from activation.drivers.prompt_ssh import connect
from activation.drivers.ssh_profile import SshProfile, profile_of
from activation.errors import DeviceError, DeviceUnreachable, EditRefused, OutcomeUnknown
from activation.model import TRANSACTION_PREFIX, DeviceEdit, Path
from activation.terminal import TerminalRules
from inventory.model import Device

LOST: Final = (
    NetmikoBaseException,
    ConnectionException,
    EapiConnectionError,
    HTTPException,
    paramiko.SSHException,
    OSError,
    EOFError,
    ValueError,
)
"""What NAPALM and netmiko raise when the session, not the device's configuration, is the trouble.

ValueError is netmiko's word for a prompt that is not the expected one, and pyeapi's for an answer that is no JSON.
"""


REFUSED: Final = (NapalmException, CommandError)
"""What NAPALM and pyeapi raise when the device says no."""
LOCK_WAIT_S: Final = 2.0
LOCK_POLL_S: Final = 0.2


class Eos(EOSDriver, ABC):  # type: ignore[misc]  # napalm ships no types
    """What NAPALM's driver does differently here, whatever carries the commands."""

    def __init__(self, device: Device, terminal: TerminalRules, transport: str, *, discards_foreign: bool) -> None:
        super().__init__(
            device.address,
            device.username,
            device.password,
            timeout=device.timeout_s,
            optional_args={"transport": transport, "port": device.port},
        )
        self.record, self.terminal = device, terminal
        self._discards_foreign = discards_foreign

    @property
    @abstractmethod
    def host_key(self) -> str:
        """The fingerprint that the switch showed."""

    @abstractmethod
    def run_text(self, command: str) -> str:
        """Return what the switch prints for ``command``."""

    @abstractmethod
    def printed(self, command: str) -> str:
        """Return what the switch prints for ``command``, a refusal too."""

    @abstractmethod
    def is_open(self) -> bool:
        """Say whether the session still stands."""

    @abstractmethod
    def ping(self) -> None:
        """Ask for next to nothing and return when the switch has answered."""

    @abstractmethod
    def hang_up(self) -> None:
        """End the transport. Not NAPALM's close, which would abort a commit that waits for its confirm."""

    def _obtain_lock(self, wait_time: float | None = None) -> None:  # noqa: ARG002  # NAPALM would wait ten seconds
        """Lock, waiting a moment for whoever is about to finish."""
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                self._lock()
            except SessionLockedException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOCK_POLL_S)
            else:
                return

    def abort_left_over(self) -> None:
        """Abort the pending sessions of our own that a broken line left behind."""
        self._abort(TRANSACTION_PREFIX)

    def _abort(self, prefix: str) -> None:
        for name in sorted(self._pending_of_others()):
            if name.startswith(prefix):
                # The switch may not have noticed yet that its line broke: then it goes the next time.
                with suppress(*REFUSED):
                    self.run_text(f"configure session {name} abort")

    def _pending_of_others(self) -> set[str]:
        sessions = self._run_commands(["show configuration sessions"])[0]["sessions"]
        return {name for name, each in sessions.items() if each["state"] == "pending"} - {self.config_session}

    def _lock(self) -> None:
        """Refuse to stage beside somebody else's pending session, as NAPALM does; but abort left-over ones of our own.

        A line that broke while a session was loaded leaves it pending, and NAPALM takes it for a lock for ever.
        Nobody is at work in it: one transaction at a time has the device. A platform may say that others' are aborted,
        too.
        """
        self._abort("" if self._discards_foreign else TRANSACTION_PREFIX)
        pending = {name for name in self._pending_of_others() if not name.startswith(TRANSACTION_PREFIX)}
        if pending:
            raise SessionLockedException(f"configuration session {', '.join(sorted(pending))} is pending")


class SshEos(Eos):
    """NAPALM's driver over a prompt-driven session; over SSH NAPALM itself drops what the device refuses."""

    def __init__(
        self, device: Device, profile: SshProfile, terminal: TerminalRules, *, discards_foreign: bool = False
    ) -> None:
        super().__init__(device, terminal, "ssh", discards_foreign=discards_foreign)
        self._profile = profile

    def _netmiko_open(self, device_type: str, netmiko_optional_args: object = None) -> BaseConnection:  # noqa: ARG002
        self._netmiko_device = connect(self.record, device_type, self._profile, self.terminal)
        self._netmiko_device.enable()
        return self._netmiko_device

    def _run_commands(self, commands: Sequence[str], **kwargs: Any) -> list[Any]:  # noqa: ANN401
        if kwargs.get("encoding") != "text":
            answers: list[Any] = super()._run_commands(commands, **kwargs)
            return answers
        return [{"output": self.run_text(command)} for command in commands]

    @property
    def host_key(self) -> str:
        """The fingerprint of the key that the switch showed."""
        return str(self.device.host_key)

    def printed(self, command: str) -> str:
        """Return what the switch prints for ``command``, a refusal too."""
        return str(self.device.send_command(command))

    def is_open(self) -> bool:
        """Say whether the SSH transport still stands."""
        return bool(self.device.is_open())

    def ping(self) -> None:
        """Ask for a new prompt and return when it has come."""
        self.device.ping()

    def hang_up(self) -> None:
        """End the transport."""
        self.device.paramiko_cleanup()

    def run_text(self, command: str) -> str:
        """Return what the switch prints for ``command``.

        Raises:
            CommandErrorException: it refuses it.
        """
        output = str(self._netmiko_device.send_command(command))
        if refused := self.terminal.refused(output):
            raise CommandErrorException(f"{command}: {refused}")
        return output


def open_eos(device: Device, rules: PlatformRules) -> Driver:
    """Connect to ``device`` and return its session.

    Raises:
        DeviceUnreachable: with the address, the port and the reason.
    """
    discards = discards_foreign(device, rules)
    session = SshEos(device, profile_of(device, rules), rules.terminal, discards_foreign=discards)
    try:
        session.open()
    except (*LOST, NapalmException) as error:
        where = f"{device.address}:{device.port}"
        raise DeviceUnreachable(device.name, "connect", f"{where}: {_text(error)}") from error
    return EosDriver(device.name, session, rules)


class EosDriver:
    """One session with a switch; see :class:`activation.contracts.Driver`. The token names the session on EOS."""

    confirmed_commit = True

    def __init__(self, device: str, napalm: Eos, rules: PlatformRules) -> None:
        self._device, self._napalm = device, napalm
        self._reader = ConfigurationReader(device=device, rules=rules, run=napalm.printed)
        self.host_key = napalm.host_key
        self._staged = False
        self._new = True

    def read(self, touched: Sequence[Path]) -> str:
        """Return the running configuration, or the part of it that holds ``touched``."""
        with self._translated("read"):
            return self._reader.read(touched)

    def stage(self, edit: DeviceEdit, *, token: str) -> None:
        """Load ``edit.edit`` into the configuration session ``token``; the device checks each line."""
        self._load(edit.edit, token, "stage")

    def commit(self, edit: DeviceEdit, *, token: str, confirm_timeout_s: int) -> None:  # noqa: ARG002  # it is staged
        """Commit the session with a timer."""
        with self._translated("commit", lost=OutcomeUnknown):
            self._napalm.commit_config(revert_in=confirm_timeout_s)
        self._staged = False

    def confirm(self, edit: DeviceEdit, *, token: str) -> None:  # noqa: ARG002  # the token says which commit
        """Stop the timer and save the configuration to start-up."""
        self._napalm.config_session = token
        with self._translated("confirm", lost=OutcomeUnknown):
            self._napalm.confirm_commit()

    def rollback(self, edit: DeviceEdit, *, token: str, undone: Callable[[str], bool]) -> None:
        """Abort the session ``token`` while its timer runs; else push ``edit.inverse`` unless it is ``undone``."""
        state = self._session_state(token)
        self._napalm.config_session = token
        with self._translated("rollback", lost=OutcomeUnknown):
            if "pendingCommitTimer" in state:
                self._napalm.rollback()
            elif "pending" in state:
                self._napalm.discard_config()
        self._staged, self._napalm.config_session = False, None
        if not undone(self.read(edit.touched)):
            self._load(edit.inverse, f"{token}-undo", "rollback")
            with self._translated("rollback", lost=OutcomeUnknown):
                self._napalm.commit_config()
            self._staged = False

    def discard(self) -> None:
        """Abort the session that is loaded and not committed; on a new line, what a broken one left behind."""
        if self._staged:
            with self._translated("discard"):
                self._napalm.discard_config()
            self._staged = False
        elif self._new:
            with self._translated("discard"):
                self._napalm.abort_left_over()
        self._new = False

    def ask(self, command: str) -> str:
        """Return what the switch prints for ``command``."""
        with self._translated("ask"):
            return self._napalm.run_text(command)

    def alive(self) -> bool:
        """Say whether the session still stands."""
        return self._napalm.is_open()

    def ping(self) -> None:
        """Ask for next to nothing and return when the switch has answered."""
        with self._translated("ping"):
            self._napalm.ping()

    def close(self) -> None:
        """End the transport."""
        with suppress(*LOST):
            self._napalm.hang_up()

    def _load(self, lines: str, session: str, phase: str) -> None:
        self._napalm.config_session = session
        self._staged, self._new = True, False
        with self._translated(phase):
            self._napalm.load_merge_candidate(config=lines)
            unchanged = not self._napalm.compare_config()
        if unchanged:
            self.discard()
            raise EditRefused(self._device, phase, "the device took every line but sees no change")

    def _session_state(self, token: str) -> str:
        with self._translated("rollback"):
            answer = self._napalm._run_commands(["show configuration sessions detail"])[0]  # noqa: SLF001  # NAPALM has no public way
        if answer.get("commitTimerSessionName") == token:
            return "pendingCommitTimer"
        return str(answer.get("sessions", {}).get(token, {}).get("state", ""))

    @contextmanager
    def _translated(self, phase: str, *, lost: type[DeviceError] = DeviceUnreachable) -> Iterator[None]:
        try:
            yield
        except ConfigInvalidException as error:
            raise EditRefused(self._device, phase, _text(error)) from error
        except LOST as error:
            raise lost(self._device, phase, _text(error)) from error
        except REFUSED as error:
            self._staged = self._staged and self._napalm.config_session is not None
            raise EditRefused(self._device, phase, _text(error)) from error


def _text(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
