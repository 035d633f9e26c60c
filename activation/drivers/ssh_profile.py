"""Which SSH algorithms a device is offered, and who it must be."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from activation.contracts import PlatformRules
from activation.errors import DeviceUnreachable
from inventory.model import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class SshProfile:
    """Algorithms in the order they are offered; empty: what the library offers by itself."""

    key_exchange: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()


PROFILES: Final[Mapping[str, SshProfile]] = {
    "default": SshProfile(
        key_exchange=(
            "curve25519-sha256",
            "curve25519-sha256@libssh.org",
            "ecdh-sha2-nistp256",
            "diffie-hellman-group14-sha256",
            "diffie-hellman-group16-sha512",
            "diffie-hellman-group-exchange-sha256",
        ),
        host_keys=("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"),
        ciphers=("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"),
        macs=("hmac-sha2-256-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"),
    ),
    # What equipment of the 2000s speaks; a device has to be named for it.
    "legacy": SshProfile(
        key_exchange=(
            "diffie-hellman-group14-sha256",
            "diffie-hellman-group14-sha1",
            "diffie-hellman-group-exchange-sha1",
            "diffie-hellman-group1-sha1",
        ),
        host_keys=("rsa-sha2-256", "ssh-rsa"),
        ciphers=("aes128-ctr", "aes256-ctr", "aes128-cbc", "3des-cbc"),
        macs=("hmac-sha2-256", "hmac-sha1"),
    ),
}


def profile_of(device: Device, rules: PlatformRules) -> SshProfile:
    """Return the profile that the device, or else its platform, names.

    Raises:
        DeviceUnreachable: nobody knows that profile; the message lists the known ones.
    """
    name = device.ssh_profile or str(rules.options.get("ssh_profile", "default"))
    profile = PROFILES.get(name)
    if profile is None:
        known = ", ".join(sorted(PROFILES))
        raise DeviceUnreachable(device.name, "connect", f"unknown SSH profile {name!r}; known: {known}")
    return profile


def fingerprint(key_blob: bytes) -> str:
    """Return the SHA-256 fingerprint of a public key as OpenSSH shows it."""
    digest = base64.b64encode(hashlib.sha256(key_blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"
