"""Put on hold after every step, and let go on: nothing new is begun meanwhile, and the order ends as if nothing was."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from orders.errors import OrderConflict
from orders.interventions import read_intervention
from orders.product.layer import product_order_store
from orders.service.layer import service_order_store
from orders.states import FINAL
from tests.api.order_life.stepping import Stepping, stepping
from tests.api.order_life.test_cancel import BODIES, COPPER, check_moves, placed

pytestmark = pytest.mark.db

LAYERS = ("productOrder", "serviceOrder")
STORES = {"productOrder": product_order_store(), "serviceOrder": service_order_store()}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepping]:
    with stepping(tmp_path_factory.mktemp("hold"), catalog=COPPER) as running:
        yield running


def asked(platform: Stepping, kind: str, key: str, action: str, **body: Any) -> Mapping[str, Any]:
    wish = read_intervention(action, body, by="alice")
    with platform.system.database.begin(actor="alice") as uow:
        _, intervene = platform.system.interventions[kind]
        return dict(intervene(uow, key, wish))


def at_layer(platform: Stepping, order_id: str, layer: str) -> str:
    """Return the id of the order at one layer; empty where that has none yet, or it has ended."""
    with platform.system.database.read() as connection:
        store = STORES[layer]
        row = store.get(connection, order_id) if layer == "productOrder" else store.by_external_id(connection, order_id)
        ended = row is not None and any(
            each.state in FINAL for each in (row, service_order_store().by_external_id(connection, order_id)) if each
        )
    return row.id if row is not None and not ended else ""


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("action", BODIES)
def test_held_after_any_step_it_goes_on_from_there(platform: Stepping, action: str, layer: str) -> None:
    step, were_held = 0, 0
    while True:
        order_id = placed(platform, BODIES[action](platform))
        if platform.go(step) < step:
            break
        key = at_layer(platform, order_id, layer)
        if key:
            asked(platform, layer, key, "hold", reason="splitter broken")
            asked(platform, layer, key, "hold", reason="splitter broken")
            platform.drain()
            order = platform.get(STORES[layer], key)
            assert order["state"] == "held", (step, order)
            assert [each["for"] for each in order["waitingFor"]] == ["resume"], order["waitingFor"]
            notes = [each for each in order["note"] if each["author"] == "alice"]
            assert [each["text"] for each in notes] == ["hold: splitter broken"]
            platform.steps.clear()
            platform.drain()
            assert "activation.run" not in platform.steps
            asked(platform, layer, key, "resume")
            asked(platform, layer, key, "resume")
            were_held += 1
        platform.drain()
        order = platform.get(product_order_store(), order_id)
        assert order["state"] == "completed", (step, order)
        assert "waitingFor" not in order
        check_moves(platform, order_id)
        step += 1
    assert were_held > 3, were_held


@pytest.mark.parametrize("action", BODIES)
def test_held_and_cancelled_after_any_step_leaves_no_trace(platform: Stepping, action: str) -> None:
    step = 0
    while True:
        body = BODIES[action](platform)
        before = platform.footprint()
        order_id = placed(platform, body)
        if platform.go(step) < step:
            break
        if at_layer(platform, order_id, "productOrder"):
            asked(platform, "productOrder", order_id, "hold", reason="splitter broken")
            platform.drain()
            platform.create("cancelProductOrder", {"productOrder": {"id": order_id}})
        platform.drain()
        order = platform.get(product_order_store(), order_id)
        check_moves(platform, order_id)
        if order["state"] == "cancelled":
            assert platform.footprint() == before, f"after {step} steps: {platform.steps[-40:]}"
        elif order["state"] == "held":
            # Too late to be cancelled: it stays as it was.
            asked(platform, "productOrder", order_id, "resume")
            platform.drain()
            order = platform.get(product_order_store(), order_id)
        assert order["state"] in {"cancelled", "completed"}, (step, order)
        step += 1


def test_what_is_on_a_device_goes_to_its_end_and_nothing_follows(platform: Stepping) -> None:
    call = 0
    while True:
        order_id = placed(platform, BODIES["add"](platform))
        hold = partial(asked, platform, "productOrder", order_id, "hold", reason="storm")
        with platform.met(call, hold) as has_met:
            platform.drain()
        order = platform.get(product_order_store(), order_id)
        if not has_met:
            assert order["state"] == "completed"
            break
        assert order["state"] == "held", (call, order)
        asked(platform, "productOrder", order_id, "resume")
        platform.drain()
        order = platform.get(product_order_store(), order_id)
        assert order["state"] == "completed", (call, has_met, order)
        check_moves(platform, order_id)
        call += 1
    assert call >= 10


def test_an_order_that_is_to_begin_later_is_not_begun_while_on_hold(platform: Stepping) -> None:
    body = {**BODIES["add"](platform), "requestedStartDate": "2999-01-01T00:00:00Z"}
    order_id = placed(platform, body)
    order = asked(platform, "productOrder", order_id, "hold", reason="not paid")
    assert order["state"] == "acknowledged"
    assert order["waitingFor"][0]["text"] == "on hold by alice: not paid"
    order = asked(platform, "productOrder", order_id, "resume")
    assert "waitingFor" not in order
    platform.create("cancelProductOrder", {"productOrder": {"id": order_id}})
    platform.drain()


def test_what_has_ended_takes_notes_alone(platform: Stepping) -> None:
    order_id = placed(platform, BODIES["add"](platform))
    platform.drain()
    with pytest.raises(OrderConflict, match="is completed; legal now: note"):
        asked(platform, "productOrder", order_id, "hold", reason="too late")
    noted = asked(platform, "productOrder", order_id, "note", reason="called the customer")
    assert noted["note"][-1]["text"] == "called the customer"
    assert noted["note"][-1]["author"] == "alice"
