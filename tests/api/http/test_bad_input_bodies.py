"""Odd values anywhere in the body of every route that changes something: taken whole or refused whole, never a 5xx.

The routes are the application's: one whose body is not told here fails the test.
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.api.http.everywhere import Front, Route, Sent, everything, faults
from tests.api.http.odd import DATES, ODD, places, with_value
from tests.api.http.official import ITEMS, orderable

pytestmark = pytest.mark.db

BASE: Final = "/tmf-api"
PRODUCT_ORDERS: Final = f"{BASE}/productOrderingManagement/v4"
SERVICE_ORDERS: Final = f"{BASE}/serviceOrdering/v4"
RESOURCE_ORDERS: Final = f"{BASE}/resourceOrderingManagement/v4"
SERVICES: Final = f"{BASE}/ServiceActivationAndConfiguration/v4/service"
PRODUCT_CATALOG: Final = f"{BASE}/productCatalogManagement/v4"
SERVICE_CATALOG: Final = f"{BASE}/serviceCatalogManagement/v4"
RESOURCE_CATALOG: Final = f"{BASE}/resourceCatalog/v4"
OWN: Final = "/lastmile/v1"
LATER: Final = "2030-01-01T00:00:00Z"
SPEED: Final = {"name": "downstreamMbps", "valueType": "integer", "lastmile": {"required": True}}
SERIAL: Final = [{"name": "ontSerialNumber", "value": "LMLE0000BEEF"}]
TASK: Final = {"cancellationReason": "moved", "requestedCancellationDate": LATER, "externalId": "c-1"}
NOTES: Final = [{"text": "a", "author": "b", "date": LATER}]


def _amended(kind: str) -> dict[str, Any]:
    return {"note": NOTES, "description": "x", "requestedStartDate": LATER, "externalId": f"made-{kind}-7"}


def _characteristics(names: tuple[str, str]) -> dict[str, Any]:
    value = {"value": 100, "isDefault": True, "valueFrom": 1, "valueTo": 200, "unitOfMeasure": "Mbit/s"}
    return {names[0]: [{**SPEED, "regex": "x", "minCardinality": 1, "maxCardinality": 1, names[1]: [value]}]}


def _entry(name: str, **more: Any) -> dict[str, Any]:
    valid = {"startDateTime": LATER, "endDateTime": "2040-01-01T00:00:00Z"}
    return {"name": name, "version": "2.0", "lifecycleStatus": "In design", "validFor": valid, **more}


def _service(**more: Any) -> dict[str, Any]:
    values = {"switch": "sw1", "accessInterface": "Ethernet1", "uplinkInterface": "Ethernet2", "vlanId": 7}
    listed = [
        {"name": name, "value": value} for name, value in {**values, "downstreamMbps": 100, "burstKbytes": 125}.items()
    ]
    part = {"id": "p-1", "serviceSpecification": {"id": "aggregation-transport"}, "serviceCharacteristic": listed}
    body = {"id": "line-7", "state": "active", "serviceSpecification": {"id": "internet-access"}}
    return {**body, "supportingService": [part], "note": NOTES, "startDate": LATER, **more}


OFFERING: Final = _entry(
    "Fibre 7",
    productSpecification={"id": "broadband"},
    prodSpecCharValueUse=[{"name": "downstreamMbps", "productSpecCharacteristicValue": [{"value": 100}]}],
    bundledProductOffering=[{"id": "fibre-100", "bundledProductOfferingOption": {"numberRelOfferLowerLimit": 1}}],
    category=[{"id": "broadband"}],
)
PRODUCT: Final = _entry(
    "Line",
    serviceSpecification=[{"id": "internet-access"}],
    lastmile={"realizedBy": {"specification": "internet-access", "characteristics": {"downstreamMbps": "1"}}},
    **_characteristics(("productSpecCharacteristic", "productSpecCharacteristicValue")),
)
SERVICE: Final = _entry(
    "Access",
    serviceSpecRelationship=[{"id": "gpon-access", "relationshipType": "reliesOn"}],
    resourceSpecification=[{"id": "gpon-port"}],
    lastmile={"supportedBy": [{"specification": "gpon-access", "when": "1", "characteristics": {"x": "y"}}]},
    **_characteristics(("specCharacteristic", "characteristicValueSpecification")),
)
RESOURCE: Final = _entry(
    "Port", category="pon", **_characteristics(("resourceSpecCharacteristic", "resourceSpecCharacteristicValue"))
)
FILES: Final = {
    "files": {
        "a.yaml": {
            "productOfferings": [
                {"id": "a", "name": "A", "version": "1.0", "productSpecification": "broadband", "fixes": {"x": 1}}
            ],
            "resourceSpecifications": [{"id": "b", "name": "B", "version": "1.0", "allocation": "vlan", "pool": "x"}],
        }
    }
}
QUESTION: Final = {
    "provideAlternative": True,
    "serviceQualificationItem": [
        {
            "id": "1",
            "service": {
                "serviceSpecification": {"id": "internet-access"},
                "serviceCharacteristic": [{"name": "downstreamMbps", "value": 100}],
                "place": [{"id": "P-7", "role": "installationAddress"}],
            },
        }
    ],
}
WISH: Final = {"reason": "x", "item": "1", "characteristic": SERIAL, "onBehalfOf": "alice"}
HUB: Final = {"callback": "http://192.0.2.1/x", "query": "eventType=ProductOrderCreateEvent&state=held"}
REPAIR: Final = {"action": "reapply", "subject": "olt1", "paths": ["*"], "remove": ["*"], "byPolicy": False}
HEARD: Final = {"eventTime": LATER, "eventType": "x", "event": {"serviceOrder": {"id": "x", "state": "held"}}}


def _order(kind: str) -> dict[str, Any]:
    return orderable(kind, {"priority": 1 if kind == "resourceOrder" else "1", ITEMS[kind]: [{}]}, 7)


LEGAL: Final[Mapping[str, Mapping[str, Any]]] = {
    f"post {PRODUCT_ORDERS}/productOrder": _order("productOrder"),
    f"post {SERVICE_ORDERS}/serviceOrder": _order("serviceOrder"),
    f"post {RESOURCE_ORDERS}/resourceOrder": _order("resourceOrder"),
    f"patch {PRODUCT_ORDERS}/productOrder/{{key}}": _amended("productOrder"),
    f"patch {SERVICE_ORDERS}/serviceOrder/{{key}}": _amended("serviceOrder"),
    f"patch {RESOURCE_ORDERS}/resourceOrder/{{key}}": _amended("resourceOrder"),
    f"post {PRODUCT_ORDERS}/cancelProductOrder": {**TASK, "productOrder": {"id": "?"}},
    f"post {SERVICE_ORDERS}/cancelServiceOrder": {**TASK, "serviceOrder": {"id": "?"}},
    f"post {RESOURCE_ORDERS}/cancelResourceOrder": {**TASK, "resourceOrder": {"id": "?"}},
    f"post {SERVICES}": _service(),
    f"patch {SERVICES}/{{key}}": {"description": "x", "supportingService": _service()["supportingService"]},
    f"post {PRODUCT_CATALOG}/productOffering": OFFERING,
    f"patch {PRODUCT_CATALOG}/productOffering/{{key}}": OFFERING,
    f"post {PRODUCT_CATALOG}/productSpecification": PRODUCT,
    f"patch {PRODUCT_CATALOG}/productSpecification/{{key}}": PRODUCT,
    f"post {SERVICE_CATALOG}/serviceSpecification": SERVICE,
    f"patch {SERVICE_CATALOG}/serviceSpecification/{{key}}": SERVICE,
    f"post {RESOURCE_CATALOG}/resourceSpecification": RESOURCE,
    f"patch {RESOURCE_CATALOG}/resourceSpecification/{{key}}": RESOURCE,
    f"post {OWN}/productOrder/{{key}}/{{action}}": WISH,
    f"post {OWN}/serviceOrder/{{key}}/{{action}}": WISH,
    f"post {OWN}/catalog": FILES,
    f"post {BASE}/serviceQualificationManagement/v4/checkServiceQualification": QUESTION,
    f"post {OWN}/monitor/{{key}}/cancel": {"reason": "x"},
    f"post {OWN}/byHand": {"serviceId": "x", "service": _service()},
    f"post {OWN}/repair/dryRun": REPAIR,
    f"post {OWN}/repair": REPAIR,
    f"post {OWN}/plan": _order("productOrder"),
    f"post {OWN}/review/{{key}}/approve": {"planHash": "x", "comment": "y"},
    f"post {OWN}/review/{{key}}/reject": {"planHash": "x", "comment": "y"},
    f"post {OWN}/heard/{{secret}}/listener/{{event_type}}": HEARD,
}
"""A body of each route that would be taken, or nearly: what makes it another is put into it."""
BODILESS: Final = frozenset(
    {
        f"post {OWN}/device/{{name}}/release",
        f"post {OWN}/device/{{name}}/trust",
        f"post {OWN}/serviceClaim/{{key}}/release",
        f"post {OWN}/serviceTest/{{key}}",
        f"post {OWN}/deadLetter/{{key}}/replay",
        f"post {OWN}/mail/{{key}}/replay",
    }
)
"""What says all in its address."""
ACTIONS: Final = ("hold", "resume", "note", "retry", "repair", "skip", "compensate", "answer", "amend")
LAYER: Final = {"X-Lastmile-Layer": "som", "X-Correlation-ID": "c", "Idempotency-Key": "k"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A route that takes a body, at something that is there, and a body for it."""

    route: Route
    legal: Mapping[str, Any]


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with everything() as running:
        yield running


