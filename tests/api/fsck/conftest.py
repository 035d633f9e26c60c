"""The produced database, made once per kind of database."""

import pytest

from tests.api.conftest import Start
from tests.api.fsck.produced import Produced, produce
from tests.postgres import PostgresServer


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def produced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, start: Start) -> Produced:
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    return produce(start, tmp_path_factory.mktemp("produced"), url)
