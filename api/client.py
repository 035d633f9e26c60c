"""A small client of the platform's own HTTP API, for the command line and the demo."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

FINAL_STATES = frozenset({"completed", "failed", "partial", "cancelled", "rejected"})
PRODUCT_ORDERS = "/tmf-api/productOrderingManagement/v4/productOrder"
_FIRST_POLL_S = 0.02


class ApiRefused(Exception):
    """The platform answered with an error; the text is its TMF reason."""


class NotFinished(Exception):
    """An order that was not done within the caller's patience."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Talks to one running platform."""

    http: httpx.Client

    @classmethod
    def open(cls, url: str, token: str | None) -> Self:
        """Return a client of the platform at ``url``."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return cls(http=httpx.Client(base_url=url, headers=headers, timeout=10.0, trust_env=False))

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON is what it is
        """Return the JSON answer.

        Raises:
            ApiRefused: any status but 2xx.
        """
        return _answer(self.http.get(path))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON is what it is
        """Return the JSON answer.

        Raises:
            ApiRefused: any status but 2xx.
        """
        return _answer(self.http.post(path, json=dict(body)))

    def place(self, order: Mapping[str, Any]) -> str:
        """Place a product order and return its id."""
        return str(self.post(PRODUCT_ORDERS, order)["id"])

    def tree(self, order_id: str) -> dict[str, Any]:
        """Return the order with all it caused."""
        found: dict[str, Any] = self.get(f"/lastmile/v1/orderTree/{order_id}")
        return found

    def follow(
        self, order_id: str, *, timeout_s: float, on_change: Callable[[dict[str, Any]], None] = lambda _: None
    ) -> dict[str, Any]:
        """Return the order's tree once the order has ended; ``on_change`` sees it on the way.

        Raises:
            NotFinished: the order has not ended after ``timeout_s``; names its state.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            tree = self.tree(order_id)
            on_change(tree)
            if tree["productOrder"]["state"] in FINAL_STATES:
                return tree
            if time.monotonic() > deadline_s:
                state = tree["productOrder"]["state"]
                raise NotFinished(f"product order {order_id} is still {state!r} after {timeout_s:g} s")
            time.sleep(_FIRST_POLL_S)


def _answer(response: httpx.Response) -> Any:  # noqa: ANN401 - JSON is what it is
    if response.is_success:
        return response.json() if response.content else None
    try:
        problem = response.json()
        text = str(problem.get("message") or problem.get("reason") or response.text)
    except ValueError:
        text = response.text
    asked = f"{response.request.method} {response.request.url.path}: "
    raise ApiRefused(f"{asked}{response.status_code}: {text.removeprefix(asked)}")
