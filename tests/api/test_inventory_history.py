"""The history of products, services and resources, and the tree that ``lastmile inventory show`` draws."""

from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.demo import bodies
from tests.api.conftest import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PRODUCTS = "/tmf-api/productInventory/v4/product"
SERVICES = "/tmf-api/serviceInventory/v4/service"
RESOURCES = "/tmf-api/resourceInventoryManagement/v4/resource"
PATIENCE_S = 20.0


def ordered(platform: Platform, body: Any, state: str = "completed") -> dict[str, Any]:
    tree = platform.client.follow(platform.client.place(body), timeout_s=PATIENCE_S)
    assert tree["productOrder"]["state"] == state
    return tree


def product_of(tree: dict[str, Any]) -> str:
    return str(tree["productOrder"]["productOrderItem"][0]["product"]["id"])


def states(history: list[dict[str, Any]]) -> list[str]:
    found = [each["state"] for each in history]
    return [state for number, state in enumerate(found) if number == 0 or found[number - 1] != state]


def test_every_change_says_when_by_whose_order_and_what(platform: Platform) -> None:
    added = ordered(platform, bodies.add("fibre-100", "LMLE0000E001"))
    key = product_of(added)
    upgraded = ordered(platform, bodies.upgrade(key))
    ended = ordered(platform, bodies.cease(key))
    history = platform.client.get(f"{PRODUCTS}/{key}/history")
    assert [each["version"] for each in history] == list(range(1, len(history) + 1))
    assert states(history) == ["created", "pendingActive", "active", "pendingTerminate", "terminated"]
    changed = {one["attribute"]: one | {"of": each} for each in history[1:] for one in each["change"]}
    speed = changed["productCharacteristic.downstreamMbps"]
    assert (speed["from"], speed["to"], speed["of"]["by"]) == (100, 500, "admin")
    assert speed["of"]["order"]["id"] == upgraded["id"]
    orders = [each["order"]["id"] for each in history]
    assert (orders[0], orders[-1]) == (added["id"], ended["id"])
    first = platform.client.get(f"{PRODUCTS}/{key}/history/1")
    assert first["status"] == "created"
    last = platform.client.get(f"{PRODUCTS}/{key}/history/{len(history)}")
    assert last == platform.client.get(f"{PRODUCTS}/{key}")
    assert platform.client.http.get(f"{PRODUCTS}/{key}/history/{len(history) + 1}").status_code == 404
    assert platform.client.http.get(f"{PRODUCTS}/nobody/history").status_code == 404


def test_what_is_gone_keeps_its_history(platform: Platform) -> None:
    added = ordered(platform, bodies.add("fibre-100", "LMLE0000E002"))
    held = [order["orderItem"][0]["resource"]["id"] for order in added["resourceOrder"]]
    resource = platform.client.get(f"{RESOURCES}/{held[0]}")
    (host,) = resource["resourceRelationship"]
    assert platform.client.get(host["href"])["category"] == "device"
    ordered(platform, bodies.cease(product_of(added)))
    assert platform.client.http.get(f"{RESOURCES}/{held[0]}").status_code == 404
    assert states(platform.client.get(f"{RESOURCES}/{held[0]}/history")) == ["reserved", "deleted"]


def test_nothing_of_an_order_that_failed_is_in_use(platform: Platform) -> None:
    before = {path: platform.client.get(path) for path in (SERVICES, RESOURCES)}
    failed = ordered(platform, bodies.add("fibre-100", "LMLE0000E003", "ADDR-9999"), "failed")
    assert {path: platform.client.get(path) for path in before} == before
    history = platform.client.get(f"{PRODUCTS}/{product_of(failed)}/history")
    assert states(history) == ["created", "pendingActive", "aborted"]


def test_the_tree_goes_down_to_the_port(platform: Platform) -> None:
    key = product_of(ordered(platform, bodies.add("fibre-100", "LMLE0000E004")))
    token = platform.client.http.headers["Authorization"].removeprefix("Bearer ")
    where = ("--url", platform.url, "--token", token)

    def shown(*words: str, code: int = 0) -> str:
        answer = CliRunner().invoke(app, ["inventory", "show", *words, *where], env={"COLUMNS": "250"})
        assert answer.exit_code == code, answer.output
        return answer.output

    drawn = shown(key)
    for each in ("product Fibre 100", "service Internet-Access", "service GPON-Access", "device olt1", "ponPort pon1"):
        assert each in drawn
    assert "pendingActive" in drawn
    assert "pendingActive" not in shown(key, "--no-history")
    assert "device sw1" in shown("sw1")
    shown("nobody", code=1)
