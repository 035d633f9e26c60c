"""SOM over a resource order system and an activation that are not lastmile."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

import pytest

from api.client import Client
from api.http.app import create_app
from api.http.server import bind, serving
from api.settings import Settings
from api.wiring import running_system
from tests.api.far.foreigners import ForeignActivation, ForeignResources, Manner, Names, foreign

pytestmark = [pytest.mark.lab, pytest.mark.db]

SERVICE_ORDERS: Final = "/tmf-api/serviceOrdering/v4/serviceOrder"
INVENTORY: Final = "/tmf-api/serviceInventory/v4/service"
PATIENCE_S: Final = 30.0
ENDED: Final = frozenset({"completed", "failed", "partial", "cancelled", "rejected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Som:
    client: Client
    resources: ForeignResources
    activation: ForeignActivation

    def ordered(self, action: str, **service: Any) -> dict[str, Any]:
        """Place a service order and return it as it ended."""
        item = {"id": "1", "action": action, "service": service}
        order = self.client.post(SERVICE_ORDERS, {"serviceOrderItem": [item]})
        return self.ended(order["id"])

    def ended(self, order_id: str) -> dict[str, Any]:
        order = self.until(lambda: self._ended(order_id))
        assert isinstance(order, dict)
        return order

    def _ended(self, order_id: str) -> dict[str, Any] | None:
        order: dict[str, Any] = self.client.get(f"{SERVICE_ORDERS}/{order_id}")
        return order if order["state"] in ENDED else None

    def until(self, read: Callable[[], Any]) -> Any:
        deadline_s = time.monotonic() + PATIENCE_S
        while not (found := read()):
            assert time.monotonic() < deadline_s, self.client.get(SERVICE_ORDERS)
            time.sleep(0.01)
        return found


def line(**values: Any) -> dict[str, Any]:
    given = {"downstreamMbps": 100, "upstreamMbps": 50, "ontSerialNumber": "LMLE0000F015", **values}
    return {
        "serviceSpecification": {"id": "internet-access"},
        "place": [{"id": "P-1", "role": "installationAddress"}],
        "serviceCharacteristic": [{"name": name, "value": value} for name, value in given.items()],
    }


WAYS: Final = [(manner, names) for manner in get_args(Manner) for names in get_args(Names)]


@pytest.fixture(params=WAYS, ids=", ".join)
def som(request: pytest.FixtureRequest, tmp_path: Path, shared: Path) -> Iterator[Som]:
    resources = ForeignResources(shared=shared)
    activation = ForeignActivation(shared=shared, manner=request.param[0], names=request.param[1])
    with ExitStack() as stack:
        stack.enter_context(foreign(resources))
        stack.enter_context(foreign(activation))
        listening = bind("127.0.0.1", 0)
        given = {"port": listening.getsockname()[1], "data": tmp_path, "lab": "none", "auth": False, "layer": "som"}
        upstream = f"rom={resources.url},activation={activation.url}"
        settings = Settings.read({}, upstream=upstream, upstream_patience_s=5.0, **given)
        system = stack.enter_context(running_system(settings))
        url = stack.enter_context(serving(create_app(system), listening))
        client = Client.open(url, None)
        stack.callback(client.close)
        running = Som(client=client, resources=resources, activation=activation)
        running.until(lambda: resources.hubs and activation.hubs)
        yield running
        assert client.get("/lastmile/v1/parkedJob") == []
    assert resources.wrong == []
    assert activation.wrong == []


def test_a_line_from_its_first_day_to_its_last(som: Som) -> None:
    added = som.ordered("add", **line())
    assert added["state"] == "completed", added
    assert sorted(som.resources.held.values()) == ["gpon-port", "ip-address", "vlan"]
    service_id = added["serviceOrderItem"][0]["service"]["id"]
    (kept,) = som.activation.services.values()
    parts = {each["serviceSpecification"]["id"]: each for each in kept["supportingService"]}
    values = {each["name"]: each["value"] for part in parts.values() for each in part["serviceCharacteristic"]}
    assert (values["vlanId"], values["olt"]) == (77, "olt-x")
    assert som.client.get(f"{INVENTORY}/{service_id}")["state"] == "active"

    faster = som.ordered("modify", id=service_id, serviceCharacteristic=[{"name": "downstreamMbps", "value": 500}])
    assert faster["state"] == "completed", faster
    (speed,) = [
        each["value"]
        for each in next(iter(som.activation.services.values()))["serviceCharacteristic"]
        if each["name"] == "downstreamMbps"
    ]
    assert speed == 500

    ceased = som.ordered("delete", id=service_id)
    assert ceased["state"] == "completed", ceased
    assert (som.activation.services, som.resources.held) == ({}, {})
    assert som.client.get(f"{INVENTORY}/{service_id}")["state"] == "terminated"


def test_nothing_is_left_there(som: Som) -> None:
    som.resources.full = True
    failed = som.ordered("add", **line())
    assert failed["state"] == "failed"
    assert any("no port is left" in each["reason"] for each in failed["errorMessage"]), failed["errorMessage"]
    assert (som.activation.services, som.resources.held) == ({}, {})


def test_the_devices_are_not_to_be_had(som: Som) -> None:
    som.activation.refuses = "the shelf is dark"
    failed = som.ordered("add", **line())
    assert failed["state"] == "failed"
    assert any("the shelf is dark" in each["reason"] for each in failed["errorMessage"]), failed["errorMessage"]
    som.until(lambda: not som.resources.held)
