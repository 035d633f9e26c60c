"""Customers who order, upgrade and cease all the time, and ask again with the same id when nobody answers."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from api.client import FINAL_STATES, PRODUCT_ORDERS, Client
from api.demo import bodies
from tests.crash.life import until

PLACES: Final = ("ADDR-1015", "ADDR-1016", "ADDR-1017")
SPEEDS_MBPS: Final = {"fibre-100": 100, "fibre-500": 500, "fibre-1000": 1000}
PATIENCE_S: Final = 90.0
LOOK_EVERY_S: Final = 0.03
_SERIALS: Final = itertools.count(1)


@dataclass(slots=True, kw_only=True)
class Customer:
    """One household with at most one product, which sends one order at a time.

    Attributes:
        orders: order ids by the external id that the order was sent with.
        product_id: the live product; empty while there is none.
        offering: what it was sold as.
        completed: how many orders have ended.
    """

    name: str
    url: str
    orders: dict[str, str] = field(default_factory=dict)
    product_id: str = ""
    offering: str = ""
    completed: int = 0
    complaint: str = ""

    def live(self, ended: threading.Event) -> None:
        """Order one thing after the other until ``ended``, and see the last one through."""
        client = Client.open(self.url, None)
        try:
            for step in itertools.cycle((self.cease, self.add, self.upgrade)):
                if ended.is_set():
                    return
                step(client)
        except AssertionError as error:
            self.complaint = str(error)
        finally:
            client.close()

    def cease(self, client: Client) -> None:
        """Give the product back, if there is one."""
        if self.product_id:
            self._order(client, bodies.cease(self.product_id))
            self.product_id = self.offering = ""

    def add(self, client: Client) -> None:
        """Order the first product, and see that through."""
        serial = next(_SERIALS)
        body = bodies.add("fibre-100", f"LMLE{serial:08X}", PLACES[serial % len(PLACES)])
        order = self._order(client, body)
        self.product_id, self.offering = str(order["productOrderItem"][0]["product"]["id"]), "fibre-100"

    def upgrade(self, client: Client) -> None:
        """Order another speed, and see that through."""
        offering = "fibre-1000" if len(self.orders) % 2 else "fibre-500"
        self._order(client, bodies.upgrade(self.product_id, offering))
        self.offering = offering

    def _order(self, client: Client, body: dict[str, Any]) -> dict[str, Any]:
        """Return the completed order."""
        external_id = f"{self.name}-{len(self.orders) + 1}"
        placed = _answer(lambda: client.http.post(PRODUCT_ORDERS, json={**body, "externalId": external_id}))
        self.orders[external_id] = str(placed["id"])
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            order = _answer(lambda: client.http.get(f"{PRODUCT_ORDERS}/{placed['id']}"))
            if order["state"] in FINAL_STATES:
                assert order["state"] == "completed", f"{external_id} ended as {order}"
                self.completed += 1
                return order
            assert time.monotonic() < deadline_s, f"{external_id} is still {order['state']}: {order}"
            time.sleep(LOOK_EVERY_S)


def _got_further(customer: Customer, before: int) -> bool:
    assert not customer.complaint, customer.complaint
    return customer.completed > before


def _answer(ask: Callable[[], httpx.Response]) -> dict[str, Any]:
    """Return the answer of a platform that may be away: ask until there is one."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            response = ask()
        except httpx.TransportError as away:
            said = repr(away)
        else:
            if response.is_success:
                found: dict[str, Any] = response.json()
                return found
            said = f"{response.status_code} {response.text}"
            assert response.status_code == httpx.codes.SERVICE_UNAVAILABLE, said
        assert time.monotonic() < deadline_s, f"no answer but {said}"
        time.sleep(LOOK_EVERY_S)


@dataclass(slots=True, kw_only=True)
class Crowd:
    """Several customers, each in a thread of its own."""

    customers: list[Customer]

    @classmethod
    def of(cls, count: int, url: str) -> "Crowd":
        """Return that many customers of the platform at ``url``."""
        return cls(customers=[Customer(name=f"customer-{number}", url=url) for number in range(count)])

    @contextmanager
    def ordering(self) -> Iterator[None]:
        """Keep them ordering while the block runs; then see their last orders through.

        Raises:
            AssertionError: an order did not complete, or nobody answered for too long.
        """
        ended = threading.Event()
        threads = [threading.Thread(target=each.live, args=(ended,), daemon=True) for each in self.customers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert not (complaints := [each.complaint for each in self.customers if each.complaint]), complaints

    def await_progress(self) -> None:
        """Return when everybody has got an order through from now on.

        Between some kills there must be such a time: a job whose process dies eight times under it is parked.
        """
        before = [each.completed for each in self.customers]
        until(lambda: all(map(_got_further, self.customers, before)), "everybody got an order through", PATIENCE_S)

    def cease(self) -> None:
        """Give every product back."""
        for customer in self.customers:
            client = Client.open(customer.url, None)
            try:
                customer.cease(client)
            finally:
                client.close()

    def placed(self) -> int:
        """Return how many orders were sent and answered."""
        return sum(len(each.orders) for each in self.customers)

    def orders(self) -> dict[str, str]:
        """Return all order ids by their external ids."""
        return {external: order for each in self.customers for external, order in each.orders.items()}

    def products(self) -> dict[str, int]:
        """Return the live products' ids, each with the speed that was sold."""
        return {each.product_id: SPEEDS_MBPS[each.offering] for each in self.customers if each.product_id}
