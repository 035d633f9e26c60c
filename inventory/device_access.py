"""How a device is logged in to, as a file says it: ``devices:`` of the network file, ``lastmile:`` of a Nornir host."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from inventory.file_part import Part
from inventory.model import Device

Word = Annotated[str, Field(min_length=1)]


class Password(Part):
    """Where a password stands.

    Attributes:
        env: the environment variable.
        file: the file; one that is not absolute is looked for beside the file that names it.
    """

    env: Word | None = None
    file: Word | None = None

    @model_validator(mode="after")
    def _is_in_one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("one place for the password must stand here; legal: {env: NAME} or {file: PATH}")
        return self

    def place(self, folder: Path) -> str:
        """Return it as :attr:`inventory.model.Device.password_from` has it."""
        return f"env:{self.env}" if self.file is None else f"file:{(folder / self.file).absolute()}"


class DeviceAccess(Part):
    """How one device is logged in to; what is not said stays as it is."""

    password: Password | None = None
    driver: Word | None = None
    ssh_profile: Word | None = None
    host_key: Annotated[str, Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")] | None = None
    max_sessions: Annotated[int, Field(ge=1)] | None = None
    logins_per_minute: Annotated[int, Field(ge=1)] | None = None
    timeout_s: Annotated[float, Field(gt=0)] | None = None

    def applied(self, device: Device, folder: Path) -> Device:
        """Return ``device`` with this access; paths are meant from ``folder``."""
        said: dict[str, Any] = self.model_dump(exclude_none=True, exclude={"password", "name"})
        if self.password is not None:
            said |= {"password": "", "password_from": self.password.place(folder)}
        return replace(device, **said)


class NamedAccess(DeviceAccess):
    """The access of the device called ``name``."""

    name: Word


def with_access(devices: Iterable[Device], said: Iterable[NamedAccess], folder: Path) -> tuple[Device, ...]:
    """Return ``devices``, each with the access that is ``said`` of it."""
    by_name = {access.name: access for access in said}
    return tuple(
        by_name[device.name].applied(device, folder) if device.name in by_name else device for device in devices
    )
