"""What an order would do is what it does: over HTTP, on both databases, and nothing of the question stays."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from api.cli import app
from api.client import PRODUCT_ORDERS
from api.demo import bodies
from api.migrations.models import all_tables
from api.paths import PLAN
from api.plan_commands import WOULD_FAIL
from tests.api.conftest import Platform, Start
from tests.api.test_review import sign, state, until, waiting

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PATIENCE_S = 20.0
SERVICE_ORDERS = "/tmf-api/serviceOrdering/v4/serviceOrder"


@pytest.fixture
def guarded(start: Start, database_url: str, tmp_path: Path) -> Iterator[Platform]:
    """Return a platform, on each database in turn, where everything waits for a reviewer."""
    (tmp_path / "policy.yaml").write_text("otherwise: oneApprover\n", encoding="utf-8")
    settings: dict[str, Any] = {"review_policy": tmp_path / "policy.yaml", "auth": False}
    if database_url.startswith("postgresql"):
        settings["database"] = database_url
    with start(tmp_path / "data", **settings) as platform:
        yield platform


def contents(platform: Platform) -> dict[str, list[Any]]:
    """Return all that is stored, but for what tells that a worker lives."""
    with platform.system.database.read() as connection:
        tables = [
            table for table in all_tables().sorted_tables if table.name not in {"worker", "device_lock", "device_state"}
        ]
        return {table.name: sorted(map(str, connection.execute(select(table)).all())) for table in tables}


def told(answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    (activation,) = answer["activation"]
    return [(each["device"], each["edit"], each["inverse"]) for each in activation["plan"]]


def done(tree: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    (monitor,) = tree["monitor"]
    return [(each["device"], each["edit"], each["inverse"]) for each in monitor["plan"]["devices"]]


def test_the_second_order_is_foretold_while_the_first_is_held(guarded: Platform) -> None:
    client = guarded.client
    first = client.place(bodies.add(serial_number="LMLE0000A015"))
    review = waiting(client, first)
    until(lambda: state(client, first) == "held" and client.get("/health")["jobs"]["pending"] == 0)
    second_body = bodies.add(serial_number="LMLE0000A016", place_id="ADDR-1016")
    before = contents(guarded)

    answer = client.post(PLAN, second_body)

    assert contents(guarded) == before
    assert answer["appliedFirst"] == 1
    assert answer["order"] == {"state": "inProgress", "reason": []}
    (activation,) = answer["activation"]
    assert activation["requirement"] == "oneApprover"
    assert "1043" in activation["patch"]

    sign(client, review, "approve")
    assert client.follow(first, timeout_s=PATIENCE_S)["productOrder"]["state"] == "completed"
    second = client.place(second_body)
    later = waiting(client, second)
    assert later["planHash"] == activation["planHash"]
    assert later["risk"]["sharedServices"] == activation["blastRadius"]["services"]
    sign(client, later, "approve")
    assert done(client.follow(second, timeout_s=PATIENCE_S)) == told(answer)


def test_asking_twice_gives_the_same_and_takes_nothing(guarded: Platform) -> None:
    before = contents(guarded)
    answers = [guarded.client.post(PLAN, bodies.add()) for _ in range(2)]
    assert told(answers[0]) == told(answers[1])
    assert answers[0]["activation"][0]["planHash"] == answers[1]["activation"][0]["planHash"]
    assert contents(guarded) == before


@pytest.fixture(scope="module")
def plain(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return a platform where nothing waits."""
    with start(tmp_path_factory.mktemp("plain"), auth=False) as platform:
        yield platform


def test_modify_and_cease_are_foretold(plain: Platform) -> None:
    client = plain.client
    added = client.follow(client.place(bodies.add(serial_number="LMLE0000B015")), timeout_s=PATIENCE_S)
    product_id = added["productOrder"]["productOrderItem"][0]["product"]["id"]
    for body in (bodies.upgrade(product_id), bodies.cease(product_id)):
        answer = client.post(PLAN, body)
        came = client.follow(client.place(body), timeout_s=PATIENCE_S)
        assert told(answer) == done(came)
        assert answer["activation"][0]["planHash"] == came["monitor"][0]["plan"]["planHash"]


def service_order(place_id: str = "ADDR-1015") -> dict[str, Any]:
    values = {"downstreamMbps": 100, "upstreamMbps": 50, "ontSerialNumber": "LMLE0000F015"}
    service = {
        "serviceSpecification": {"id": "internet-access"},
        "place": [{"id": place_id, "role": "installationAddress"}],
        "serviceCharacteristic": [{"name": name, "value": value} for name, value in values.items()],
    }
    return {"serviceOrderItem": [{"id": "1", "action": "add", "service": service}]}


