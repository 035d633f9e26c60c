"""A database that a platform really produced, in every state an order can rest in."""

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import yaml
from sqlalchemy import Connection, text

from api.backups.contracts import Vault
from api.backups.targets import vault_of
from api.demo import bodies
from api.storage import DATABASE_FILE
from tests.api.conftest import Platform, Start

PATIENCE_S = 30.0
_PROCRASTINATE = {" job ": " procrastinate_jobs ", "kind =": "queue_name =", "state = 'parked'": "status = 'failed'"}
SERIALS = iter(f"LMLE{number:08X}" for number in range(1, 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """Where the database stands; ``url`` is None for SQLite in ``folder``."""

    folder: Path
    url: str | None

    def copy(self, folder: Path) -> "Produced":
        """Return a copy that may be spoilt; the folder goes with it: there are the keys that its devices show."""
        shutil.copytree(self.folder, folder)
        if self.url is None:
            return Produced(folder=folder, url=None)
        name = f"copy_{time.monotonic_ns()}"
        base, _, produced = self.url.rpartition("/")
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {produced}".encode())
        return Produced(folder=folder, url=f"{base}/{name}")

    def vault(self) -> Vault:
        return vault_of(self.folder, self.url, file_name=DATABASE_FILE)

    def options(self) -> list[str]:
        """Return how a command is told of it."""
        return ["--data", str(self.folder)] if self.url is None else ["--database", self.url]

    def spoil(self, statement: str) -> None:
        """Run SQL on it behind the platform's back; it must touch something."""
        with self.vault().write() as connection:
            assert self._execute(connection, statement) > 0, statement

    def _execute(self, connection: Connection, statement: str) -> int:
        if self.url is not None and " job " in statement:
            for ours, theirs in _PROCRASTINATE.items():
                statement = statement.replace(ours, theirs)
        return connection.execute(text(statement)).rowcount


def produce(start: Start, folder: Path, url: str | None) -> Produced:
    """Let a platform work, and stop it at different moments.

    Then there are a ceased product, an active one, one whose order failed, one whose resources are reserved, one whose
    activation waits, and one whose order was only taken in.
    """
    given: dict[str, Any] = {"auth": False, **({"database": url} if url else {})}
    with start(folder, **given) as platform:
        ceased = _ordered(platform, _add("ADDR-1015"))
        _ordered(platform, bodies.upgrade(ceased))
        _ordered(platform, bodies.cease(ceased))
        _ordered(platform, _add("ADDR-1016"))
        assert platform.system.lab is not None
        platform.system.lab.cut("sw1")
        _ordered(platform, _add("ADDR-1015"), state="failed")
        platform.system.lab.restore("sw1")
    with start(folder, kinds="product,service,resource", **given) as platform:
        _placed(platform, _add("ADDR-1016"), lambda tree: _states(tree, "monitor") == ["InProgress"])
    with start(folder, kinds="product,service.start,resource", **given) as platform:
        _placed(platform, _add("ADDR-1017"), lambda tree: _states(tree, "resourceOrder") == ["completed"] * 3)
    with start(folder, kinds="hub", **given) as platform:
        _placed(platform, _add("ADDR-1015"), lambda tree: tree["productOrder"]["state"] == "acknowledged")
    return Produced(folder=folder, url=url)


def _add(place_id: str) -> dict[str, Any]:
    return bodies.add(serial_number=next(SERIALS), place_id=place_id)


def _ordered(platform: Platform, body: Mapping[str, Any], state: str = "completed") -> str:
    tree = platform.client.follow(platform.client.place(body), timeout_s=PATIENCE_S)
    assert tree["productOrder"]["state"] == state
    return str(tree["productOrder"]["productOrderItem"][0]["product"]["id"])


def _placed(platform: Platform, body: Mapping[str, Any], rests: Callable[[Mapping[str, Any]], bool]) -> None:
    order_id = platform.client.place(body)
    deadline_s = time.monotonic() + PATIENCE_S
    while not rests(tree := platform.client.tree(order_id)):
        assert time.monotonic() < deadline_s, tree
        threading.Event().wait(0.02)


def _states(tree: Mapping[str, Any], kind: str) -> list[str]:
    return [order["state"] for order in tree[kind]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruption:
    """Damage, the rules (with the kinds) that find it, and whether all of it can be mended."""

    sql: str
    finds: frozenset[str]
    mended: bool


def read_corruptions() -> dict[str, Corruption]:
    """Return the corruptions by name."""
    loaded = yaml.safe_load((Path(__file__).parent / "corruptions.yaml").read_text())
    rows: dict[str, str] = {}
    for name, query in loaded["rows"].items():
        rows[name] = query.format(**rows)
    return {
        name: Corruption(sql=case["sql"].format(**rows), finds=frozenset(case["finds"]), mended=case["mended"])
        for name, case in loaded["corruptions"].items()
    }
