"""Errors of this package.

ApiError
├── BadRequest        a request that cannot be read; says where and what is legal
├── BodyTooLarge      more bytes than the settings allow
├── NotAuthorized     no token, or one that nobody was given
└── StartRefused      this process cannot start here; says what holds it and what to do
"""


class ApiError(Exception):
    """Root of the errors that this package raises on purpose."""


class BadRequest(ApiError):
    """A request that cannot be read."""


class BodyTooLarge(ApiError):
    """A request body over the limit."""


class NotAuthorized(ApiError):
    """A request without a valid token."""


class StartRefused(ApiError):
    """Something that must be mended before the process can start."""
