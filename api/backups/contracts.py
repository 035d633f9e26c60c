"""What can be done with a database as a whole, whichever kind it is."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

OnProgress = Callable[[int, int], None]
"""Called with how much is done and how much there is; in pages or in tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did; ``kept`` is where the database that stood there before was put, if it was."""

    revision: str
    kept: Path | None = None


class Vault(Protocol):
    """One database as a whole."""

    @property
    def option(self) -> str:
        """How it is named on the command line: ``"--data FOLDER"`` or ``"--database URL"``, without a password."""
        ...

    @property
    def target(self) -> str | Path:
        """Where :func:`api.runtime.database.open_database` finds it."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Open a read-only snapshot.

        Raises:
            MaintenanceRefused: there is no such database, or it cannot be opened.
        """
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Keep the platform from running on it while the block runs.

        Raises:
            StartRefused: the platform is running on it; says who.
        """
        ...

    def write(self) -> AbstractContextManager[Connection]:
        """Open a write transaction; leaving the block commits.

        Raises:
            MaintenanceRefused: there is no such database, or it cannot be written.
        """
        ...

    def problems(self) -> Sequence[str]:
        """Return what the database itself finds wrong with its files."""
        ...

    def backup(self, file: Path, *, on_progress: OnProgress) -> None:
        """Write all of it into ``file``, as it stood at one moment; the platform may be running.

        Raises:
            MaintenanceRefused: there is nothing to save, or the file cannot be written.
        """
        ...

    def restore(self, file: Path, *, force: bool, on_progress: OnProgress) -> Restored:
        """Put back what stands in ``file``, all of it or nothing.

        Raises:
            StartRefused: the platform is running on the database.
            MaintenanceRefused: the database has data and ``force`` is not given, or the file is not a good backup.
        """
        ...
