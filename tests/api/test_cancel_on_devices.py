"""Orders cancelled, held and resumed on the emulated devices, with the worker at work, on either database."""

import time
from collections.abc import Iterator

import pytest

from api.demo import bodies
from tests.api.conftest import Platform, Start
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.e2e, pytest.mark.lab, pytest.mark.db]
PATIENCE_S = 60.0
MOMENTS = ("productOrder", "serviceOrder", "resourceOrder", "monitor", "unfinishedTransaction")
"""What the chain has when the order is cancelled: each time a bit more."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(
    request: pytest.FixtureRequest, start: Start, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    given = {}
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        given["database"] = server.new_database()
    with start(tmp_path_factory.mktemp("devices") / "data", auth=False, **given) as platform:
        yield platform


def ended(served: Platform, order_id: str) -> str:
    return str(served.client.follow(order_id, timeout_s=PATIENCE_S)["productOrder"]["state"])


def serials() -> Iterator[str]:
    return (f"ALCL000000{number:02X}" for number in range(16, 256))


SERIALS = serials()


def test_cancelled_at_any_moment_the_devices_are_as_before(served: Platform) -> None:
    before, pools = served.configurations(), served.client.get("/lastmile/v1/pool")
    states = set()
    for moment in MOMENTS:
        order_id = served.client.place(bodies.add(serial_number=next(SERIALS)))
        if come_to(served, order_id, moment) == "completed":
            cease(served, order_id)
            continue
        path = "/tmf-api/productOrderingManagement/v4/cancelProductOrder"
        served.client.post(path, {"productOrder": {"id": order_id}})
        states.add(ended(served, order_id))
        if ended(served, order_id) == "completed":
            cease(served, order_id)
        assert served.configurations() == before
        assert served.client.get("/lastmile/v1/pool") == pools
    assert states <= {"cancelled", "completed"}
    assert "cancelled" in states


def come_to(served: Platform, order_id: str, moment: str) -> str:
    """Return the order's state once its chain has this, or has ended."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (tree := served.client.tree(order_id))[moment] and tree["productOrder"]["state"] != "completed":
        assert time.monotonic() < deadline_s
    return str(tree["productOrder"]["state"])


def cease(served: Platform, order_id: str) -> None:
    product = served.client.tree(order_id)["productOrder"]["productOrderItem"][0]["product"]["id"]
    assert ended(served, served.client.place(bodies.cease(product))) == "completed"


def test_held_and_resumed_it_is_completed(served: Platform) -> None:
    order_id = served.client.place(bodies.add(serial_number=next(SERIALS)))
    path = f"/lastmile/v1/productOrder/{order_id}"
    served.client.post(f"{path}/hold", {"reason": "storm"})
    deadline_s = time.monotonic() + PATIENCE_S
    while served.client.tree(order_id)["productOrder"]["state"] != "held":
        assert time.monotonic() < deadline_s
    served.client.post(f"{path}/resume", {})
    assert ended(served, order_id) == "completed"
