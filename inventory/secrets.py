"""Passwords that stand outside of the inventory: an environment variable or a file, named where a password would be."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from inventory.errors import NoSecret
from inventory.model import Device


def with_password(device: Device, environ: Mapping[str, str] = os.environ) -> Device:
    """Return ``device`` with the password that its ``password_from`` names, read now.

    Raises:
        NoSecret: the variable or the file is not there; names it.
    """
    if not device.password_from:
        return device
    kind, _, where = device.password_from.partition(":")
    if kind == "env":
        if where not in environ:
            raise NoSecret(device.name, f"the environment variable {where} is not set")
        return replace(device, password=environ[where])
    if kind != "file":
        raise NoSecret(device.name, f"unknown place {device.password_from!r}; legal: env:NAME, file:PATH")
    try:
        return replace(device, password=Path(where).read_text(encoding="utf-8").rstrip("\n"))
    except OSError as error:
        raise NoSecret(device.name, f"{where} cannot be read: {error.strerror}") from error
