"""The same orders on one process and on four that talk over HTTP alone: nobody can tell which it was."""

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from api.client import ApiRefused
from api.demo import bodies, pictures
from labs.embedded.faults import Fault
from orders.items import flat
from tests.api.far.split import LAYERS, PATIENCE_S, Deployment, deployed

pytestmark = [pytest.mark.e2e, pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(240)]

POLICY = """
rules:
  - {name: changes, when: {action: modify}, require: oneApprover}
"""
CANCELS = "/tmf-api/productOrderingManagement/v4/cancelProductOrder"
REVIEWS = "/lastmile/v1/review"


@pytest.fixture(scope="module", params=["one process", "split"])
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployed")
    policy = folder / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    with deployed(folder, split=request.param == "split", policy=policy) as running:
        yield running


def product_of(order: dict[str, Any]) -> str:
    return str(order["productOrderItem"][0]["product"]["id"])


def approve(deployment: Deployment) -> None:
    client = deployment.client("activation")
    (review,) = client.get(f"{REVIEWS}?state=waiting")
    client.post(f"{REVIEWS}/{review['id']}/approve", {"planHash": review["planHash"]})


def ask(deployment: Deployment, order: str, action: str, **body: Any) -> None:
    """Do what an engineer does with an order."""
    deployment.client("com").post(f"/lastmile/v1/productOrder/{order}/{action}", body)


def waits_for(deployment: Deployment, order: str, state: str, what: str) -> dict[str, Any]:
    """Return what the order waits for, once it does."""
    (waits,) = deployment.reaches(order, state)["waitingFor"]
    assert waits["for"] == what, waits
    return dict(waits)


def products(order: dict[str, Any]) -> dict[str, str]:
    items = flat(order, "productOrderItem")
    return {each["productOffering"]["id"]: each["product"]["id"] for each in items if "productOffering" in each}


def test_order_upgrade_with_review_and_cease(deployment: Deployment) -> None:
    before = deployment.configurations()
    added = deployment.completed(bodies.add())
    tree = deployment.client("com").tree(added["id"])
    assert len(tree["resourceOrder"]) == 3
    assert {event["correlationId"] for event in tree["event"]} == {added["id"]}
    assert {event["domain"] for event in tree["event"]} == {"product", "service", "resource", "activation", "inventory"}
    assert "missing" not in tree
    upgrade = deployment.place(bodies.upgrade(product_of(added)))
    held = deployment.reaches(upgrade, "held")
    assert REVIEWS in held["note"][-1]["text"]
    approve(deployment)
    deployment.reaches(upgrade, "completed")
    deployment.completed(bodies.cease(product_of(added)))
    assert deployment.configurations() == before
    assert deployment.taken() == 0


def test_a_failure_says_why_and_takes_nothing(deployment: Deployment) -> None:
    failed = deployment.reaches(deployment.place(bodies.add(place_id="ADDR-0000")), "failed")
    assert any("ADDR-0000" in reason for reason in pictures.reasons(deployment.client("com").tree(failed["id"])))
    assert any("ADDR-0000" in note["text"] for note in failed["note"])
    assert deployment.taken() == 0


def test_a_refusal_below_is_a_failure_with_its_reason(deployment: Deployment) -> None:
    first = deployment.completed(bodies.add(serial_number="LMLE0000F015"))
    taken = deployment.taken()
    second = deployment.reaches(
        deployment.place(bodies.add(serial_number="LMLE0000F015", place_id="ADDR-1016")), "failed"
    )
    assert any("ontSerialNumber 'LMLE0000F015'" in note["text"] for note in second["note"])
    assert deployment.taken() == taken
    deployment.completed(bodies.cease(product_of(first)))


