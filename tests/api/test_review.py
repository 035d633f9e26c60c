"""Reviews over HTTP, with tokens of three people, on the embedded lab: orders held, approved, rejected."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from api import tokens
from api.client import PRODUCT_ORDERS, ApiRefused, Client
from api.demo import bodies
from tests.api.conftest import Platform, Start

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PATIENCE_S = 20.0
REVIEWS = "/lastmile/v1/review"
POLICY = """
rules:
  - {name: ceases, when: {action: delete}, require: oneApprover}
  - {name: adds, when: {action: add, role: olt}, require: fourEyes}
"""


@pytest.fixture(scope="module")
def guarded(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    with start(folder / "data", review_policy=folder / "policy.yaml") as platform:
        yield platform


@pytest.fixture(scope="module")
def people(guarded: Platform) -> Iterator[Mapping[str, Client]]:
    """Return clients of an operator, two reviewers, and an admin who orders."""
    roles = {"olga": "operator", "rita": "reviewer", "ralf": "reviewer", "anna": "admin"}
    clients = {}
    for name, role in roles.items():
        with guarded.system.database.begin() as uow:
            clients[name] = Client.open(guarded.url, tokens.create(uow, name=name, role=role))
    yield clients
    for client in clients.values():
        client.close()


def until(read: Callable[[], Any], *, timeout_s: float = PATIENCE_S) -> Any:
    """Return the first true thing that ``read`` gives."""
    deadline_s = time.monotonic() + timeout_s
    while not (found := read()):
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.02)
    return found


def ordered(client: Client, body: Mapping[str, Any]) -> str:
    return client.place(body)


def waiting(client: Client, order_id: str) -> dict[str, Any]:
    """Return the whole of the review that the order waits for."""

    def read() -> Any:
        found = client.get(f"{REVIEWS}?state=waiting&limit=1000")
        mine = [each for each in found if client.get(each["monitor"]["href"])["id"] in monitors(client, order_id)]
        return mine[0] if mine else None

    found: dict[str, Any] = client.get(until(read)["href"])
    return found


def monitors(client: Client, order_id: str) -> set[str]:
    return {each["id"] for each in client.tree(order_id)["monitor"]}


def state(client: Client, order_id: str) -> str:
    return str(client.tree(order_id)["productOrder"]["state"])


def sign(client: Client, review: Mapping[str, Any], decision: str, comment: str = "ok") -> Any:
    return client.post(f"{review['href']}/{decision}", {"planHash": review["planHash"], "comment": comment})


def test_an_order_is_held_until_somebody_else_approves_it(guarded: Platform, people: Mapping[str, Client]) -> None:
    before = guarded.configurations()
    order_id = ordered(people["olga"], bodies.add(serial_number="LMLE0000A015"))
    review = waiting(people["rita"], order_id)
    until(lambda: state(people["olga"], order_id) == "held")

    tree = people["olga"].tree(order_id)
    (service_order,) = tree["serviceOrder"]
    assert (service_order["state"], service_order["serviceOrderItem"][0]["state"]) == ("held", "held")
    assert review["href"] in tree["productOrder"]["note"][-1]["text"]
    assert guarded.configurations() == before
    assert review["author"] == "olga"
    assert [each["device"] for each in review["plan"]] == ["olt1", "r1", "sw1"]
    assert all(each["diff"] and each["edit"] and each["inverse"] for each in review["plan"])
    assert "+++ b/sw1" in review["patch"]
    assert review["blastRadius"]["services"] == 0

    sign(people["rita"], review, "approve", "checked the splitter")
    done = people["olga"].follow(order_id, timeout_s=PATIENCE_S)
    assert done["productOrder"]["state"] == "completed"
    moves = [each for each in done["history"] if each["id"] == order_id and not each["item"]]
    assert [each["to"] for each in moves] == ["acknowledged", "inProgress", "held", "inProgress", "completed"]
    assert moves[0]["by"] == "olga"
    (monitor,) = done["monitor"]
    assert monitor["plan"]["planHash"] == review["planHash"]
    assert [each["edit"] for each in monitor["plan"]["devices"]] == [each["edit"] for each in review["plan"]]
    (decision,) = people["olga"].get(review["href"])["decision"]
    assert (decision["by"], decision["comment"]) == ("rita", "checked the splitter")


def test_the_neighbours_of_a_change_are_named_with_order_and_customer(
    guarded: Platform, people: Mapping[str, Client]
) -> None:
    order = {
        **bodies.add(serial_number="LMLE0000D015"),
        "relatedParty": [{"id": "C-7", "name": "Ada Example", "role": "customer", "@referredType": "Individual"}],
        "externalId": "CRM-7",
    }
    first = ordered(people["olga"], order)
    sign(people["rita"], waiting(people["rita"], first), "approve")
    people["olga"].follow(first, timeout_s=PATIENCE_S)
    second = ordered(people["olga"], bodies.add(serial_number="LMLE0000D016", place_id="ADDR-1016"))
    review = waiting(people["rita"], second)

    named = review["blastRadius"]["service"]
    assert {"order": first, "externalId": "CRM-7", "customer": "Ada Example"}.items() <= {
        name: value for each in named if each.get("order") == first for name, value in each.items()
    }.items()
    assert review["blastRadius"]["services"] == len(named) == review["risk"]["sharedServices"]
    sign(people["rita"], review, "reject", "enough for today")
    people["olga"].follow(second, timeout_s=PATIENCE_S)
    assert guarded.configurations()


def test_a_rejected_order_fails_with_name_and_comment_and_gives_back_what_it_took(
    guarded: Platform, people: Mapping[str, Client]
) -> None:
    before, taken = guarded.configurations(), people["olga"].get("/lastmile/v1/pool")
    order_id = ordered(people["olga"], bodies.add(serial_number="LMLE0000B015"))
    sign(people["ralf"], waiting(people["ralf"], order_id), "reject", "wrong splitter")

    tree = people["olga"].follow(order_id, timeout_s=PATIENCE_S)
    assert tree["productOrder"]["state"] == "failed"
    assert tree["productOrder"]["note"][-1]["text"] == "ralf rejected the plan: wrong splitter"
    (item,) = tree["serviceOrder"][0]["serviceOrderItem"]
    assert item["errorMessage"][0]["code"] == "reviewRejected"
    assert item["errorMessage"][0]["message"] == "ralf rejected the plan: wrong splitter"
    assert guarded.configurations() == before
    assert people["olga"].get("/lastmile/v1/pool") == taken


def status(client: Client, path: str, body: Mapping[str, Any]) -> tuple[int, str]:
    answer = client.http.post(path, json=dict(body))
    return answer.status_code, answer.text


def test_who_may_not_decide_is_told_why(people: Mapping[str, Client]) -> None:
    order_id = ordered(people["anna"], bodies.add(serial_number="LMLE0000C015"))
    review = waiting(people["anna"], order_id)
    approve, body = f"{review['href']}/approve", {"planHash": review["planHash"], "comment": "mine"}

    assert status(people["olga"], approve, body)[0] == 403
    code, text = status(people["anna"], approve, body)
    assert code == 403
    assert "'anna' ordered this change" in text
    code, text = status(people["rita"], approve, {**body, "planHash": "f" * 64})
    assert code == 409
    assert review["planHash"] in text
    assert status(people["rita"], approve, {"comment": "x"})[0] == 400
    assert status(people["rita"], f"{review['href']}/reject", {"planHash": review["planHash"]})[0] == 400
    assert status(people["rita"], f"{REVIEWS}/nobody/approve", body)[0] == 404
    assert status(people["rita"], PRODUCT_ORDERS, bodies.add())[0] == 403

    assert status(people["rita"], approve, body)[0] == 200
    assert status(people["ralf"], approve, body)[0] == 200
    code, text = status(people["ralf"], f"{review['href']}/reject", body)
    assert code == 409
    assert "approved already: by rita" in text
    people["anna"].follow(order_id, timeout_s=PATIENCE_S)


def test_events_tell_of_reviews(people: Mapping[str, Client]) -> None:
    order_id = ordered(people["olga"], bodies.add(serial_number="LMLE0000E015"))
    review = waiting(people["rita"], order_id)
    sign(people["rita"], review, "reject", "no")
    people["olga"].follow(order_id, timeout_s=PATIENCE_S)
    events = people["olga"].get("/tmf-api/event/v4/topic/activation/event?limit=1000")
    told = [
        (each["eventType"], each["event"]["review"]["state"])
        for each in events
        if each["event"].get("review", {}).get("id") == review["id"]
    ]
    assert told == [("ReviewCreateEvent", "waiting"), ("ReviewStateChangeEvent", "rejected")]


def test_without_tokens_nobody_can_be_four_eyes(start: Start, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    with start(tmp_path / "data", review_policy=tmp_path / "policy.yaml", auth=False) as platform:
        order_id = platform.client.place(bodies.add())
        review = waiting(platform.client, order_id)
        assert review["author"] == "anonymous"
        with pytest.raises(ApiRefused, match="--auth on"):
            sign(platform.client, review, "approve")
        assert json.dumps(platform.client.get(review["href"])["decision"]) == "[]"


def test_what_waits_survives_a_restart(start: Start, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("otherwise: oneApprover\n", encoding="utf-8")
    settings = {"review_policy": tmp_path / "policy.yaml", "auth": False}
    with start(tmp_path / "data", **settings) as platform:
        order_id = platform.client.place(bodies.add())
        review = waiting(platform.client, order_id)
    with start(tmp_path / "data", **settings) as platform:
        assert platform.client.get(review["href"])["planHash"] == review["planHash"]
        sign(platform.client, review, "approve")
        assert platform.client.follow(order_id, timeout_s=PATIENCE_S)["productOrder"]["state"] == "completed"
