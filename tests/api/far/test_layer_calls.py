"""What the layer above may say over HTTP that nobody else may."""

from collections.abc import Iterator
from typing import Any

import pytest

from api import tokens
from api.http.app import create_app
from api.http.layer_calls import AUTHOR, CORRELATION, LAYER
from tests.api.http.in_process import InProcess
from tests.api.order_life.stepping import Stepping, stepping

pytestmark = pytest.mark.db

SERVICE_ORDERS = "/tmf-api/serviceOrdering/v4/serviceOrder"
CANCELS = "/tmf-api/serviceOrdering/v4/cancelServiceOrder"
SERVICES = "/tmf-api/ServiceActivationAndConfiguration/v4/service"
CHAIN = {LAYER: "com", CORRELATION: "chain-1", AUTHOR: "alice"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepping]:
    with stepping(tmp_path_factory.mktemp("layers"), auth=True) as running:
        yield running


@pytest.fixture(scope="module")
def sent(platform: Stepping) -> Any:
    client = InProcess(app=create_app(platform.system))
    with platform.system.database.begin() as uow:
        known = {role: tokens.create(uow, name=f"a-{role}", role=role) for role in ("layer", "operator")}

    def send(role: str, method: str, path: str, key: str, body: Any = None, **headers: str) -> Any:
        given = {"Authorization": f"Bearer {known[role]}", "Idempotency-Key": key, **headers}
        return client.request(method, path, headers=given, **({} if body is None else {"json": body}))

    return send


def order(external_id: str) -> dict[str, Any]:
    service = {
        "place": [{"id": "ADDR-1015", "role": "installationAddress"}],
        "serviceSpecification": {"id": "internet-access"},
        "serviceCharacteristic": [
            {"name": "downstreamMbps", "value": 100},
            {"name": "upstreamMbps", "value": 50},
            {"name": "ontSerialNumber", "value": "LMLE0000F017"},
        ],
    }
    return {"externalId": external_id, "serviceOrderItem": [{"id": "1", "action": "add", "service": service}]}


def history(platform: Stepping, key: str) -> list[Any]:
    with platform.system.database.read() as connection:
        return list(platform.system.order_tree.service_orders.by_correlation_id(connection, key))


def test_a_layer_names_the_chain_and_the_author_and_is_taken_once(platform: Stepping, sent: Any) -> None:
    first = sent("layer", "POST", SERVICE_ORDERS, "po-1", order("po-1"), **CHAIN)
    assert first.status_code == 201, first.text
    again = sent("layer", "POST", SERVICE_ORDERS, "po-1b", order("po-1"), **CHAIN)
    assert again.json()["id"] == first.json()["id"]
    (row,) = history(platform, "chain-1")
    assert row.id == first.json()["id"]


def test_others_cannot_take_part_in_somebody_elses_chain(platform: Stepping, sent: Any) -> None:
    headers = CHAIN | {CORRELATION: "chain-2"}
    answer = sent("operator", "POST", SERVICE_ORDERS, "po-2", order("po-2"), **headers)
    assert answer.status_code == 201, answer.text
    assert history(platform, "chain-2") == []


def test_a_layer_must_name_the_chain(sent: Any) -> None:
    answer = sent("layer", "POST", SERVICE_ORDERS, "po-3", order("po-3"), **{LAYER: "com"})
    assert answer.status_code == 400
    assert CORRELATION in answer.json()["message"]


def test_a_cancel_task_of_a_layer_is_taken_once(sent: Any) -> None:
    made = sent("layer", "POST", SERVICE_ORDERS, "po-4", order("po-4"), **CHAIN).json()
    body = {"externalId": "cancel-4", "serviceOrder": {"id": made["id"]}, "cancellationReason": "moved"}
    first, again = (sent("layer", "POST", CANCELS, f"c-{each}", body, **CHAIN).json() for each in (1, 2))
    assert (first["id"], first["externalId"]) == (again["id"], "cancel-4")
    nobody = sent("layer", "POST", CANCELS, "c-5", body | {"serviceOrder": {"id": "nobody"}}, **CHAIN)
    assert nobody.status_code == 400


def test_an_activation_is_asked_for_by_name_and_withdrawn(platform: Stepping, sent: Any) -> None:
    values = {"router": "r1", "routerInterface": "eth1", "vlanId": 3000, "address": "10.9.9.9", "gateway": "10.9.9.1"}
    body = {
        "id": "far-1",
        "state": "active",
        "serviceSpecification": {"id": "ip-edge"},
        "serviceCharacteristic": [{"name": name, "value": value} for name, value in values.items()],
    }
    asked = {"Prefer": "respond-async", **CHAIN}
    first = sent("layer", "POST", SERVICES, "so-1:1", body, **asked)
    assert (first.status_code, first.json()["externalId"]) == (202, "so-1:1"), first.text
    assert sent("layer", "POST", SERVICES, "so-1:1", body, **asked).json()["id"] == first.json()["id"]
    monitor = first.json()["id"]
    refused = sent("operator", "POST", f"/lastmile/v1/monitor/{monitor}/cancel", "x-1", {})
    assert refused.status_code == 409
    assert "was made by service order 'so-1'" in refused.json()["message"]
    ended = sent("layer", "POST", f"/lastmile/v1/monitor/{monitor}/cancel", "x-2", {"reason": "moved"}, **CHAIN)
    assert (ended.status_code, ended.json()["state"]) == (202, "InError")
    assert ended.json()["errorMessage"][0]["code"] == "cancelled"
    gone = sent("layer", "DELETE", f"{SERVICES}/far-1", "so-1:1:undo:1", **asked)
    assert gone.status_code == 202, gone.text
    platform.drain()


def test_an_operator_may_not_subscribe_and_a_layer_may(sent: Any) -> None:
    hub = "/tmf-api/serviceOrdering/v4/hub"
    body = {"callback": "https://1.1.1.1/x"}
    assert sent("operator", "POST", hub, "h-1", body).status_code == 403
    assert sent("layer", "POST", hub, "h-2", body).status_code == 201
    assert sent("layer", "POST", "/tmf-api/productOrderingManagement/v4/productOrder", "p", {}).status_code == 403


def test_nothing_is_withdrawn_that_is_not_there(sent: Any) -> None:
    answer = sent("layer", "POST", "/lastmile/v1/monitor/nobody/cancel", "x-3", {}, **CHAIN)
    assert answer.status_code == 404
