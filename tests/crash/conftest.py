"""The length of a run, and what it has been through."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.crash.site import Site, Tally, built_site
from tests.postgres import PostgresServer, running_server

ROUNDS: Final = 8
"""Random kills per database when nobody says otherwise: enough to see that the matrix itself works."""
_TALLY: Final = pytest.StashKey[Tally]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the number of random kills, ``--rounds``."""
    parser.addoption("--rounds", type=int, default=ROUNDS, help="random kills per database in the crash matrix")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the tally."""
    if _TALLY in config.stash:
        terminalreporter.write_line(f"crash matrix: {config.stash[_TALLY]}")


@pytest.fixture(scope="session")
def rounds(pytestconfig: pytest.Config) -> int:
    """Return how many random kills there are per database."""
    # Only a run of this folder alone knows the option.
    return int(pytestconfig.getoption("rounds", ROUNDS))


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """Return what counts the kills of the whole run."""
    return pytestconfig.stash.setdefault(_TALLY, Tally())


@pytest.fixture(scope="module")
def durable() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server that may be killed."""
    with running_server(is_durable=True) as server:
        yield server


@pytest.fixture
def on_sqlite(tmp_path: Path, tally: Tally) -> Iterator[Site]:
    """Return a site with a SQLite database."""
    with built_site(tmp_path / "data", tally) as site:
        yield site


@pytest.fixture
def on_postgres(tmp_path: Path, tally: Tally, durable: PostgresServer) -> Iterator[Site]:
    """Return a site with a PostgreSQL server of its own."""
    with built_site(tmp_path / "data", tally, durable) as site:
        yield site
