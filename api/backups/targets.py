"""Which database a command means."""

from pathlib import Path
from typing import Final

from api.backups.contracts import Vault
from api.backups.postgres import PostgresVault
from api.backups.sqlite import SqliteVault
from api.errors import MaintenanceRefused

_POSTGRESQL: Final = ("postgresql", "postgres", "postgresql+psycopg")


def vault_of(data: Path, database: str | None, *, file_name: str) -> Vault:
    """Return the database at a URL where one is given, else the file in the data folder.

    Raises:
        MaintenanceRefused: a URL of another kind; says what is legal.
    """
    if database is None:
        return SqliteVault(path=data / file_name)
    scheme, found, rest = database.partition("://")
    if found and scheme == "sqlite":
        return SqliteVault(path=Path(rest.removeprefix("/")))
    if found and scheme in _POSTGRESQL:
        return PostgresVault(url=f"postgresql+psycopg://{rest}")
    raise MaintenanceRefused(f"database URL of kind {scheme!r}; legal: postgresql://…, sqlite:///PATH")
