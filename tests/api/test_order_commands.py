"""``lastmile order`` against a running platform."""

import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.demo import bodies
from labs.embedded.faults import Fault
from tests.api.conftest import Platform, Start

pytestmark = [pytest.mark.e2e, pytest.mark.lab]
Run = Callable[..., str]
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def served(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with start(tmp_path_factory.mktemp("orders") / "data", auth=False) as platform:
        yield platform


@pytest.fixture
def order(served: Platform) -> Run:
    """Run ``lastmile order …`` and return what it printed."""

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["order", *words, "--url", served.url])
        assert result.exit_code == code, result.output or str(result.exception)
        return result.output or str(result.exception)

    return run


def wait_for(served: Platform, order_id: str, state: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while (found := served.client.tree(order_id)["productOrder"]["state"]) != state:
        assert time.monotonic() < deadline_s, found
        time.sleep(0.02)


def test_a_technician_answers_and_the_order_is_completed(served: Platform, order: Run) -> None:
    body = bodies.add(offering="fibre-100-installed")
    body["productOrderItem"][0]["product"]["productCharacteristic"] = []
    order_id = served.client.place(body)
    wait_for(served, order_id, "pending")

    listed = order("list", "--waiting")
    for words in (order_id[:8], "pending", "manualTask"):
        assert words in listed
    shown = order("show", order_id[:8])
    for words in ("waits for manualTask fieldTechnician (item 1) since", "Mount the ONT", "--set ontSerialNumber=…"):
        assert words in shown

    assert order("hold", order_id, "-m", "storm").startswith(f"hold: order {order_id} is ")
    wait_for(served, order_id, "held")
    assert "on hold by anonymous: storm" in order("tree", order_id)
    order("resume", order_id[:8])
    wait_for(served, order_id, "pending")
    assert "not legal" in order("answer", order_id[:8], "--set", "ontSerialNumber=x", code=1)
    order("answer", order_id[:8], "--set", "ontSerialNumber=ALCL0000A1B2")
    wait_for(served, order_id, "completed")
    order("note", order_id[:8], "-m", "the customer is happy")

    tree = order("tree", order_id[:8])
    for words in ("TMF622 product order", "TMF640 activation", "completed"):
        assert words in tree
    notes = [each["text"] for each in json.loads(order("show", order_id, "--json"))["note"]]
    assert [*notes[:3], notes[-1]] == ["hold: storm", "resume", "answer", "the customer is happy"]
    assert "no orders" in order("list", "--waiting")


def test_a_failed_item_is_put_on_another_port_of_the_olt(served: Platform, order: Run) -> None:
    lab = served.system.lab
    assert lab is not None
    body = bodies.add(offering="fibre-100-installed", place_id="ADDR-1016")
    body["productOrderItem"][0]["product"]["productCharacteristic"] = []
    order_id = served.client.place(body)
    wait_for(served, order_id, "pending")
    lab.faults.set("olt1", Fault("refuse_edit", times=2))
    order("answer", order_id, "--set", "ontSerialNumber=ALCL0000A1B9")
    wait_for(served, order_id, "held")
    lab.faults.clear("olt1")
    assert "lastmile order repair" in order("show", order_id)
    assert "# or --port PORT" in order("show", order_id)
    refused = order("repair", order_id, "--port", "1/1/4", code=1)
    assert "olt1 1/1/4: there is no such port" in refused
    assert re.search(r"legal: olt1 pon1 \(\d+ free\), olt1 pon2 \(\d+ free\)", refused)
    assert "nothing is to be otherwise" in order("repair", order_id, code=2)
    order("repair", order_id, "--port", "pon2", "-m", "port is dead")
    wait_for(served, order_id, "completed")
    assert served.configurations()["olt1"].count("<channel-partition>cpart2<") == 1


def test_wrong_use_says_what_is_legal(served: Platform, order: Run) -> None:
    assert "no order is 'zzz'" in order("show", "zzz", code=1)
    order_id = served.client.place(bodies.add(serial_number="ALCL0000A1B3", place_id="ADDR-1016"))
    wait_for(served, order_id, "completed")
    assert "is completed; legal now: note" in order("retry", order_id, code=1)
    assert "legal: name=value" in order("answer", order_id, "--set", "nonsense", code=2)
