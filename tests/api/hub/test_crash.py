"""A platform that is killed in the middle of a delivery: nothing is lost, nothing changes places."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.client import Client
from api.demo import bodies
from tests.api.hub.subscriber import subscribed_system, until

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

ENVIRONMENT = {
    "LASTMILE_AUTH": "off",
    "LASTMILE_HUB_ALLOW": "127.0.0.0/8",
    "LASTMILE_LAB_NETCONF_PORT": "0",
    "LASTMILE_LAB_SSH_PORT": "0",
}


@contextmanager
def _served(folder: Path, port: int) -> Iterator[Client]:
    """Run ``lastmile serve`` in a process of its own, and kill it at the end."""
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--data", str(folder)], env={**os.environ, **ENVIRONMENT}, stdout=subprocess.DEVNULL
    )
    client = Client.open(f"http://127.0.0.1:{port}", None)
    try:
        until(lambda: _is_up(client, process))
        yield client
    finally:
        client.close()
        process.send_signal(signal.SIGKILL)
        process.wait()


def _is_up(client: Client, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "the platform ended by itself"
    try:
        return client.http.get("/health").is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_a_killed_platform_delivers_after_its_restart_what_it_owes(tmp_path: Path) -> None:
    with subscribed_system() as shop:
        shop.hold.set()
        with _served(tmp_path, _free_port()) as client:
            subscription = {
                "callback": shop.url,
                "query": "eventType=ProductOrderCreateEvent,ProductOrderStateChangeEvent",
            }
            client.post("/tmf-api/productOrderingManagement/v4/hub", subscription)
            order_id = client.place(bodies.add())
            shop.wait(tried=1)
        shop.hold.clear()
        with _served(tmp_path, _free_port()) as client:
            assert client.follow(order_id, timeout_s=30.0)["productOrder"]["state"] == "completed"
            until(lambda: shop.accepted and shop.accepted[-1].body["event"]["productOrder"]["state"] == "completed")
    first_seen = list(dict.fromkeys(shop.event_ids()))
    states = {each.body["eventId"]: each.body["event"]["productOrder"]["state"] for each in shop.accepted}
    assert [states[event_id] for event_id in first_seen] == ["acknowledged", "inProgress", "completed"]
