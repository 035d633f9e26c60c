"""Settings: one frozen value, read once from the environment and the command line."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

import labs
from api.errors import StartRefused
from api.far.model import Layer
from api.mail.address import is_address
from labs.runtimes.registry import EMBEDDED, RUNTIMES

PREFIX = "LASTMILE_"
OF_CLIENTS = frozenset({"LASTMILE_TOKEN", "LASTMILE_URL"})
"""Read by the commands that talk to a running platform; no settings of a process."""
FTTH_LAB = Path(labs.__file__).parent / "ftth" / "ftth.clab.yml"


class Settings(BaseModel):
    """How one process runs. Every field can be set as ``LASTMILE_<FIELD>`` in the environment.

    Attributes:
        port: TCP port of the HTTP API; 0 means any free one.
        data: folder of the database; created where it does not exist.
        lab: containerlab topology to serve, or None for no lab.
        runtime: how the lab runs: embedded in this process, or as "lastmile lab deploy" would, joined where it runs.
        auth: whether requests need a bearer token.
        lab_ssh_port: SSH port of every emulated device, on its own address; 0 means any free one.
        lab_netconf_port: the same for NETCONF.
        database: URL of a PostgreSQL database; without it, SQLite in the data folder.
        kinds: job kinds this process works on, whole (``activation.run``) or by layer (``activation``); all if empty.
        concurrency: changes of devices this process has under way at a time, each of one or many activations.
        commit_target_s: how long a device's commit may take before fewer activations share it.
        drift_every_s: how often each device is compared with what its services want; 0: only when somebody asks.
        max_body_bytes: larger request bodies are refused.
        catalog: folder with catalog files of your own, beside the shipped ones and the lab's.
        review_policy: YAML file that says which plans wait for people; the shipped one lets everything through.
        activation_patience_s: how long a TMF640 client waits for its result, unless it says how long.
        hub_allow: networks (CIDR, comma separated) that subscribers may be in although they are not public.
        hub_attempts: failed deliveries of one event to one subscriber before it becomes a dead letter.
        hub_first_pause_s: after the first failed delivery; it doubles with each further one.
        hub_timeout_s: how long one delivery may take.
        layer: what of the chain this process is: com, som, rom, activation (comma separated); all if empty.
        upstream: where the layers below listen, ``som=http://…,rom=https://…``, those that are not this process.
        upstream_tokens: with what they are asked, ``som=lm_…,rom=lm_…``; tokens of the role ``layer``.
        public_url: where the layers below reach this process with their events; ``http://HOST:PORT`` if not given.
        upstream_patience_s: how long nothing may be heard of a request to another layer before its state is read.
        mail_host: mail server that takes e-mails to whoever ordered; none are sent if empty.
        mail_port: its TCP port.
        mail_tls: ``starttls``, ``tls`` from the first byte, or ``none``.
        mail_sender: address that they come from.
        mail_username: for a server that wants a login.
        mail_password: for a server that wants a login.
        mail_states: ends of a product order that are written about.
        mail_templates: folder of templates that replace the shipped ones.
        mail_attempts: failed attempts before an e-mail is given up.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8640, ge=0, le=65535)
    data: Path = Path("lastmile-data")
    lab: Path | None = FTTH_LAB
    runtime: str = EMBEDDED
    auth: bool = True
    lab_ssh_port: int = Field(default=2222, ge=0, le=65535)
    lab_netconf_port: int = Field(default=8830, ge=0, le=65535)
    database: SecretStr | None = None
    kinds: tuple[str, ...] = ()
    concurrency: int = Field(default=64, ge=1, le=1000)
    commit_target_s: float = Field(default=5.0, gt=0.0)
    drift_every_s: float = Field(default=0.0, ge=0.0)
    max_body_bytes: int = Field(default=1_048_576, ge=1024)
    review_policy: Path | None = None
    catalog: Path | None = None
    activation_patience_s: float = Field(default=10.0, ge=0.0, le=300.0)
    hub_allow: tuple[IPv4Network | IPv6Network, ...] = ()
    hub_attempts: int = Field(default=20, ge=1)
    hub_first_pause_s: float = Field(default=0.5, gt=0.0)
    hub_timeout_s: float = Field(default=10.0, gt=0.0)
    layer: tuple[Layer, ...] = ()
    upstream: dict[Layer, str] = Field(default_factory=dict)
    upstream_tokens: dict[Layer, SecretStr] = Field(default_factory=dict)
    public_url: str = ""
    upstream_patience_s: float = Field(default=60.0, gt=0.0)

    mail_host: str = ""
    mail_port: int = Field(default=587, ge=1, le=65535)
    mail_tls: Literal["none", "starttls", "tls"] = "starttls"
    mail_sender: str = ""
    mail_username: str = ""
    mail_password: SecretStr | None = None
    mail_states: tuple[Literal["completed", "failed", "partial", "cancelled"], ...] = ("completed",)
    mail_templates: Path | None = None
    mail_attempts: int = Field(default=20, ge=1)

    @model_validator(mode="after")
    def _mail(self) -> Self:
        if self.mail_host and not is_address(self.mail_sender):
            raise ValueError(f"mail_sender: {self.mail_sender!r} is no e-mail address; mail_host needs one")
        if self.mail_templates is not None and not self.mail_templates.is_dir():
            raise ValueError(f"mail_templates: {str(self.mail_templates)!r} is no folder")
        return self

    @field_validator("upstream", "upstream_tokens", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        if isinstance(value, str):
            entries = (text.partition("=") for text in value.split(",") if text.strip())
            return {name.strip(): rest.strip() for name, _, rest in entries}
        return value

    @field_validator("upstream")
    @classmethod
    def _addresses(cls, upstream: dict[Layer, str]) -> dict[Layer, str]:
        for layer, url in upstream.items():
            if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
                raise ValueError(f"{layer}: {url!r} is no address; legal: http://host[:port][/path] or https://…")
        return upstream

    @field_validator("hub_allow", "kinds", "layer", "mail_states", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(text.strip() for text in value.split(",") if text.strip())
        return value

    @field_validator("runtime")
    @classmethod
    def _known(cls, runtime: str) -> str:
        if runtime not in RUNTIMES:
            raise ValueError(f"unknown runtime {runtime!r}; legal: {', '.join(RUNTIMES)}")
        return runtime

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
            if name.startswith(PREFIX) and name not in OF_CLIENTS
        }
        unknown = sorted(PREFIX + name.upper() for name in set(found) - set(cls.model_fields))
        if unknown:
            legal = ", ".join(PREFIX + name.upper() for name in cls.model_fields)
            raise StartRefused(f"{', '.join(unknown)} in the environment is no setting; legal: {legal}")
        found |= {name: value for name, value in given.items() if value is not None}
        if found.get("lab") == "none":
            found["lab"] = None
        return cls.model_validate(found)