def test_cancelled_while_it_is_held(deployment: Deployment) -> None:
    added = deployment.completed(bodies.add())
    configured = deployment.configurations()
    upgrade = deployment.place(bodies.upgrade(product_of(added)))
    deployment.reaches(upgrade, "held")
    body = {"productOrder": {"id": upgrade}, "cancellationReason": "moved away"}
    task = deployment.client("com").post(CANCELS, body)
    deployment.reaches(upgrade, "cancelled")
    assert deployment.client("com").get(task["href"])["state"] == "done"
    assert deployment.client("activation").get(f"{REVIEWS}?state=waiting") == []
    assert deployment.configurations() == configured
    deployment.completed(bodies.cease(product_of(added)))
    assert deployment.taken() == 0


def test_items_come_to_an_order_that_is_held_and_go_from_it(deployment: Deployment) -> None:
    added = deployment.completed(bodies.add())
    configured = deployment.configurations()
    order = deployment.place(bodies.upgrade(product_of(added)))
    deployment.reaches(order, "held")
    amend = f"/lastmile/v1/productOrder/{order}/amend"
    (new,) = bodies.add(serial_number="LMLE0000F016", place_id="ADDR-1016")["productOrderItem"]
    never = {**new, "id": "3", "action": "modify", "product": {"id": product_of(added)}}
    with pytest.raises(ApiRefused, match="in flight"):
        deployment.client("com").post(amend, {"productOrderItem": [never]})
    deployment.client("com").post(amend, {"productOrderItem": [{**new, "id": "2"}]})
    deployment.client("com").post(amend, {"remove": ["1"]})
    done = deployment.reaches(order, "completed")
    assert [item["state"] for item in done["productOrderItem"]] == ["cancelled", "completed"]
    deployment.completed(bodies.cease(str(done["productOrderItem"][1]["product"]["id"])))
    assert deployment.configurations() == configured
    deployment.completed(bodies.cease(product_of(added)))
    assert deployment.taken() == 0


def test_cancelled_at_once(deployment: Deployment) -> None:
    before = deployment.configurations()
    order = deployment.place(bodies.add())
    task = deployment.client("com").post(CANCELS, {"productOrder": {"id": order}})
    deployment.reaches(order, "cancelled")
    assert deployment.client("com").get(task["href"])["state"] == "done"
    assert deployment.configurations() == before
    assert deployment.taken() == 0


def test_a_household_gets_television_and_gives_it_back(deployment: Deployment) -> None:
    before = deployment.configurations()
    plain = bodies.add(offering="fibre-tv", place_id="ADDR-1017")
    plain["productOrderItem"][0]["productOrderItem"] = [
        {"id": "2", "action": "add", "productOffering": {"id": "fibre-100"}}
    ]
    found = products(deployment.completed(plain))
    access = deployment.configurations()
    assert "vsi-tv" not in access["olt1"]
    stays = {"id": "2", "action": "noChange", "product": {"id": found["fibre-100"]}}
    comes = {"id": "3", "action": "add", "productOffering": {"id": "iptv"}}
    bundle = {"id": "1", "action": "modify", "product": {"id": found["fibre-tv"]}}
    done = deployment.completed({"productOrderItem": [{**bundle, "productOrderItem": [stays, comes]}]})
    assert "vsi-tv-network-900" in deployment.configurations()["olt1"]
    goes = {"id": "3", "action": "delete", "product": {"id": products(done)["iptv"]}}
    deployment.completed({"productOrderItem": [{**bundle, "productOrderItem": [stays, goes]}]})
    assert deployment.configurations() == access
    deployment.completed(bodies.cease(found["fibre-tv"]))
    assert deployment.configurations() == before
    assert deployment.taken() == 0


