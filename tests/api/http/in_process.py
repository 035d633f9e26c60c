"""An HTTP client of an application in this process: no socket, no server."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcess:
    """Sends requests from any thread; what the application raises is a 500, as it is for a client."""

    app: FastAPI

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._sent(method, path, given))

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self.request("GET", path, **given)

    def post(self, path: str, **given: Any) -> httpx.Response:
        return self.request("POST", path, **given)

    async def _sent(self, method: str, path: str, given: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://lastmile") as client:
            return await client.request(method, path, **given)
