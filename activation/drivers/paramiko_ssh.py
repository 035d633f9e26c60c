"""What the drivers on paramiko share: the algorithms of a profile, and the check of the device's host key."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import paramiko

from activation.drivers.ssh_profile import SshProfile, fingerprint
from activation.errors import HostKeyRefused
from inventory.model import Device


def transport_factory(profile: SshProfile) -> Callable[..., paramiko.Transport]:
    """Return what makes transports that offer the profile's algorithms, as far as paramiko has them."""

    def made(sock: Any, **kwargs: Any) -> paramiko.Transport:  # noqa: ANN401  # paramiko's own signature
        transport = paramiko.Transport(sock, **kwargs)
        options = transport.get_security_options()
        _offer(options, "kex", profile.key_exchange)
        _offer(options, "ciphers", profile.ciphers)
        _offer(options, "digests", profile.macs)
        _offer(options, "key_types", profile.host_keys)
        return transport

    return made


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
