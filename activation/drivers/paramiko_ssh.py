"""What the drivers on paramiko share: the algorithms of a profile, and the check of the device's host key."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import paramiko

from activation.drivers.ssh_profile import SshProfile, fingerprint
from activation.errors import HostKeyRefused
from inventory.model import Device


class Transport(paramiko.Transport):
    """paramiko's transport that keeps what the device says when it hangs up; paramiko itself only logs it.

    Attributes:
        last_words: the device's reason, such as a limit on sessions; empty as long as it gave none.
    """

    last_words = ""

    def _parse_disconnect(self, m: paramiko.Message) -> None:
        m.get_int()
        self.last_words = " ".join(m.get_text().split())


class Transports:
    """Makes transports that offer a profile's algorithms, as far as paramiko has them."""

    def __init__(self, profile: SshProfile) -> None:
        self._profile = profile
        self._made: list[Transport] = []

    def __call__(self, sock: Any, **kwargs: Any) -> Transport:  # noqa: ANN401  # paramiko's own signature
        """Return a new transport over ``sock``."""
        transport = Transport(sock, **kwargs)
        options = transport.get_security_options()
        _offer(options, "kex", self._profile.key_exchange)
        _offer(options, "ciphers", self._profile.ciphers)
        _offer(options, "digests", self._profile.macs)
        _offer(options, "key_types", self._profile.host_keys)
        self._made.append(transport)
        return transport

    @property
    def last_words(self) -> str:
        """Why the device hung up, in its own words; empty where it did not, or did so without a word."""
        return next((each.last_words for each in self._made if each.last_words), "")


@contextmanager
def in_its_own_words(transports: Transports) -> Iterator[None]:
    """Have a login that the device ended with a reason raise that reason, not what a library makes of it.

    Raises:
        SSHException: with the device's words.
    """
    try:
        yield
    except Exception as error:
        if transports.last_words:
            raise paramiko.SSHException(f"the device ends the login: {transports.last_words}") from error
        raise


def checked_key(device: Device, key: paramiko.PKey) -> str:
    """Return the fingerprint of the key that the device shows.

    Raises:
        HostKeyRefused: another key is known.
    """
    shown = fingerprint(key.asbytes())
    if device.host_key not in {"", shown}:
        raise HostKeyRefused(device.name, known=device.host_key, shown=shown)
    return shown


class KnownKey(paramiko.MissingHostKeyPolicy):
    """paramiko's question about a host key, asked before it logs in."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.shown = ""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Accept the known key, and any as long as none is known.

        Raises:
            HostKeyRefused: another key is known.
        """
        del client, hostname
        self.shown = checked_key(self._device, key)


def _offer(options: paramiko.SecurityOptions, what: str, wanted: Sequence[str]) -> None:
    usual, known = getattr(options, what), []
    for name in wanted:
        with suppress(ValueError):  # How paramiko says that it does not have the algorithm.
            setattr(options, what, [name])
            known.append(name)
    setattr(options, what, known or usual)
