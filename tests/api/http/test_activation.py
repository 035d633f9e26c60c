"""TMF640 as somebody else's order manager uses it: over HTTP, against the embedded lab, without any order."""

import shutil
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.wiring import TEMPLATES
from tests.api.conftest import Platform, Start

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

BASE = "/tmf-api/ServiceActivationAndConfiguration/v4"
SERVICE = f"{BASE}/service"
PATIENCE_S = 60.0


def listed(values: Mapping[str, object]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def edge(vlan_id: int = 3000, **more: object) -> dict[str, Any]:
    values = {
        "router": "r1",
        "routerInterface": "eth1",
        "vlanId": vlan_id,
        "address": f"10.9.{vlan_id % 200}.9",
        "gateway": "10.9.9.1",
    }
    return {
        "state": "active",
        "serviceSpecification": {"id": "ip-edge"},
        "serviceCharacteristic": listed(values),
        **more,
    }


def broadband(number: int = 7, **more: object) -> dict[str, Any]:
    vlan_id = 3100 + number
    gpon = {
        "olt": "olt1",
        "channelPartition": "cpart1",
        "channelPair": "cpair1",
        "onuId": 50 + number,
        "ontSerialNumber": f"LMLE{number:08X}",
        "vlanId": vlan_id,
        "uplinkInterface": "uplink1",
        "upstreamBps": 50_000_000,
        "assuredBps": 25_000_000,
        "subscriber": str(vlan_id),
    }
    transport = {
        "switch": "sw1",
        "accessInterface": "Ethernet1",
        "uplinkInterface": "Ethernet2",
        "vlanId": vlan_id,
        "downstreamMbps": 100,
        "burstKbytes": 125,
    }
    parts = {"gpon-access": gpon, "aggregation-transport": transport}
    supporting = [
        {"id": f"{name}-{number}", "serviceSpecification": {"id": name}, "serviceCharacteristic": listed(values)}
        for name, values in parts.items()
    ]
    body = {"id": f"line-{number}", "state": "active", "serviceSpecification": {"id": "internet-access"}}
    return {**body, "supportingService": supporting, **more}


@pytest.fixture
def http(platform: Platform) -> httpx.Client:
    return platform.client.http


@pytest.fixture
def untouched(platform: Platform) -> Iterator[None]:
    """Check that the test leaves the devices as they were."""
    before = platform.configurations()
    yield
    assert platform.configurations() == before


def changed(platform: Platform, before: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the lines that came to each device or left it."""
    found: dict[str, list[str]] = {}
    for name, text in platform.configurations().items():
        old, new = before[name].splitlines(), text.splitlines()
        if old != new:
            gone = [f"-{line.strip()}" for line in old if line not in new]
            found[name] = [*gone, *(f"+{line.strip()}" for line in new if line not in old)]
    return found


@pytest.mark.usefixtures("untouched")
def test_a_line_from_its_first_plan_to_its_end(platform: Platform, http: httpx.Client) -> None:
    base = platform.configurations()
    made = http.post(SERVICE, json=broadband(state="inactive"))
    assert (made.status_code, made.json().get("state")) == (201, "inactive"), made.text
    assert made.headers["Location"] == made.json()["href"] == f"{SERVICE}/line-7"
    lines = changed(platform, base)
    assert "+state suspend" in lines["sw1"]
    assert any("enabled" in line for line in lines["olt1"])

    out_of_service = platform.configurations()
    activated = http.patch(f"{SERVICE}/line-7", json={"state": "active"})
    assert (activated.status_code, activated.json()["state"]) == (200, "active"), activated.text
    assert changed(platform, out_of_service)["sw1"] == ["-state suspend"]
    in_service = platform.configurations()

    speed = {"id": "aggregation-transport-7", "serviceCharacteristic": listed({"downstreamMbps": 500})}
    faster = http.patch(f"{SERVICE}/line-7", json={"supportingService": [speed]})
    assert faster.status_code == 200, faster.text
    assert {part["id"] for part in faster.json()["supportingService"]} == {"gpon-access-7", "aggregation-transport-7"}
    assert changed(platform, in_service) == {
        "sw1": ["-police rate 100 mbps burst-size 125 kbytes", "+police rate 500 mbps burst-size 125 kbytes"]
    }
    plan = http.get(_monitor(faster)).json()["plan"]
    diffs = {device["device"]: device["diff"] for device in plan["devices"]}
    assert diffs["olt1"] == ""
    touched = [line.strip("+- ") for line in diffs["sw1"].splitlines() if line[:1] in "+-" and line[1:2] == " "]
    assert all(line.startswith("police rate") for line in touched), diffs["sw1"]

    at_speed = platform.configurations()
    for state in ("inactive", "active"):
        assert http.patch(f"{SERVICE}/line-7", json={"state": state}).json()["state"] == state
    assert platform.configurations() == at_speed

    ended = http.delete(f"{SERVICE}/line-7")
    assert (ended.status_code, ended.content) == (204, b"")
    assert platform.configurations() == base
    assert http.get(f"{SERVICE}/line-7").json()["state"] == "terminated"
    back = http.patch(f"{SERVICE}/line-7", json={"state": "active"})
    assert (back.status_code, platform.configurations()) == (200, at_speed)
    assert http.patch(f"{SERVICE}/line-7", json={"state": "inactive"}).status_code == 200
    assert http.delete(f"{SERVICE}/line-7").status_code == 204
    assert http.delete(f"{SERVICE}/line-7").status_code == 204
    assert http.get(f"{SERVICE}/line-7").status_code == 404


def _monitor(answer: httpx.Response) -> str:
    link: str = answer.links["monitor"]["url"]
    return link


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("state", ["feasibilityChecked", "designed", "reserved"])
def test_a_staged_service_is_planned_and_nothing_is_pushed(platform: Platform, http: httpx.Client, state: str) -> None:
    base = platform.configurations()
    made = http.post(SERVICE, json=edge(id=f"staged-{state}", state=state))
    assert (made.status_code, made.json()["state"]) == (201, state), made.text
    (device,) = http.get(_monitor(made)).json()["plan"]["devices"]
    assert "+interface eth1.3000" in device["diff"]
    assert platform.configurations() == base
    changed_plan = http.patch(made.headers["Location"], json={"serviceCharacteristic": listed({"vlanId": 3001})})
    assert (changed_plan.status_code, changed_plan.json()["state"]) == (200, state), changed_plan.text
    assert platform.configurations() == base
    if state == "reserved":
        active = http.patch(made.headers["Location"], json={"state": "active"})
        assert active.status_code == 200, active.text
        assert "eth1.3001" in platform.configurations()["r1"]
        illegal = http.patch(made.headers["Location"], json={"state": "designed"})
        assert illegal.status_code == 409
        assert all(word in illegal.json()["message"] for word in ("active", "inactive", "terminated"))
    assert http.patch(made.headers["Location"], json={"state": "terminated"}).status_code == 204
    gone = 200 if state == "reserved" else 404
    assert http.get(made.headers["Location"]).status_code == gone


@pytest.mark.usefixtures("untouched")
def test_a_client_that_does_not_wait_gets_the_monitor(http: httpx.Client) -> None:
    answer = http.post(SERVICE, json=edge(id="async-1"), headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "respond-async"
    monitor = answer.json()
    assert answer.headers["Location"] == monitor["href"] == _monitor(answer)
    assert monitor["sourceHref"] == f"{SERVICE}/async-1"
    done = _until_final(http, monitor["href"])
    assert (done["state"], done["response"]["statusCode"]) == ("Completed", "201")
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        answer = http.request(method, f"{SERVICE}/async-1", json=body, headers={"Prefer": "respond-async"})
        assert answer.status_code == 202
        assert _until_final(http, answer.headers["Location"])["state"] == "Completed"


def _until_final(http: httpx.Client, href: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        document: dict[str, Any] = http.get(href).json()
        if document["state"] != "InProgress":
            return document
        time.sleep(0.02)
    pytest.fail(f"{href} is still {document['state']}")


@pytest.mark.usefixtures("untouched")
def test_the_same_request_twice_is_one(http: httpx.Client) -> None:
    body = edge(3002, externalId="other-om-17")
    first, second = http.post(SERVICE, json=body), http.post(SERVICE, json=body)
    assert (first.status_code, second.status_code) == (201, 201), second.text
    assert (first.headers["Location"], _monitor(first)) == (second.headers["Location"], _monitor(second))
    (found,) = http.get(SERVICE, params={"externalId": "other-om-17"}).json()
    assert found == first.json()
    assert http.delete(first.headers["Location"]).status_code == 204
    again = http.post(SERVICE, json=body)
    assert again.status_code == 201
    assert again.headers["Location"] != first.headers["Location"]
    assert http.delete(again.headers["Location"]).status_code == 204


@pytest.mark.usefixtures("untouched")
def test_an_idempotency_key_is_good_for_one_request(http: httpx.Client) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (http.post(SERVICE, json=edge(3003), headers=key) for _ in range(2))
    assert (first.json(), _monitor(first)) == (second.json(), _monitor(second))
    other = http.post(SERVICE, json=edge(3004), headers=key)
    assert other.status_code == 422
    assert _monitor(first) in other.json()["message"]
    href = first.headers["Location"]
    monitors = {_monitor(http.delete(href, headers=key)) for _ in range(2)}
    assert len(monitors) == 1
    assert http.get(href).json()["state"] == "terminated"
    long = http.delete(href, headers={"Idempotency-Key": "x" * 300})
    assert (long.status_code, "255" in long.json()["message"]) == (400, True)


@pytest.mark.usefixtures("untouched")
def test_requests_for_a_busy_service_happen_one_after_the_other(platform: Platform, http: httpx.Client) -> None:
    later = {"Prefer": "respond-async"}
    href = f"{SERVICE}/busy-1"
    http.post(SERVICE, json=edge(3005, id="busy-1"), headers=later)
    moved = http.patch(href, json={"serviceCharacteristic": listed({"vlanId": 3006})}, headers=later)
    named = http.patch(href, json={"description": "second floor"}, headers=later)
    for answer in (moved, named):
        assert _until_final(http, answer.headers["Location"])["state"] == "Completed"
    service = http.get(href).json()
    assert (service["description"], service["serviceCharacteristic"][2]["value"]) == ("second floor", 3006)
    assert "eth1.3006" in platform.configurations()["r1"]
    assert "eth1.3005" not in platform.configurations()["r1"]
    first, second = (http.delete(href, headers=later) for _ in range(2))
    assert _monitor(first) == _monitor(second)
    assert _until_final(http, _monitor(first))["state"] == "Completed"
    assert http.get(href).json()["state"] == "terminated"


@pytest.mark.usefixtures("untouched")
def test_one_ont_is_in_one_place(http: httpx.Client) -> None:
    assert http.post(SERVICE, json=broadband(1)).status_code == 201
    twin = broadband(2)
    serial = next(each for each in twin["supportingService"][0]["serviceCharacteristic"] if "Serial" in each["name"])
    serial["value"] = f"LMLE{1:08X}"
    refused = http.post(SERVICE, json=twin)
    assert refused.status_code == 409, refused.text
    assert "'line-1'" in refused.json()["message"]
    assert "ontSerialNumber 'LMLE00000001'" in refused.json()["message"]
    assert http.get(f"{SERVICE}/line-2").status_code == 404
    assert http.post(SERVICE, json=broadband(2)).status_code == 201
    swap = {"id": "gpon-access-2", "serviceCharacteristic": listed({"ontSerialNumber": f"LMLE{1:08X}"})}
    assert http.patch(f"{SERVICE}/line-2", json={"supportingService": [swap]}).status_code == 409
    assert http.delete(f"{SERVICE}/line-1").status_code == 204
    assert http.patch(f"{SERVICE}/line-2", json={"supportingService": [swap]}).status_code == 200
    assert http.post(SERVICE, json=broadband(1, id="line-1b")).status_code == 409
    assert http.delete(f"{SERVICE}/line-2").status_code == 204


BAD_CREATES: Mapping[str, tuple[dict[str, Any], str]] = {
    "no state": ({"state": None}, "state"),
    "terminated from the start": ({"state": "terminated"}, "'inactive'"),
    "unknown state": ({"state": "sleeping"}, "'designed'"),
    "no specification": ({"serviceSpecification": None}, "serviceSpecification"),
    "specification without id": ({"serviceSpecification": {}}, "serviceSpecification.id"),
    "unknown specification": ({"serviceSpecification": {"id": "warp-drive"}}, "ip-edge"),
    "no characteristics": ({"serviceCharacteristic": []}, "router is missing"),
    "characteristics of no array": ({"serviceCharacteristic": "x"}, "serviceCharacteristic"),
    "name of no string": ({"serviceCharacteristic": [{"name": ["router"], "value": "r1"}]}, "[0].name"),
    "no value": ({"serviceCharacteristic": [{"name": "router"}]}, "[0].value"),
    "name twice": ({"serviceCharacteristic": listed({"router": "r1"}) * 2}, "'router' is given twice"),
    "unknown device": (edge() | {"serviceCharacteristic": [
        *listed({"router": "r9"}), *edge()["serviceCharacteristic"][1:]]}, "known: olt1, r1, sw1"),
    "value out of range": (edge(4095), "an integer from 1 to 4094"),
    "unknown characteristic": (
        {"serviceCharacteristic": [*edge()["serviceCharacteristic"], *listed({"colour": "red"})]}, "colour is unknown"),
    "id of no string": ({"id": 17}, "id"),
    "empty id": ({"id": ""}, "id"),
    "external id of no string": ({"externalId": 5}, "externalId"),
    "part of no object": ({"supportingService": [5]}, "supportingService[0]"),
    "part without id": ({"supportingService": [edge()]}, "supportingService[0].id"),
    "part id twice": ({"supportingService": [edge(id="a"), edge(id="a")]}, "supportingService[1].id"),
    "part inside a part": (
        {"supportingService": [edge(id="a", supportingService=[edge(id="b")])]}, "supportingService[0].supporting"),
    "bad part": ({"supportingService": [edge(4095, id="a")]}, "supportingService[0].serviceCharacteristic"),
    "place of no array": ({"place": {"role": "x"}}, "place"),
    "place without role": ({"place": [{"id": "x"}]}, "place[0].role"),
    "party without id": ({"relatedParty": [{"name": "x"}]}, "relatedParty[0].id"),
    "date that is none": ({"startDate": "tomorrow"}, "startDate"),
    "flag of no boolean": ({"isBundle": "yes"}, "isBundle"),
    "relationship without type": ({"serviceRelationship": [{}]}, "serviceRelationship[0].relationshipType"),
    "feature without characteristics": ({"feature": [{"name": "x"}]}, "feature[0].featureCharacteristic"),
    "item action": (
        {"serviceOrderItem": [{"itemId": "1", "serviceOrderId": "2", "itemAction": "explode"}]}, "itemAction"),
}  # fmt: skip


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("changes", "said"), BAD_CREATES.values(), ids=BAD_CREATES)
def test_a_wrong_service_is_refused_with_path_and_what_is_legal(
    http: httpx.Client, changes: dict[str, Any], said: str
) -> None:
    before = http.get(SERVICE).headers["X-Total-Count"]
    body = {name: value for name, value in (edge() | changes).items() if value is not None}
    answer = http.post(SERVICE, json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["message"]
    assert http.get(SERVICE).headers["X-Total-Count"] == before


BAD_PATCHES: Mapping[str, tuple[dict[str, Any], int, str]] = {
    "another id": ({"id": "other"}, 400, "id: cannot be changed"),
    "another href": ({"href": "/x"}, 400, "href: cannot be changed"),
    "another external id": ({"externalId": "x"}, 400, "externalId: cannot be changed"),
    "no state": ({"state": None}, 400, "state"),
    "unknown state": ({"state": "sleeping"}, 400, "terminated"),
    "state of no string": ({"state": ["active"]}, 400, "state"),
    "end and change": ({"state": "terminated", "name": "x"}, 400, "nothing else"),
    "no specification": ({"serviceSpecification": None}, 400, "serviceSpecification"),
    "illegal move": ({"state": "designed"}, 409, "'active'"),
    "value out of range": ({"serviceCharacteristic": listed({"vlanId": 0})}, 400, "an integer from 1 to 4094"),
    "characteristic gone": ({"serviceCharacteristic": [{"name": "vlanId", "value": None}]}, 400, "vlanId is missing"),
    "unknown characteristic": ({"serviceCharacteristic": listed({"colour": "red"})}, 400, "colour is unknown"),
    "characteristic without name": ({"serviceCharacteristic": [{"value": 1}]}, 400, "[5].name"),
    "characteristics of no array": ({"serviceCharacteristic": {"vlanId": 1}}, 400, "serviceCharacteristic"),
    "note of no array": ({"note": "x"}, 400, "note"),
    "name of no string": ({"name": 5}, 400, "name"),
}


@pytest.fixture(scope="module")
def standing(platform: Platform) -> Iterator[str]:
    href = platform.client.http.post(SERVICE, json=edge(3010, id="standing")).headers["Location"]
    yield href
    assert platform.client.http.delete(href).status_code == 204


@pytest.mark.parametrize(("patch", "status", "said"), BAD_PATCHES.values(), ids=BAD_PATCHES)
def test_a_wrong_patch_is_refused(
    http: httpx.Client, standing: str, patch: dict[str, Any], status: int, said: str
) -> None:
    before = http.get(standing).json()
    answer = http.patch(standing, json=patch)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["message"]
    assert http.get(standing).json() == before


def test_what_a_patch_may_say_of_what_stays(http: httpx.Client, standing: str) -> None:
    known = http.get(standing).json()
    for kind in ("application/json", "application/merge-patch+json; charset=utf-8"):
        answer = http.patch(standing, json=known, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()) == (200, known), answer.text
    other = http.patch(standing, json={}, headers={"Content-Type": "text/plain"})
    assert (other.status_code, "merge-patch" in other.json()["message"]) == (415, True)
    party = {"relatedParty": [{"id": "c-1"}], "note": [{"text": "by night"}]}
    assert http.patch(standing, json=party).json()["note"] == party["note"]
    without = http.patch(standing, json={"relatedParty": None, "note": None}).json()
    assert without == known


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_nobody_knows_an_unknown_service(http: httpx.Client, method: str) -> None:
    answer = http.request(method, f"{SERVICE}/nobody", json={} if method == "PATCH" else None)
    assert (answer.status_code, "nobody" in answer.json()["message"]) == (404, True)


def test_an_id_is_one_services(http: httpx.Client, standing: str) -> None:
    answer = http.post(SERVICE, json=edge(3011, id="standing"))
    assert (answer.status_code, "PATCH changes it" in answer.json()["message"]) == (409, True)
    assert http.get(standing).status_code == 200


def test_services_and_monitors_are_listed_and_filtered(http: httpx.Client, standing: str) -> None:
    active = http.get(SERVICE, params={"state": "active", "fields": "state"})
    assert {"id": "standing", "href": standing, "state": "active"} in active.json()
    assert http.get(SERVICE, params={"state": "reserved"}).json() == []
    monitors = http.get(f"{BASE}/monitor", params={"state": "Completed", "limit": "1000"}).json()
    assert any(monitor["sourceHref"] == standing for monitor in monitors)
    assert http.get(f"{BASE}/monitor", params={"colour": "red"}).status_code == 400


@pytest.mark.usefixtures("untouched")
def test_many_clients_wait_without_a_thread_each(platform: Platform) -> None:
    """More clients than the server has threads for requests, all waiting at once."""
    lab = platform.system.lab
    assert lab is not None
    answers: list[httpx.Response] = []
    with httpx.Client(
        base_url=platform.url, headers=platform.client.http.headers, timeout=2 * PATIENCE_S, trust_env=False,
        limits=httpx.Limits(max_connections=200),
    ) as many:  # fmt: skip

        def post(number: int) -> None:
            body = edge(3300 + number, id=f"many-{number}")
            answers.append(many.post(SERVICE, json=body, headers={"Prefer": f"wait={PATIENCE_S:.0f}"}))

        clients = [threading.Thread(target=post, args=(number,)) for number in range(60)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert {answer.status_code for answer in answers} == {201}
        gone = [many.delete(answer.headers["Location"], headers={"Prefer": "respond-async"}) for answer in answers]
        for answer in gone:
            assert _until_final(many, answer.headers["Location"])["state"] == "Completed"


def test_where_the_specification_says_so_nobody_waits(start: Start, tmp_path: Path) -> None:
    folder = shutil.copytree(TEMPLATES, tmp_path / "templates")
    intents = folder / "intents.yaml"
    slow = intents.read_text(encoding="utf-8").replace("ip-edge:\n", "ip-edge:\n  asynchronous: true\n")
    intents.write_text(slow, encoding="utf-8")
    with start(tmp_path / "data", platforms=folder) as running:
        http = running.client.http
        answer = http.post(SERVICE, json=edge(id="slow-2"), headers={"Prefer": "wait=20"})
        assert answer.status_code == 202
        assert _until_final(http, answer.headers["Location"])["state"] == "Completed"


@pytest.fixture
def hasty(start: Start, tmp_path: Path) -> Iterator[Platform]:
    with start(tmp_path, activation_patience_s=0) as running:
        yield running


def test_when_patience_is_over_the_monitor_is_the_answer(hasty: Platform) -> None:
    http = hasty.client.http
    over = http.post(SERVICE, json=edge(id="slow-1"))
    assert over.status_code == 202, over.text
    assert "Preference-Applied" not in over.headers
    assert _until_final(http, over.headers["Location"])["state"] == "Completed"
    patient = http.patch(f"{SERVICE}/slow-1", json={"state": "inactive"}, headers={"Prefer": "wait=20"})
    assert (patient.status_code, patient.headers["Preference-Applied"]) == (200, "wait=20")
    at_once = http.patch(f"{SERVICE}/slow-1", json={"state": "active"}, headers={"Prefer": "respond-async, wait=0"})
    assert (at_once.status_code, at_once.headers["Preference-Applied"]) == (202, "respond-async, wait=0")


def test_a_refusal_within_patience_is_an_error_in_the_devices_own_words(platform: Platform, http: httpx.Client) -> None:
    before = platform.configurations()
    body = broadband(9)
    values = body["supportingService"][0]["serviceCharacteristic"]
    next(each for each in values if each["name"] == "channelPartition")["value"] = "no-such-partition"
    answer = http.post(SERVICE, json=body)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert (problem["code"], problem["status"]) == ("editRefused", "422")
    assert "no-such-partition" in problem["reason"]
    assert problem["message"].startswith("olt1: ")
    monitor = http.get(problem["referenceError"]).json()
    assert (monitor["state"], monitor["response"]["statusCode"]) == ("InError", "422")
    assert monitor["href"] == _monitor(answer)
    assert http.get(f"{SERVICE}/line-9").status_code == 404
    assert platform.configurations() == before


def test_json_patch_and_if_match(http: httpx.Client) -> None:
    made = http.post(SERVICE, json=edge(3188))
    assert made.status_code == 201
    where = made.headers["Location"]
    tag = http.get(where).headers["ETag"]
    place = next(
        number for number, each in enumerate(made.json()["serviceCharacteristic"]) if each["name"] == "address"
    )
    patch = [{"op": "replace", "path": f"/serviceCharacteristic/{place}/value", "value": "10.9.77.9"}]
    kind = {"Content-Type": "application/json-patch+json"}
    changed = http.patch(where, json=patch, headers=kind | {"If-Match": tag})
    assert changed.status_code == 200, changed.text
    assert {"name": "address", "value": "10.9.77.9"}.items() <= changed.json()["serviceCharacteristic"][place].items()
    for late in (http.patch(where, json={}, headers={"If-Match": tag}), http.delete(where, headers={"If-Match": tag})):
        assert late.status_code == 412
        assert late.json()["code"] == "preconditionFailed"
    refused = http.patch(where, content=b"a: 1", headers={"Content-Type": "application/yaml"})
    assert refused.status_code == 415
    assert "application/json-patch+json" in refused.json()["message"]
    assert http.delete(where, headers={"If-Match": http.get(where).headers["ETag"]}).status_code == 204