def test_a_copper_line_moves_to_fibre(deployment: Deployment) -> None:
    before = deployment.configurations()
    copper = bodies.add(offering="dsl-50", place_id="ADDR-1017")
    copper["productOrderItem"][0]["product"]["productCharacteristic"] = []
    product = product_of(deployment.completed(copper))
    line = deployment.configurations()
    assert "switchport access vlan" in line["sw1"]
    change = bodies.upgrade(product, offering="fibre-50")
    ont = [{"name": "ontSerialNumber", "value": "LMLE0000A017"}]
    change["productOrderItem"][0]["product"]["productCharacteristic"] = ont
    order = deployment.place(change)
    while deployment.reaches(order, "held", "completed")["state"] == "held":
        approve(deployment)
        deployment.reaches(order, "inProgress", "completed")
    fibre = deployment.configurations()
    assert "LMLE0000A017" in fibre["olt1"]
    assert "switchport access vlan" not in fibre["sw1"]
    assert fibre["r1"] == line["r1"]
    deployment.completed(bodies.cease(product))
    assert deployment.configurations() == before
    assert deployment.taken() == 0


def ordered_with_a_visit(deployment: Deployment) -> str:
    """Order fibre whose ONT a technician brings along, and return the order's id once it waits for him."""
    body = bodies.add(offering="fibre-100-installed")
    body["productOrderItem"][0]["product"]["productCharacteristic"] = []
    order = deployment.place(body)
    waits_for(deployment, order, "pending", "manualTask")
    return order


def test_a_technician_answers_and_an_engineer_repairs(deployment: Deployment) -> None:
    before = deployment.configurations()
    body = bodies.add(offering="fibre-100-installed")
    body["productOrderItem"][0]["product"]["productCharacteristic"] = []
    order = deployment.place(body)
    waits = waits_for(deployment, order, "pending", "manualTask")
    assert [each["name"] for each in waits["asks"]] == ["ontSerialNumber"]
    _is_refused(deployment, order, "xyz")
    deployment.lab.faults.set("sw1", Fault("refuse_commit", times=2))
    ask(deployment, order, "answer", characteristic=[{"name": "ontSerialNumber", "value": "LMLE0000BEEF"}])
    assert "sw1" in waits_for(deployment, order, "held", "engineer")["text"]
    assert deployment.configurations() == before
    deployment.lab.faults.clear("sw1")
    given = [{"name": "ontSerialNumber", "value": "LMLE0000CAFE"}]
    (below,) = deployment.client("com").tree(order)["serviceOrder"]
    deployment.client("som").post(f"/lastmile/v1/serviceOrder/{below['id']}/repair", {"characteristic": given})
    done = deployment.reaches(order, "completed")
    configured = "".join(deployment.configurations().values())
    assert "LMLE0000CAFE" in configured
    assert "LMLE0000BEEF" not in configured
    deployment.completed(bodies.cease(product_of(done)))
    assert deployment.configurations() == before
    assert deployment.taken() == 0


def test_an_engineer_puts_an_item_on_another_port(deployment: Deployment) -> None:
    before = deployment.configurations()
    order = ordered_with_a_visit(deployment)
    deployment.lab.faults.set("olt1", Fault("refuse_edit", times=2))
    ask(deployment, order, "answer", characteristic=[{"name": "ontSerialNumber", "value": "LMLE0000BEEF"}])
    assert "olt1" in waits_for(deployment, order, "held", "engineer")["text"]
    deployment.lab.faults.clear("olt1")
    ask(deployment, order, "repair", port="pon2", reason="the port is dead")
    done = deployment.reaches(order, "completed")
    configured = deployment.configurations()["olt1"]
    assert configured.count("<channel-partition>cpart2<") == before["olt1"].count("<channel-partition>cpart2<") + 1
    assert configured.count("<channel-partition>cpart1<") == before["olt1"].count("<channel-partition>cpart1<")
    deployment.completed(bodies.cease(product_of(done)))
    assert deployment.configurations() == before
    assert deployment.taken() == 0