@pytest.fixture(scope="module")
def there(front: Front) -> Mapping[str, str]:
    """Return an id of each kind of thing, all of which are there."""
    found = {}
    for name, path in (("serviceOrder", SERVICE_ORDERS), ("resourceOrder", RESOURCE_ORDERS)):
        found[name] = _made(front, f"{path}/{name}", _order(name))["id"]
    monitor = _made(front, SERVICES, _service())
    listed = front.answers(_route("get", f"{PRODUCT_ORDERS}/productOrder"), [Sent(name="list")])[0].json()
    return {**found, "productOrder": listed[0]["id"], "service": "line-7", "monitor": monitor["id"]}


@pytest.fixture(scope="module")
def targets(front: Front, there: Mapping[str, str]) -> tuple[Target, ...]:
    return tuple(_targets(front, there))


@pytest.fixture
def many(pytestconfig: pytest.Config) -> int:
    """Return how many bodies each route gets; ``--examples`` makes it more."""
    return 3 * int(pytestconfig.getoption("examples"))


def test_every_route_with_a_body_is_told_here(front: Front) -> None:
    taken = {_name(route) for route in front.routes if route.takes_body}
    assert taken - LEGAL.keys() - BODILESS - {name for name in taken if name.endswith("/hub")} == set()
    assert (LEGAL.keys() | BODILESS) - taken == set()


