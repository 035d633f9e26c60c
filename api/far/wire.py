"""One HTTP exchange with a layer in another process; says whether it may have arrived."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from api.far.model import Address

TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 3.0
LONGEST_PAUSE_S: Final = 600.0
_UNREACHED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP; 0 where nothing came back.
        has_arrived: False where the other side certainly knows nothing of it.
        body: what JSON came back; None where none did.
        location: where the answer says that its result is.
        pause_s: how long the other side asks us to stay away.
    """

    status: int = 0
    has_arrived: bool = True
    body: Any = None
    location: str = ""
    reason: str = ""
    pause_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether it is a success."""
        return httpx.codes.is_success(self.status)


@dataclass(slots=True, kw_only=True)
class Wire:
    """The connections to one layer; used by many threads.

    While the layer does not answer, only one request at a time finds out whether it does again.
    """

    address: Address
    timeout_s: float = TIMEOUT_S
    _client: httpx.Client = field(init=False)
    _away_until_s: float = 0.0
    _away_for_s: float = 0.0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        headers = {"Authorization": f"Bearer {self.address.token}"} if self.address.token else {}
        self._client = httpx.Client(
            base_url=self.address.url.rstrip("/"),
            headers={"Accept": "application/json", **headers},
            timeout=httpx.Timeout(self.timeout_s, connect=CONNECT_TIMEOUT_S),
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def wait_s(self) -> float:
        """Return how long it makes no sense to ask: the layer did not answer just now; 0 where it does."""
        with self._guard:
            left_s = self._away_until_s - time.monotonic()
            if left_s <= 0 and self._away_for_s:
                # Whoever asks now finds out for all; the others wait for what that one finds.
                self._away_until_s = time.monotonic() + self._away_for_s
            return max(left_s, 0.0)

    def __call__(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return what came of a request; never raises for what the network or the other side does."""
        given: dict[str, Any] = {} if body is None else {"json": dict(body)}
        try:
            response = self._client.request(method, path, headers=dict(headers or {}), **given)
        except httpx.HTTPError as error:
            self._away()
            reason = f"no answer from {self.address.layer} at {self.address.url}: {type(error).__name__}: {error}"
            return Answer(has_arrived=not isinstance(error, _UNREACHED), reason=reason.rstrip(": "))
        with self._guard:
            self._away_until_s = self._away_for_s = 0.0
        return _answer(response)

    def _away(self) -> None:
        with self._guard:
            self._away_for_s = min(max(self._away_for_s * 2, 0.1), 5.0)
            self._away_until_s = time.monotonic() + self._away_for_s


def _answer(response: httpx.Response) -> Answer:
    try:
        body = response.json() if response.content else None
    except ValueError:
        body = None
    after = response.headers.get("retry-after", "")
    return Answer(
        status=response.status_code,
        body=body,
        location=response.headers.get("location", ""),
        reason=f"HTTP {response.status_code}",
        pause_s=min(float(after), LONGEST_PAUSE_S) if after.isdecimal() else 0.0,
    )
