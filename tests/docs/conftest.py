"""A whole platform for pages whose commands are run, as the API's tests have it."""

from tests.api.conftest import platform

__all__ = ["platform"]