def test_an_odd_value_anywhere(front: Front, targets: tuple[Target, ...], many: int) -> None:
    assert (
        _wrong_anywhere(front, targets, lambda target, path, value: with_value(target.legal, path, value), many) == []
    )


def test_a_key_that_nobody_knows_anywhere(front: Front, targets: tuple[Target, ...], many: int) -> None:
    def strange(target: Target, path: tuple[Any, ...], value: object) -> Any:
        return (
            with_value(target.legal, (*path[:-1], "unheard of"), value) if isinstance(path[-1], str) else target.legal
        )

    assert _wrong_anywhere(front, targets, strange, many) == []


def test_json_patches_of_every_kind(front: Front, targets: tuple[Target, ...], many: int) -> None:
    patched = tuple(each for each in targets if each.route.method == "patch")

    def operated(_: Target, path: tuple[Any, ...], value: object) -> Any:
        pointer = "/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in path)
        verb = OPERATIONS[len(pointer) % len(OPERATIONS)]
        return [{"op": verb, "path": pointer, "from": "/id", "value": value}]

    assert _wrong_anywhere(front, patched, operated, many, kind="application/json-patch+json") == []


OPERATIONS: Final = ("add", "replace", "remove", "move", "copy", "test", "dance")
Make = Callable[[Target, tuple[Any, ...], object], Any]


def _wrong_anywhere(
    front: Front, targets: tuple[Target, ...], make: Make, many: int, *, kind: str = "application/json"
) -> list[str]:
    """Return what is wrong with the answers where ``make`` puts odd values anywhere into the bodies of ``targets``."""
    found: list[str] = []
    for target in targets:
        chance = random.Random(str(target.route))  # noqa: S311 - no secret: the same bodies in every run
        everywhere = list(places(target.legal))
        for _ in range(many):
            body = make(target, chance.choice(everywhere), chance.choice([*ODD, *DATES]))
            found += _wrong(front, target.route, body, kind)
    return found


def _wrong(front: Front, route: Route, body: object, kind: str) -> list[str]:
    content = json.dumps(body).encode()
    headers = {"Content-Type": kind, "Prefer": "respond-async", **(LAYER if "byHand" in route.path else {})}
    sent = Sent(name=content[:2000].decode(), given={"content": content, "headers": headers})
    before, rows = _shown(front, route), front.rows()
    (answer,) = front.answers(route, [sent])
    found = list(faults(route, sent, answer))
    if not answer.is_success and (front.rows() != rows or _shown(front, route) != before):
        found.append(f"{route}: something of it was stored: {sent.name}")
    return found


def _shown(front: Front, route: Route) -> str:
    if route.method != "patch":
        return ""
    return front.answers(_route("get", route.path), [Sent(name="before")])[0].text


def _targets(front: Front, there: Mapping[str, str]) -> Iterator[Target]:
    for route in front.routes:
        name = _name(route)
        if not route.takes_body or name in BODILESS:
            continue
        if name.endswith("/hub"):
            yield Target(route=route, legal=HUB)
            continue
        key = next((there[kind] for kind in there if re.search(rf"/{kind}/\{{key\}}", route.template)), "")
        path = route.template.replace("{key}", key) if key else route.path
        for action in ACTIONS if "{action}" in path else ("",):
            at = _route(route.method, path.replace("{action}", action))
            yield Target(route=at, legal=_about(LEGAL[name], there))


def _about(legal: Mapping[str, Any], there: Mapping[str, str]) -> Mapping[str, Any]:
    return {name: {"id": there[name]} if value == {"id": "?"} else value for name, value in legal.items()}


def _made(front: Front, path: str, body: Mapping[str, Any]) -> Any:
    given_ = {"json": dict(body), "headers": {"Prefer": "respond-async"}}
    (answer,) = front.answers(_route("post", path), [Sent(name="made", given=given_)])
    assert answer.is_success, answer.text
    return answer.json()


def _route(method: str, path: str) -> Route:
    return Route(method=method, path=path, template=path)


def _name(route: Route) -> str:
    return f"{route.method} {route.template}"
