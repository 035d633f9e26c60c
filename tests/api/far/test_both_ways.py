"""The same orders on one process and on four that talk over HTTP alone: nobody can tell which it was."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.demo import bodies
from tests.api.far.split import Deployment, deployed

pytestmark = [pytest.mark.e2e, pytest.mark.lab, pytest.mark.slow]


@pytest.fixture(scope="module", params=["one process", "split"])
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("deployed"), split=request.param == "split") as running:
        yield running


def product_of(order: dict[str, Any]) -> str:
    return str(order["productOrderItem"][0]["product"]["id"])


def test_order_upgrade_and_cease(deployment: Deployment) -> None:
    before = deployment.configurations()
    added = deployment.completed(bodies.add())
    tree = deployment.client("com").tree(added["id"])
    assert len(tree["resourceOrder"]) == 3
    assert {event["correlationId"] for event in tree["event"]} == {added["id"]}
    assert {event["domain"] for event in tree["event"]} == {"product", "service", "resource", "activation", "inventory"}
    assert "missing" not in tree
    upgraded = deployment.completed(bodies.upgrade(product_of(added)))
    assert upgraded["state"] == "completed"
    deployment.completed(bodies.cease(product_of(added)))
    assert deployment.configurations() == before
    assert deployment.taken() == 0
