"""Settings: one frozen value, read once from the environment and the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

import labs
from api.errors import StartRefused

PREFIX = "LASTMILE_"
CLIENT_VARIABLES = frozenset({"LASTMILE_TOKEN"})
"""What clients keep in the environment; the server may be started from the same shell."""
FTTH_LAB = Path(labs.__file__).parent / "ftth" / "ftth.clab.yml"


class Settings(BaseModel):
    """How one process runs. Every field can be set as ``LASTMILE_<FIELD>`` in the environment.

    Attributes:
        port: TCP port of the HTTP API; 0 means any free one.
        data: folder of the database; created where it does not exist.
        lab: containerlab topology to run embedded, or None for no lab.
        auth: whether requests need a bearer token.
        lab_ssh_port: SSH port of every emulated device, on its own address; 0 means any free one.
        lab_netconf_port: the same for NETCONF.
        max_body_bytes: larger request bodies are refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8640, ge=0, le=65535)
    data: Path = Path("lastmile-data")
    lab: Path | None = FTTH_LAB
    auth: bool = True
    lab_ssh_port: int = Field(default=2222, ge=0, le=65535)
    lab_netconf_port: int = Field(default=8830, ge=0, le=65535)
    max_body_bytes: int = Field(default=1_048_576, ge=1024)

    @classmethod
    def read(cls, environ: Mapping[str, str], **given: object) -> Self:
        """Return the settings: ``given`` (where not None) before ``environ`` before the defaults.

        Raises:
            StartRefused: ``LASTMILE_…`` names no setting; lists the legal names.
            pydantic.ValidationError: a value is not legal.
        """
        found: dict[str, object] = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and name not in CLIENT_VARIABLES
        }
        unknown = sorted(PREFIX + name.upper() for name in set(found) - set(cls.model_fields))
        if unknown:
            legal = ", ".join(PREFIX + name.upper() for name in cls.model_fields)
            raise StartRefused(f"{', '.join(unknown)} in the environment is no setting; legal: {legal}")
        found |= {name: value for name, value in given.items() if value is not None}
        if found.get("lab") == "none":
            found["lab"] = None
        return cls.model_validate(found)
