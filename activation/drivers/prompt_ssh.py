"""netmiko connections that wait for the device's bytes instead of sleeping between looks.

netmiko polls every 10 to 100 ms and looks for the prompt before each command: 75 ms per command on a device that
answers in one. Here a read ends when the pattern arrives.
"""

import re
import select
import time
from typing import Any, Final

import paramiko
from netmiko import ReadException, ReadTimeout
from netmiko.base_connection import BaseConnection
from netmiko.ssh_dispatcher import ssh_dispatcher

from activation.deadlines import allowed_s
from activation.drivers.paramiko_ssh import KnownKey, Transports, in_its_own_words
from activation.drivers.sockets import connected_socket
from activation.drivers.ssh_profile import SshProfile
from activation.terminal import TerminalRules, asks
from inventory.model import Device

LAST_WORDS: Final = 80
LONGEST_LINE: Final = 1000
"""No prompt, no question and no echoed command is longer."""
QUIET_S: Final = 0.5
"""A device that has said what looks like a question, and then nothing for so long, waits for an answer."""


class PromptDriven(BaseConnection):
    """Overrides of netmiko's polling; mixed in before the connection class of a device type.

    Attributes:
        known_key: who the device must be.
        transports: makes transports with the algorithms to offer.
        terminal: how the platform's command line is talked to.
    """

    known_key: KnownKey
    transports: Transports
    terminal: TerminalRules

    @property
    def host_key(self) -> str:
        """The fingerprint of the key that the device showed."""
        return self.known_key.shown

    def is_open(self) -> bool:
        """Say whether the SSH transport still stands."""
        channel = self.remote_conn
        if not isinstance(channel, paramiko.Channel) or channel.closed:
            return False
        return channel.get_transport().is_active()

    def _connect_params_dict(self) -> dict[str, Any]:
        return {**super()._connect_params_dict(), "transport_factory": self.transports}

    def _build_ssh_client(self) -> paramiko.SSHClient:
        client = super()._build_ssh_client()
        client.set_missing_host_key_policy(self.known_key)
        return client

    def read_until_pattern(
        self,
        pattern: str = "",
        read_timeout: float = 10.0,
        re_flags: int = 0,
        max_loops: int | None = None,  # noqa: ARG002  # part of netmiko's signature, deprecated there
    ) -> str:
        """Return what the device sends up to and including ``pattern``; keep the rest for the next read.

        Pages are turned, and questions that the platform knows are answered. The more comes, the longer it may take.

        Raises:
            ReadTimeout: ``pattern`` did not come in time, or the device asks what nobody knows.
            ReadException: the device closed the channel.
        """
        began, heard, searched = time.monotonic(), 0, 0
        text, wanted = self.read_channel(), re.compile(pattern, re_flags)
        while (match := wanted.search(text, max(0, searched - LONGEST_LINE))) is None:
            searched, unanswered = len(text), text[max(heard, len(text) - LONGEST_LINE) :]
            if self._answers(unanswered):
                heard = len(text)
            else:
                allowed = allowed_s(self.read_timeout_override or read_timeout, len(text))
                self._await_bytes(began + allowed, unanswered)
            text += self.read_channel()
        self._read_buffer = text[match.end() :] + self._read_buffer
        return text[: match.end()]

    def send_command(  # type: ignore[override]  # the arguments napalm and these drivers use, not netmiko's nineteen
        self,
        command_string: str,
        expect_string: str | None = None,
        read_timeout: float = 30.0,
        **_: Any,  # noqa: ANN401
    ) -> str:
        """Return what ``command_string`` prints, without its echo and without the prompt after it.

        Raises:
            ReadTimeout: no prompt came in time.
            ReadException: the device closed the channel.
        """
        command = command_string.strip()
        self.write_channel(self.normalize_cmd(command))
        self.read_until_pattern(re.escape(command), read_timeout)
        output = self.read_until_pattern(expect_string or self._prompt(), read_timeout, re.MULTILINE)
        output = self.terminal.without_pager(output)
        lines = output.splitlines()
        return "\n".join(lines[1:-1] if lines and not lines[0].strip() else lines[:-1])

    def send_config_set(self, *args: Any, error_pattern: str | None = None, **kwargs: Any) -> str:  # noqa: ANN401
        """Send configuration lines as netmiko does, but stop at the first that the device refuses.

        Raises:
            ConfigInvalidException: names the line and the device's message.
        """
        pattern = self.terminal.refusal if error_pattern is None else error_pattern
        return super().send_config_set(*args, error_pattern=pattern, **kwargs)

    def ping(self) -> None:
        """Ask for a new prompt and return when it has come.

        Raises:
            ReadTimeout, ReadException: it did not.
        """
        self.write_channel(self.RETURN)
        self.read_until_pattern(self._prompt(), re_flags=re.MULTILINE)

    def clear_buffer(self, *_: Any, **__: Any) -> str:  # noqa: ANN401
        """Return what has arrived unread, without waiting for more."""
        return self.read_channel()

    def _prompt(self) -> str:
        return rf"^{re.escape(self.base_prompt)}(?:\([^)\n]*\))?[#>]\s?\Z"

    def _answers(self, said: str) -> bool:
        """Answer what the device waits for, if the platform says what; say whether it does."""
        turn = self.terminal.turn(said) if said else None
        if turn is not None:
            self.write_channel(turn.answer + self.RETURN if turn.enter else turn.answer)
        return turn is not None

    def _await_bytes(self, deadline: float, so_far: str) -> None:
        channel = self.remote_conn
        if not isinstance(channel, paramiko.Channel) or channel.closed:
            raise ReadException("the device closed the session")
        if channel.eof_received and not channel.recv_ready():
            raise ReadException("the device ended the session")
        left_s = deadline - time.monotonic()
        is_question = asks(so_far)
        if left_s <= 0 or not select.select([channel], [], [], min(left_s, QUIET_S) if is_question else left_s)[0]:
            trouble = "a question without a known answer" if is_question else "no answer in time"
            raise ReadTimeout(f"{trouble}{last_words(so_far)}")