def _is_refused(deployment: Deployment, order: str, serial: str) -> None:
    """Answer what is not legal: whole, the request is refused; split, the layer below says so in a note."""
    given = [{"name": "ontSerialNumber", "value": serial}]
    if len(deployment.distinct) == 1:
        with pytest.raises(ApiRefused, match="is not legal"):
            ask(deployment, order, "answer", characteristic=given)
        return
    ask(deployment, order, "answer", characteristic=given)
    deadline_s = time.monotonic() + PATIENCE_S
    while not any("is not legal" in note["text"] for note in deployment.order(order)["note"]):
        assert time.monotonic() < deadline_s
        time.sleep(0.03)
    waits_for(deployment, order, "pending", "manualTask")


@pytest.mark.parametrize("action", ["retry", "skip"])
def test_an_engineer_tries_again_or_did_it_by_hand(deployment: Deployment, action: str) -> None:
    before = deployment.configurations()
    order = ordered_with_a_visit(deployment)
    deployment.lab.faults.set("sw1", Fault("refuse_commit", times=2))
    ask(deployment, order, "answer", characteristic=[{"name": "ontSerialNumber", "value": "LMLE0000BEEF"}])
    waits_for(deployment, order, "held", "engineer")
    deployment.lab.faults.clear("sw1")
    ask(deployment, order, action, reason="INC-4711")
    done = deployment.reaches(order, "completed")
    assert (deployment.configurations() == before) == (action == "skip")
    deployment.completed(bodies.cease(product_of(done)))
    assert deployment.configurations() == before
    assert deployment.taken() == 0


def test_an_order_with_a_later_start_waits_and_is_cancelled(deployment: Deployment) -> None:
    body = bodies.add() | {"requestedStartDate": "2999-01-01T00:00:00Z"}
    order = deployment.place(body)
    assert deployment.order(order)["state"] == "acknowledged"
    deployment.client("com").post(CANCELS, {"productOrder": {"id": order}})
    deployment.reaches(order, "cancelled")
    assert deployment.taken() == 0


@pytest.mark.parametrize("layer", LAYERS)
def test_killed_at_any_moment_nothing_is_lost_and_nothing_is_left(deployment: Deployment, layer: str) -> None:
    if layer != "com" and len(deployment.distinct) == 1:
        pytest.skip("one process stands for all layers: killed once")
    moments = random.Random(layer)  # noqa: S311 - no secret: the same moments in every run
    before = deployment.configurations()
    body = bodies.add()
    for _ in ("add", "cease"):
        order = deployment.place(body)
        time.sleep(moments.uniform(0.0, 0.3))
        deployment.restart(layer)
        deployment.reaches(order, "completed")
        body = bodies.cease(product_of(deployment.order(order)))
    assert deployment.configurations() == before
    assert deployment.taken() == 0


def test_orders_wait_for_a_layer_that_is_away(deployment: Deployment) -> None:
    if len(deployment.distinct) == 1:
        pytest.skip("one process is never away from itself")
    for place_id in ("ADDR-1015", "ADDR-1016"):
        assert deployment.client("com").get(f"/lastmile/v1/place/{place_id}")["id"] == place_id
    deployment.processes["som"].kill()
    order = deployment.place(bodies.add())
    gone = deployment.place(bodies.add(serial_number="LMLE0000F016", place_id="ADDR-1016"))
    tree = deployment.client("com").tree(order)
    assert tree["missing"][0]["layer"] == "som"
    deployment.client("com").post(CANCELS, {"productOrder": {"id": gone}})
    deployment.reaches(gone, "cancelled")
    deployment.restart("som")
    done = deployment.reaches(order, "completed")
    (kept,) = deployment.client("com").tree(order)["serviceOrder"]
    assert kept["externalId"] == order
    assert deployment.client("som").get(f"/lastmile/v1/chain/{gone}")["serviceOrder"] == []
    deployment.completed(bodies.cease(product_of(done)))
    deadline_s = time.monotonic() + PATIENCE_S
    while parked := [each for name in LAYERS for each in deployment.client(name).get("/lastmile/v1/parkedJob")]:
        assert time.monotonic() < deadline_s, parked
