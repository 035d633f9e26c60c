"""Line-by-line devices with netmiko: no candidate, so the inverse stands ready and the device is read after."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import paramiko
from netmiko import ConfigInvalidException
from netmiko.exceptions import NetmikoBaseException

from activation.contracts import Driver, PlatformRules
from activation.drivers.cli_configuration import ConfigurationReader
from activation.drivers.prompt_ssh import PromptDriven, connect
from activation.drivers.ssh_profile import profile_of
from activation.errors import DeviceError, DeviceUnreachable, EditRefused, OutcomeUnknown
from activation.model import DeviceEdit, Path
from inventory.model import Device

ANY_PROMPT: Final = r"^[^\s#>]+[#>]\s?\Z"
LOCK_WAIT_S: Final = 2.0
LOCK_POLL_S: Final = 0.2
LOST: Final = (NetmikoBaseException, paramiko.SSHException, OSError, EOFError, ValueError)
"""What netmiko raises when the session, not the configuration, is the trouble (ValueError: an unexpected prompt)."""


def open_cli(device: Device, rules: PlatformRules) -> Driver:
    """Connect to ``device`` and return its session.

    ``rules.options``: ``device_type``, netmiko's name for the platform.

    Raises:
        DeviceUnreachable: with the address, the port and the reason.
    """
    try:
        device_type = str(rules.options.get("device_type", "cisco_ios"))
        connection = connect(device, device_type, profile_of(device, rules), rules.terminal)
        connection.enable()
    except LOST as error:
        where = f"{device.address}:{device.port}"
        raise DeviceUnreachable(device.name, "connect", f"{where}: {_text(error)}") from error
    return CliDriver(device.name, connection, rules, patience_s=device.timeout_s)


class CliDriver:
    """One SSH session with a device that has no candidate; see :class:`activation.contracts.Driver`."""

    confirmed_commit = False

    def __init__(
        self, device: str, connection: PromptDriven, rules: PlatformRules, *, patience_s: float = LOCK_WAIT_S
    ) -> None:
        """Wrap a connection.

        Args:
            device: its name.
            connection: that stands.
            rules: the platform's.
            patience_s: how long a rollback waits to be let into configuration mode.
        """
        self._device, self._connection, self._terminal = device, connection, rules.terminal
        self._patience_s = patience_s
        self._reader = ConfigurationReader(device=device, rules=rules, run=connection.send_command)
        self.host_key = connection.host_key

    def read(self, touched: Sequence[Path]) -> str:
        """Return the running configuration, or the part of it that holds ``touched``."""
        with self._translated("read"):
            return self._reader.read(touched)

    def stage(self, edit: DeviceEdit, *, token: str) -> None:
        """Do nothing: the device has no candidate; the lines go in with :meth:`commit`."""

    def commit(self, edit: DeviceEdit, *, token: str, confirm_timeout_s: int) -> None:  # noqa: ARG002  # no timer here
        """Send the lines; when the device refuses one, take back those it took."""
        self._enter("commit", LOCK_WAIT_S)
        try:
            with self._translated("commit", lost=OutcomeUnknown):
                output = self._connection.send_config_set(_lines(edit.edit))
            if refused := self._terminal.refused(output):  # Some devices answer for the whole set when it ends.
                raise EditRefused(self._device, "commit", refused)  # noqa: TRY301  # undone below like any refusal
        except EditRefused:
            self._push_leniently(edit.inverse)
            raise

    def confirm(self, edit: DeviceEdit, *, token: str) -> None:  # noqa: ARG002  # nothing is pending on the device
        """Save the running configuration to start-up."""
        with self._translated("confirm"):
            output = self._connection.send_command(self._terminal.save)
        if refused := self._terminal.refused(output):
            raise EditRefused(self._device, "confirm", f"{self._terminal.save}: {refused}")

    def rollback(self, edit: DeviceEdit, *, token: str, undone: Callable[[str], bool]) -> None:
        """Push ``edit.inverse`` unless it is ``undone``, and save."""
        if undone(self.read(edit.touched)):
            return
        refused = self._push_leniently(edit.inverse)
        if not undone(self.read(edit.touched)):
            reason = refused or "the inverse was taken, but the configuration is not as it was before"
            raise EditRefused(self._device, "rollback", reason)
        self.confirm(edit, token=token)

    def discard(self) -> None:
        """Do nothing: nothing is ever staged on the device."""

    def ask(self, command: str) -> str:
        """Return what the device prints for ``command``."""
        with self._translated("ask"):
            output = str(self._connection.send_command(command))
        if refused := self._terminal.refused(output):
            raise EditRefused(self._device, "ask", f"{command}: {refused}")
        return output

    def alive(self) -> bool:
        """Say whether the SSH transport still stands."""
        return self._connection.is_open()

    def ping(self) -> None:
        """Ask for a new prompt and return when it has come."""
        with self._translated("ping"):
            self._connection.ping()

    def close(self) -> None:
        """End the transport, without a word to a device that may hang."""
        with suppress(*LOST):
            self._connection.paramiko_cleanup()

    def _enter(self, phase: str, wait_s: float) -> None:
        """Go into configuration mode; a device that does not let us in, not even after a while, has taken nothing.

        Raises:
            EditRefused: with what the device says instead.
        """
        deadline_s = time.monotonic() + wait_s
        with self._translated(phase):
            if self._connection.check_config_mode():
                return
            while refused := self._refused_entry():
                if time.monotonic() > deadline_s:
                    raise EditRefused(self._device, phase, f"{refused}; waited {wait_s:g} s")
                time.sleep(LOCK_POLL_S)

    def _refused_entry(self) -> str:
        said = self._connection.send_command(self._terminal.configure, expect_string=ANY_PROMPT)
        return self._terminal.refused(said)

    def _push_leniently(self, lines: str) -> str:
        """Send each line whatever the device says to the one before; return what it refused.

        Of a half-applied edit some lines of the inverse have nothing to undo, and the device says so. A session of
        ours that broke may still occupy the device; a rollback waits longer for it than a change does.
        """
        self._enter("rollback", self._patience_s)
        with self._translated("rollback", lost=OutcomeUnknown):
            return self._terminal.refused(self._connection.send_config_set(_lines(lines), error_pattern=""))

    @contextmanager
    def _translated(self, phase: str, *, lost: type[DeviceError] = DeviceUnreachable) -> Iterator[None]:
        try:
            yield
        except ConfigInvalidException as error:
            with suppress(*LOST):
                self._connection.exit_config_mode()
            raise EditRefused(self._device, phase, _text(error)) from error
        except LOST as error:
            raise lost(self._device, phase, _text(error)) from error


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _text(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
