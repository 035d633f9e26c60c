"""Errors of this package.

ApiError
├── AlreadySubscribed a subscription that stands already; names it
├── BadRequest        a request that cannot be read; says where and what is legal
├── BodyTooLarge      more bytes than the settings allow
├── CallbackRefused   a callback address that is no plain URL, or leads where it may not
├── CatalogRefused    a question about the catalog that cannot be answered; says what is legal
├── DatabaseAway      the database server cannot be reached just now
├── ImportRefused     nothing that can be imported, or not into this inventory; says what is legal
├── KeyReused         an idempotency key that stood for another request
├── LayerAway         a layer in another process does not answer just now
├── LeaseLost         a job this worker was running is another's by now
├── MaintenanceRefused a backup, restore or repair that would do harm or cannot be done; says what to do
├── MailRefused       a letter that cannot be written; says which template and why
├── PatchConflict     a JSON patch that does not fit the resource as it is now
├── PreconditionFailed If-Match names another version than the resource has now
├── UnsupportedMedia  a body of a kind that is not taken here; names those that are
├── WorkerGivenUp     this worker was silent for too long; it must register anew
├── NotAllowed        a token whose role may not do this; names the roles that may
├── NotAuthorized     no token, or one that nobody was given
└── StartRefused      this process cannot start here; says what holds it and what to do
"""


class ApiError(Exception):
    """Root of the errors that this package raises on purpose."""


class AlreadySubscribed(ApiError):
    """A subscription with the same callback and query stands already."""


class BadRequest(ApiError):
    """A request that cannot be read."""


class BodyTooLarge(ApiError):
    """A request body over the limit."""


class CallbackRefused(ApiError):
    """A callback address that is no plain http or https URL, or that leads where it may not."""


class CatalogRefused(ApiError):
    """A question about the catalog that cannot be answered; the message says what is legal."""


class DatabaseAway(ApiError):
    """The database cannot be reached, or went away in the middle; nothing of the open transaction is known to stand.

    Attributes:
        retry_after_s: when asking again makes sense.
    """

    retry_after_s = 2

    def __init__(self, where: str, reason: str) -> None:
        """Name the database and what its driver said."""
        super().__init__(f"the database {where} is away: {reason}")


class ImportRefused(ApiError):
    """Something that cannot be imported into the inventory; the message says what is legal."""


class KeyReused(ApiError):
    """An idempotency key that stood for another request before; nothing was done."""


class LayerAway(ApiError):
    """A layer in another process does not answer, and without it this cannot be done; nothing was done.

    Attributes:
        retry_after_s: when asking again makes sense.
    """

    retry_after_s = 5


class LeaseLost(ApiError):
    """The worker was given up while it ran the job; what it still wanted to write is refused."""

    def __init__(self, job_id: int, kind: str) -> None:
        """Name the job."""
        super().__init__(f"job {job_id} ({kind}): the lease was lost; another worker has the job")


class MaintenanceRefused(ApiError):
    """A backup, a restore or a repair that would do harm, or that cannot be done."""


class MailRefused(ApiError):
    """A letter that cannot be written: no template for it, or one that fails."""


class PatchConflict(ApiError):
    """A JSON patch whose test fails, or whose path is not there; nothing was changed."""


class PreconditionFailed(ApiError):
    """The resource is not the one that the client has seen; nothing was changed."""


class UnsupportedMedia(ApiError):
    """A request body of a kind that is not taken here."""


class WorkerGivenUp(ApiError):
    """This worker was silent for too long: its peers took what it held, and it must register anew."""


class NotAllowed(ApiError):
    """A request whose token has a role that may not send it."""


class NotAuthorized(ApiError):
    """A request without a valid token."""


class StartRefused(ApiError):
    """Something that must be mended before the process can start."""
