"""A whole platform on the embedded lab, over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.client import Client
from api.http.app import create_app
from api.http.server import bind, serving
from api.settings import Settings
from api.system import System
from api.wiring import TEMPLATES, running_system
from tests.api.strict import checking
from tests.api.strict_events import SeenEvents, watching
from tests.conftest import SHARED

Start = Callable[..., AbstractContextManager["Platform"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A running platform and a client that may do everything."""

    url: str
    client: Client
    system: System

    def configurations(self) -> dict[str, str]:
        assert self.system.lab is not None
        return {node.name: self.system.lab.running_config(node.name) for node in self.system.nodes}


@contextmanager
def _started(folder: Path, *, platforms: Path = TEMPLATES, **settings: object) -> Iterator[Platform]:
    given = {"port": 0, "lab_ssh_port": 0, "lab_netconf_port": 0, "data": folder, **settings}
    wanted = Settings.read({}, **given)
    with (
        running_system(wanted, platforms=platforms) as system,
        serving(create_app(system), bind("127.0.0.1", 0)) as url,
    ):
        client = Client.open(url, system.first_token)
        if SHARED.is_dir():
            client.http.event_hooks = {"response": [checking(SHARED)]}
        yield Platform(url=url, client=client, system=system)
        client.close()


@pytest.fixture(scope="session")
def start() -> Start:
    """Return the function that starts a platform on a data folder: ``with start(folder, lab=…) as platform``."""
    return _started


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return one platform for all tests of a module."""
    with _started(tmp_path_factory.mktemp("platform")) as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def seen_events() -> Iterator[SeenEvents | None]:
    """Look at every event of every test of this folder; None where the official files are not there."""
    if not SHARED.is_dir():
        yield None
        return
    with watching(SHARED) as seen:
        yield seen
        print(f"\n{seen.checked.total()} events of {len(seen.checked)} types checked")  # noqa: T201 - shown by -s


@pytest.fixture(autouse=True)
def only_official_events(seen_events: SeenEvents | None) -> Iterator[None]:
    """Fail the test during which an event was published that its official definition does not allow."""
    yield
    if seen_events is not None and seen_events.faults:
        found = seen_events.faults[:5]
        seen_events.faults.clear()
        pytest.fail("\n".join(found))
