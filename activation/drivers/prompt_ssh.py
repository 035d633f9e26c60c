"""netmiko connections that wait for the device's bytes instead of sleeping between looks.

netmiko polls every 10 to 100 ms and looks for the prompt before each command: 75 ms per command on a device that
answers in one. Here a read ends when the pattern arrives.
"""

import re
import select
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import paramiko
from netmiko import ReadException, ReadTimeout
from netmiko.base_connection import BaseConnection
from netmiko.ssh_dispatcher import ssh_dispatcher

from activation.drivers.paramiko_ssh import KnownKey, transport_factory
from activation.drivers.sockets import connected_socket
from activation.drivers.ssh_profile import SshProfile
from inventory.model import Device

LAST_WORDS: Final = 80
REFUSAL: Final = r"^\s*%.*$"
"""How Cisco-like command lines (EOS, FRR) mark a line they did not take."""
REFUSAL_LINES: Final = 4
"""Lines after the mark in which a device explains itself (FRR: an empty one, the type, the description)."""


class PromptDriven(BaseConnection):
    """Overrides of netmiko's polling; mixed in before the connection class of a device type.

    Attributes:
        known_key: who the device must be.
        transport_factory: makes transports with the algorithms to offer.
    """

    known_key: KnownKey
    transport_factory: Callable[..., paramiko.Transport]

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
        return {**super()._connect_params_dict(), "transport_factory": type(self).transport_factory}

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

        Raises:
            ReadTimeout: ``pattern`` did not come in time.
            ReadException: the device closed the channel.
        """
        deadline = time.monotonic() + (self.read_timeout_override or read_timeout)
        text = self.read_channel()
        while (match := re.search(pattern, text, re_flags)) is None:
            self._await_bytes(deadline, text)
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
        lines = output.splitlines()
        return "\n".join(lines[1:-1] if lines and not lines[0].strip() else lines[:-1])

    def send_config_set(self, *args: Any, error_pattern: str = REFUSAL, **kwargs: Any) -> str:  # noqa: ANN401
        """Send configuration lines as netmiko does, but stop at the first that the device refuses.

        Raises:
            ConfigInvalidException: names the line and the device's message.
        """
        return super().send_config_set(*args, error_pattern=error_pattern, **kwargs)

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

    def _await_bytes(self, deadline: float, so_far: str) -> None:
        channel = self.remote_conn
        if not isinstance(channel, paramiko.Channel) or channel.closed:
            raise ReadException("the device closed the session")
        if channel.eof_received and not channel.recv_ready():
            raise ReadException("the device ended the session")
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([channel], [], [], left_s)[0]:
            raise ReadTimeout(f"no answer in time{last_words(so_far)}")


def last_words(text: str) -> str:
    """Return what the device said last, for an error: a question nobody answers, a pager, a prompt nobody knows."""
    words = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    return f"; the device says {words[:LAST_WORDS]!r}" if words else ""


def check_whole(configuration: str, last_line: str) -> str:
    """Return ``configuration`` if it is whole.

    Raises:
        ReadException: it does not end as this platform's configurations do: cut off, or something else altogether.
    """
    found = next((line.strip() for line in reversed(configuration.splitlines()) if line.strip()), "")
    if last_line and found != last_line:
        raise ReadException(f"the configuration is not whole: it ends with {found[:LAST_WORDS]!r}, not {last_line!r}")
    return configuration


def refusal_but(tolerated: Sequence[str]) -> str:
    """Return the pattern of refusals, but for those whose explanation matches one of the ``tolerated`` patterns."""
    if not tolerated:
        return REFUSAL
    explained = rf"(?:.*\n(?!\s*%)){{0,{REFUSAL_LINES}}}.*(?:{'|'.join(tolerated)})"
    return rf"^(?!\s*%{explained})\s*%.*$"


def refusals(output: str, pattern: str = REFUSAL) -> str:
    """Return the lines of ``output`` in which the device refuses something; empty when there are none."""
    return "; ".join(line.strip() for line in re.findall(pattern, output, re.MULTILINE))


def connect(device: Device, device_type: str, profile: SshProfile, **netmiko_arguments: Any) -> PromptDriven:  # noqa: ANN401
    """Return a prompt-driven session of netmiko's ``device_type``.

    Raises:
        HostKeyRefused: another host key is known; the device did not get to know the password.
        NetmikoTimeoutException, NetmikoAuthenticationException, ReadException, ReadTimeout, OSError: as netmiko does.
    """
    plain = ssh_dispatcher(device_type)
    policy = KnownKey(device)
    given = {"known_key": policy, "transport_factory": staticmethod(transport_factory(profile))}
    prompt_driven = type(f"PromptDriven{plain.__name__}", (PromptDriven, plain), given)
    sock = connected_socket(device)
    try:
        connection: PromptDriven = prompt_driven(
            device_type=device_type,
            host=device.address,
            port=device.port,
            username=device.username,
            password=device.password,
            sock=sock,
            conn_timeout=device.timeout_s,
            read_timeout_override=device.timeout_s,
            **netmiko_arguments,
        )
    except BaseException:
        sock.close()
        raise
    return connection