def last_words(text: str) -> str:
    """Return what the device said last, for an error: a question nobody answers, a pager, a prompt nobody knows."""
    words = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    return f"; the device says {words[:LAST_WORDS]!r}" if words else ""


def last_line_of(text: str) -> str:
    """Return the last line of ``text`` that holds anything."""
    return text.rstrip()[text.rstrip().rfind("\n") + 1 :].strip()


def check_whole(configuration: str, last_line: str) -> str:
    """Return ``configuration`` if it is whole.

    Raises:
        ReadException: it does not end as this platform's configurations do: cut off, or something else altogether.
    """
    found = last_line_of(configuration)
    if last_line and found != last_line:
        raise ReadException(f"the configuration is not whole: it ends with {found[:LAST_WORDS]!r}, not {last_line!r}")
    return configuration


def connect(device: Device, device_type: str, profile: SshProfile, terminal: TerminalRules) -> PromptDriven:
    """Return a prompt-driven session of netmiko's ``device_type``.

    Raises:
        HostKeyRefused: another host key is known; the device did not get to know the password.
        SSHException: the device ended the login; with its own words.
        NetmikoTimeoutException, NetmikoAuthenticationException, ReadException, ReadTimeout, OSError: as netmiko does.
    """
    plain = ssh_dispatcher(device_type)
    transports = Transports(profile)
    given = {"known_key": KnownKey(device), "transports": transports, "terminal": terminal}
    prompt_driven = type(f"PromptDriven{plain.__name__}", (PromptDriven, plain), given)
    sock = connected_socket(device)
    try:
        with in_its_own_words(transports):
            connection: PromptDriven = prompt_driven(
                device_type=device_type,
                host=device.address,
                port=device.port,
                username=device.username,
                password=device.password,
                sock=sock,
                conn_timeout=device.timeout_s,
                read_timeout_override=device.timeout_s,
            )
    except BaseException:
        sock.close()
        raise
    return connection
