"""Whatever people ask of an order, and whenever: it ends once everything is answered, and all agree about it."""

import random
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from api.demo import bodies
from api.fsck.check import check
from orders.errors import InvalidOrder, OrderConflict
from orders.product.layer import product_order_store
from orders.states import FINAL
from tests.api.order_life.stepping import NAMES, Stepping, stepping
from tests.api.order_life.test_cancel import BODIES, BUNDLES, COPPER, check_moves, placed, serial
from tests.api.order_life.test_hold import STORES, asked, at_layer

pytestmark = pytest.mark.db

ROUNDS: Final = 40
ACTIONS: Final = (
    "hold",
    "resume",
    "note",
    "retry",
    "repair",
    "skip",
    "compensate",
    "answer",
    "amend",
    "sell",
    "cancel",
)
ANSWERS: Final = {"resume": "resume", "manualTask": "answer", "engineer": "retry", "device": "retry"}
"""What ends the waiting for each."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stepping]:
    with stepping(tmp_path_factory.mktemp("random"), catalog=COPPER) as running:
        yield running


def installed(_: Stepping) -> Mapping[str, Any]:
    """Return an order that waits for a technician, and for an engineer where it fails."""
    body = bodies.add(offering="fibre-100-installed")
    body["productOrderItem"][0]["product"]["productCharacteristic"] = []
    return body


EVERY: Final = {**BODIES, **BUNDLES, "installed": installed, "installed too": installed}


def _wish(chance: random.Random, action: str) -> tuple[str, dict[str, Any]]:
    said: dict[str, Any] = {"reason": f"r{chance.randrange(1000)}"}
    if action in {"repair", "answer", "amend"}:
        said["characteristic"] = [{"name": "ontSerialNumber", "value": serial()}]
    if action == "sell":
        return "amend", {**said, "productOffering": {"id": chance.choice(["fibre-50", "fibre-500"])}}
    return action, said


def _meddle(platform: Stepping, chance: random.Random, order_id: str) -> str:
    """Ask something of the order at one of its layers; return what was done."""
    layer = chance.choice(list(STORES))
    key = at_layer(platform, order_id, layer)
    if not key:
        return ""
    action, said = _wish(chance, chance.choice(ACTIONS))
    try:
        if action == "cancel":
            platform.create("cancelProductOrder", {"productOrder": {"id": order_id}, "cancellationReason": "moved"})
        else:
            asked(platform, layer, key, action, **said)
    except (InvalidOrder, OrderConflict):
        return ""
    return action


def _answer_everything(platform: Stepping, order_id: str) -> dict[str, Any]:
    """Do what the order waits for until it has ended, and return it."""
    for device in platform.network.devices.values():
        device.faults.clear()
    for _ in range(10):
        platform.drain()
        order = platform.get(product_order_store(), order_id)
        if order["state"] in FINAL:
            return order
        first = order["waitingFor"][0]
        said: dict[str, Any] = {"item": first["item"]} if "item" in first else {}
        if first["for"] == "manualTask":
            said["characteristic"] = [{"name": each["name"], "value": serial()} for each in first["asks"]]
        asked(platform, "productOrder", order_id, ANSWERS[first["for"]], **said)
    pytest.fail(f"it does not end: {platform.get(product_order_store(), order_id)}")


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_it_ends_and_all_agree(platform: Stepping, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret: the same orders in every run
    body = chance.choice(list(EVERY.values()))(platform)
    before = platform.footprint()
    order_id, done = placed(platform, body), list[str]()
    for _ in range(chance.randrange(4, 20)):
        if chance.random() < 0.2:
            device = platform.network.devices[chance.choice(NAMES)]
            device.faults[chance.choice(["stage", "commit"])] = ["refuse"]
        done.append(_meddle(platform, chance, order_id))
        platform.go(chance.randrange(0, 6))
    order = _answer_everything(platform, order_id)
    told = (seed, [each for each in done if each], order["state"], order.get("note"))
    check_moves(platform, order_id)
    with platform.system.database.read() as connection:
        assert check(connection) == [], told
    assert platform.footprint()["busy"] == before["busy"], told
    if "skip" not in done:
        found = [each.drift for each in platform.system.drift.check(NAMES)]
        assert [each.deviations for each in found if each is not None and each.deviations] == [], told
    if order["state"] == "cancelled" and "skip" not in done:
        assert platform.footprint() == before, told
