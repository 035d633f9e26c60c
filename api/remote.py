"""What every command that asks a running platform has in common: its options and its client."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import httpx
import typer

from api.client import ApiRefused, Client

Url = Annotated[str, typer.Option(help="Where the platform listens.", envvar="LASTMILE_URL")]
Token = Annotated[str | None, typer.Option(help="An access token.", envvar="LASTMILE_TOKEN", show_default=False)]

DEFAULT_URL: Final = "http://127.0.0.1:8640"
PATIENCE_S: Final = 10.0


@contextmanager
def platform(url: str, token: str | None, *, timeout_s: float = PATIENCE_S) -> Iterator[Client]:
    """Open a client of the platform at ``url`` for the length of the block.

    Raises:
        ApiRefused: nobody answers there, or the platform refuses.
    """
    client = Client.open(url, token)
    client.http.timeout = httpx.Timeout(timeout_s)
    try:
        yield client
    except httpx.TransportError as error:
        raise ApiRefused(f"no answer from {url}: {error}; is 'lastmile serve' running there?") from error
    finally:
        client.close()