def edge(vlan_id: int = 3001) -> dict[str, Any]:
    values = {
        "router": "r1",
        "routerInterface": "eth1",
        "vlanId": vlan_id,
        "address": "10.42.1.200",
        "gateway": "10.42.1.1",
    }
    return {
        "id": "edge-1",
        "serviceSpecification": {"id": "ip-edge"},
        "serviceCharacteristic": [{"name": name, "value": value} for name, value in values.items()],
    }


def test_service_orders_and_services_are_planned_too(plain: Platform) -> None:
    found = plain.client.post(PLAN, service_order())
    assert (found["kind"], [each["device"] for each in found["activation"][0]["plan"]]) == (
        "serviceOrder",
        ["olt1", "r1", "sw1"],
    )
    found = plain.client.post(PLAN, edge())
    assert (found["kind"], [each["device"] for each in found["activation"][0]["plan"]]) == ("service", ["r1"])
    assert "order" not in found


WRONG = {
    "an unknown offering": (PRODUCT_ORDERS, {"productOrderItem": [{"id": "1", "action": "add"}]}),
    "a product nobody has": (PRODUCT_ORDERS, bodies.cease("nobody")),
    "a service order without a place": (SERVICE_ORDERS, {"serviceOrderItem": [{"id": "1", "action": "add"}]}),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_order_gets_the_answer_that_placing_it_would(plain: Platform, case: str) -> None:
    path, body = WRONG[case]
    asked, placed = (plain.client.http.post(where, json=body) for where in (PLAN, path))
    assert asked.status_code == placed.status_code >= 400
    said, of_placing = (
        each.json()["message"].removeprefix(f"POST {each.request.url.path}: ") for each in (asked, placed)
    )
    assert said == of_placing


def test_an_order_that_was_placed_already_is_named(plain: Platform) -> None:
    body = {**bodies.add(serial_number="LMLE0000E017", place_id="ADDR-1017"), "externalId": "twice"}
    placed = plain.client.place(body)
    plain.client.follow(placed, timeout_s=PATIENCE_S)

    answer = plain.client.post(PLAN, body)

    assert answer["activation"] == []
    (note,) = answer["note"]
    assert f"'twice' is that of order {placed} (completed)" in note


def test_what_is_neither_order_nor_service_is_refused(plain: Platform) -> None:
    answer = plain.client.http.post(PLAN, json={"hello": 1})
    assert answer.status_code == 400
    assert "legal: an order with productOrderItem" in answer.json()["message"]


@pytest.fixture
def lastmile(plain: Platform, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run ``lastmile plan`` on a body, and return exit code and output."""

    def run(body: Mapping[str, Any], *options: str) -> tuple[int, str]:
        (tmp_path / "order.json").write_text(json.dumps(body), encoding="utf-8")
        result = CliRunner().invoke(app, ["plan", str(tmp_path / "order.json"), *options, "--url", plain.url])
        return result.exit_code, result.output

    return run


def test_the_command_shows_the_change_for_people(lastmile: Callable[..., tuple[int, str]]) -> None:
    code, output = lastmile(bodies.add(serial_number="LMLE0000C015"), "--edits")
    assert code == 0
    for words in ("● olt1", "● sw1", "● r1", "what undoes it", "blast radius", "review: auto", "plan hash: "):
        assert words in output


def test_the_patch_is_a_patch_and_nothing_else(lastmile: Callable[..., tuple[int, str]]) -> None:
    code, output = lastmile(bodies.add(serial_number="LMLE0000C015"), "--patch")
    assert code == 0
    assert output.startswith("--- a/olt1\n+++ b/olt1\n@@")
    assert all(line[:1] in {"-", "+", "@", " "} for line in output.splitlines())


def test_json_is_the_whole_answer(lastmile: Callable[..., tuple[int, str]]) -> None:
    code, output = lastmile(edge(), "--json")
    assert code == 0
    assert json.loads(output)["activation"][0]["plan"][0]["device"] == "r1"


def test_an_order_that_would_fail_says_why(lastmile: Callable[..., tuple[int, str]]) -> None:
    code, output = lastmile(bodies.add(serial_number="LMLE0000C015", place_id="ADDR-9999"))
    assert code == WOULD_FAIL
    assert "would fail now: " in output
    assert "ADDR-9999" in output


def test_a_file_that_is_no_order_is_wrong_usage(lastmile: Callable[..., tuple[int, str]]) -> None:
    code, _ = lastmile(["x"])
    assert code == 2
