"""schemathesis against the official files: no 5xx, no answer but an official one, nothing that was sent is lost.

``make fuzz EXAMPLES=200`` looks longer.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import content_type_conformance, not_a_server_error, response_schema_conformance

from api.http.app import create_app
from tests.api.http.in_process import InProcess
from tests.api.http.official import ITEMS, official, orderable
from tests.bench.rig import running
from tests.conftest import SHARED

pytestmark = [pytest.mark.slow, pytest.mark.db, pytest.mark.shared]

FILES: Final = tuple(sorted(SHARED.glob("tmf/TMF*.json")))
ORDERS: Final = {"productOrder": "TMF622-v4.0.0", "serviceOrder": "TMF641-v4.1.0", "resourceOrder": "TMF652-v4.0.0"}
CHECKS: Final = [not_a_server_error, content_type_conformance, response_schema_conformance]
ALSO_LEGAL: Final = frozenset({404, 409, 412, 413, 415, 422})
"""What TM Forum's files do not name and HTTP does."""
OWN: Final = frozenset({"id", "href", "state", "orderDate", "startDate", "completionDate", "cancellationDate"})
"""What the server says, whatever was sent."""
OWN_ITEM: Final = frozenset({"id", "href", "state"})
CONFIG: Final = schemathesis.Config.from_dict({"generation": {"allow-x00": False}})
number = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The application and what it serves: paths with their parameters left out, and methods."""

    client: InProcess
    served: frozenset[tuple[str, str]]

    def serves(self, operation: APIOperation[Any, Any, Any, Any]) -> bool:
        return (_bare(_base(operation) + operation.path), operation.method.upper()) in self.served


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(works=False) as rig:
        rig.place(3)
        app = create_app(rig.system)
        paths = app.openapi()["paths"]
        served = frozenset((_bare(path), verb.upper()) for path, verbs in paths.items() for verb in verbs)
        yield Server(client=InProcess(app=app), served=served)


@pytest.fixture
def examples(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("examples"))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["legal", "illegal"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.timeout(0)
def test_requests_that_the_file_describes_and_others(
    server: Server, file: Path, mode: GenerationMode, examples: int
) -> None:
    for operation in _operations(file):
        # Nothing of a path without a query can be wrong.
        is_told = operation.body or operation.query or mode is GenerationMode.POSITIVE
        if server.serves(operation) and is_told:
            _look(operation, server.client, mode, examples)


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.timeout(0)
def test_an_order_comes_back_with_all_that_was_sent(server: Server, shared: Path, kind: str, examples: int) -> None:
    operation = _schema(shared / "tmf" / f"{ORDERS[kind]}.json")[f"/{kind}"]["POST"]

    def place(case: Case[Any]) -> None:
        sent = orderable(kind, cast("dict[str, Any]", case.body), next(number))
        answer = server.client.post(_base(operation) + f"/{kind}", json=sent)
        assert answer.status_code == 201, answer.text
        assert list(_lost(sent, answer.json(), ITEMS[kind])) == []
        case.validate_response(schemathesis.Response.from_httpx(answer, verify=False), checks=CHECKS)

    _for_each_case(operation, GenerationMode.POSITIVE, examples, place)


def _look(operation: APIOperation[Any, Any, Any, Any], client: InProcess, mode: GenerationMode, examples: int) -> None:
    documented = {int(code) for code in operation.definition.raw["responses"] if code.isdigit()}

    def send(case: Case[Any]) -> None:
        answer = client.request(**_request(case, _base(operation)))
        assert answer.status_code in documented | ALSO_LEGAL, f"{answer.request.url}: {answer.text}"
        # A part of a resource lacks what the whole must have.
        checks = CHECKS[:-1] if answer.is_success and answer.request.url.params.get("fields") else CHECKS
        case.validate_response(schemathesis.Response.from_httpx(answer, verify=False), checks=checks)

    _for_each_case(operation, mode, examples, send)


def _for_each_case(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, examples: int, work: Any) -> None:
    looked = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=examples <= 10,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    looked(given(operation.as_strategy(generation_mode=mode))(work))()


def _request(case: Case[Any], base: str) -> dict[str, Any]:
    given_ = case.as_transport_kwargs(base_url=f"http://lastmile{base}")
    names = {"method": "method", "url": "path", "headers": "headers", "params": "params", "json": "json"}
    found = {name: given_[key] for key, name in names.items() if given_.get(key) is not None}
    content = given_.get("data")
    return {**found, "content": content} if isinstance(content, bytes | str) else found


def _schema(file: Path) -> Any:
    return schemathesis.openapi.from_dict(official(file), config=CONFIG)


def _operations(file: Path) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    for found in _schema(file).get_all_operations():
        yield found.ok()


def _base(operation: APIOperation[Any, Any, Any, Any]) -> str:
    base: str = operation.schema.raw_schema["basePath"]
    return base.rstrip("/")


def _bare(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _lost(sent: Mapping[str, Any], got: Mapping[str, Any], items: str) -> Iterator[str]:
    """Yield where an answer says something else than what was sent, in what is not the server's to say."""
    for name in sent.keys() - OWN - {items}:
        if sent[name] is not None:
            yield from _differences(sent[name], got.get(name), name)
    for at, (mine, theirs) in enumerate(zip(sent[items], got[items], strict=True)):
        for name in mine.keys() - OWN_ITEM:
            yield from _differences(mine[name], theirs.get(name), f"{items}[{at}].{name}")


def _differences(sent: object, got: object, path: str) -> Iterator[str]:
    if isinstance(sent, dict) and isinstance(got, dict):
        for name, value in sent.items():
            if name not in OWN_ITEM or "." not in path:
                yield from _differences(value, got.get(name), f"{path}.{name}")
    elif isinstance(sent, list) and isinstance(got, list) and len(sent) == len(got):
        for at, (mine, theirs) in enumerate(zip(sent, got, strict=True)):
            yield from _differences(mine, theirs, f"{path}[{at}]")
    elif sent != got:
        yield f"{path}: sent {sent!r}, got {got!r}"
