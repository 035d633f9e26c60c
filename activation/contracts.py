"""Seams of the activation core."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from activation.model import ChangeNote, DeviceEdit, Dialect, Path
from activation.platforms import CliRules
from activation.terminal import TerminalRules
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.model import Device, DeviceState

ROLLBACK_FAILED: Final = "rollbackFailed"
"""Code of the error message about a device that may not be as it was before the request."""


CANCELLED: Final = "cancelled"
"""Code of the error message about a request that was withdrawn before it reached a device."""


class Devices(Protocol):
    """Where the core looks devices up (implemented by :mod:`inventory.devices`)."""

    def device(self, name: str) -> Device:
        """Return the device called ``name``.

        Raises:
            UnknownResource: nobody is called so; the message lists the known devices.
        """
        ...

    def devices(self) -> Sequence[Device]:
        """Return every device, sorted by name."""
        ...


class Authors(Protocol):
    """Who ordered what (the history knows)."""

    def author_of(self, uow: UnitOfWork, monitor_id: str, correlation_id: str) -> str:
        """Return the name of whoever asked for an activation, or for the order it belongs to; empty: the platform."""
        ...


class Returns(Protocol):
    """The inventories, for services that ended and that a rollback brings back."""

    def hold(self, uow: UnitOfWork, service_ids: Sequence[str]) -> Mapping[str, str]:
        """Reserve again what the services used, value by value; return the names of the resources by id.

        Nothing happens to those that are reserved for them already.

        Raises:
            RollbackRefused: something is another's by now, or an order is in the way; says whose.
        """
        ...

    def returned(self, uow: UnitOfWork, service_ids: Sequence[str]) -> None:
        """Write that the services, what they are made of and their products are in use again."""
        ...


class DeviceRecords(Protocol):
    """How devices have behaved, shared by all processes (:mod:`inventory.device_states`)."""

    def state(self, name: str) -> DeviceState:
        """Return the state of the device called ``name``; one that nothing is known of is well."""
        ...

    def states(self) -> Mapping[str, DeviceState]:
        """Return all states by name."""
        ...

    def change(self, name: str, change: Callable[[DeviceState], DeviceState]) -> DeviceState:
        """Make the state of ``name`` what ``change`` makes of it, and return it."""
        ...


class DeviceLocking(Protocol):
    """One change at a time per device (in one process: :class:`activation.sessions.DeviceLocks`)."""

    def held(self, names: Iterable[str]) -> AbstractContextManager[None]:
        """Hold these devices for the length of the block; changes never wait for each other in a circle."""
        ...


class Driver(Protocol):
    """One session with one device, used by one thread at a time.

    Call order of a push: ``read`` (plan), ``stage``, ``commit``, ``read`` (read back), then ``confirm`` or
    ``rollback``; ``discard`` after a failed ``stage``. Every method raises only
    :class:`activation.errors.DeviceError` subclasses.
    """

    confirmed_commit: bool
    """Whether an unconfirmed commit undoes itself when the session or the platform dies."""

    host_key: str
    """The SHA-256 fingerprint of the key that the device showed; empty where it has none."""

    def read(self, touched: Sequence[Path]) -> str:
        """Return the running configuration that holds ``touched`` (may be more, never less), as the dialect's text.

        An empty ``touched`` means all of it.

        netconf: a ``<config>`` element in the base namespace. cli: running-config lines.
        """
        ...

    def stage(self, edit: DeviceEdit, *, token: str) -> None:
        """Lock, clean and load the candidate with ``edit.edit``, and validate it; nothing is live after this.

        ``token`` names the transaction; platforms with named candidates use it as the name.

        Raises:
            EditRefused: with the device's own message; the candidate is clean again.
        """
        ...

    def commit(self, edit: DeviceEdit, *, token: str, confirm_timeout_s: int) -> None:
        """Make the staged edit live: as a confirmed commit named ``token`` where the device has that.

        Raises:
            EditRefused: nothing is live.
            OutcomeUnknown: the answer was lost; read back.
        """
        ...

    def confirm(self, edit: DeviceEdit, *, token: str) -> None:
        """Make the commit permanent (and save it to start-up where the platform separates the two)."""
        ...

    def rollback(self, edit: DeviceEdit, *, token: str, undone: Callable[[str], bool]) -> None:
        """Undo the commit named ``token`` whether it was confirmed or not: cancel it, else push ``edit.inverse``.

        Safe to call when nothing was committed, on a new session too (recovery after a crash): ``undone`` tells from
        what :meth:`read` returns whether the device stands as it did before, and then the inverse is not pushed.
        """
        ...

    def discard(self) -> None:
        """Drop what is staged and unlock. Never raises for "nothing staged"."""
        ...

    def alive(self) -> bool:
        """Say whether the session's transport still stands, as far as this side knows; asks nobody."""
        ...

    def ping(self) -> None:
        """Ask the device the cheapest question there is and return when it has answered."""
        ...

    def close(self) -> None:
        """End the session; never raises."""
        ...


@runtime_checkable
class Askable(Protocol):
    """A session that can be asked for more than its configuration: its operational state, or who changed it."""

    def ask(self, command: str) -> str:
        """Return what the device answers to ``command``, which changes nothing.

        netconf: ``command`` is what goes into the subtree filter of a ``<get>``, the answer a ``<data>`` element.

        Raises:
            DeviceError: the device does not answer, or refuses the command.
        """
        ...


@runtime_checkable
class Telling(Protocol):
    """A session with a device that keeps who changed it and can be asked for it."""

    def changes(self, stream: str, since: datetime) -> Sequence[ChangeNote]:
        """Return the changes since then, newest first. The session may be over afterwards.

        Raises:
            DoesNotTell: this device keeps none, or does not give them away; in its own words.
            DeviceUnreachable: it did not tell all of them in time.
        """
        ...


class WorkLoop(Protocol):
    """An event loop in one thread that can run the work of many sessions."""

    def start(self, works: Iterable[Callable[[], None]]) -> None:
        """Begin each of ``works`` and return at once; they never raise."""
        ...


@runtime_checkable
class InLoop(Protocol):
    """What a driver may be besides: its calls, made from work in ``loop``, occupy no thread while they wait."""

    loop: WorkLoop | None


class DriverFactory(Protocol):
    """Opens a session; registered under the entry point group ``activation.drivers``."""

    def __call__(self, device: Device, rules: "PlatformRules") -> Driver:
        """Connect and return the session.

        Raises:
            DeviceUnreachable: with the address, the port and the reason.
        """
        ...


class PlatformRules(Protocol):
    """A platform as data, from ``templates/<platform>/platform.yaml``."""

    name: str
    dialect: Dialect
    driver: str
    options: Mapping[str, object]
    terminal: TerminalRules
    cli: CliRules | None


class ServiceActivation(Protocol):
    """TMF640 as the service order layer uses it; an HTTP adapter can stand behind it.

    A plan that waits for people is told by a ``MonitorAttributeValueChangeEvent`` whose document carries ``review``:
    ``{"id", "href", "state", "requirement", "because", "planHash"}``; so is the decision.

    Each call stores a monitor, returns its id at once and is idempotent by ``external_id``. The end is told by a
    ``MonitorStateChangeEvent`` whose document carries ``state`` (InProgress, Completed or InError), ``externalId``
    and, with InError, ``errorMessage``: ``[{"code", "reason", "message", "device"}]``. Where one of the codes is
    :data:`ROLLBACK_FAILED` that device may still carry the service: what the service uses must not serve another.
    """

    def create(self, uow: UnitOfWork, service: Document, *, external_id: str, correlation_id: str) -> str:
        """Configure and activate ``service``, a TMF640 Service.

        Its ``supportingService`` by value are planned, pushed and verified as one network-wide transaction.
        """
        ...

    def modify(self, uow: UnitOfWork, service: Document, *, external_id: str, correlation_id: str) -> str:
        """Re-configure to the characteristics in ``service`` (same shape as in ``create``, same ids)."""
        ...

    def terminate(self, uow: UnitOfWork, service_id: str, *, external_id: str, correlation_id: str) -> str:
        """Take away exactly what ``create`` and ``modify`` put there."""
        ...

    def declare(
        self, uow: UnitOfWork, service_id: str, service: Document | None, *, external_id: str, correlation_id: str
    ) -> str:
        """Take in that people have configured ``service`` by hand; None: that they have taken it away.

        Nothing is pushed and nothing is verified: from then on this is what the devices are compared with. They have to
        answer to be read. Its monitor tells what came of it, as for any request.
        """
        ...

    def cancel(self, uow: UnitOfWork, external_id: str, *, reason: str) -> None:
        """Withdraw the request that was asked for by ``external_id``, as far as it can still be withdrawn.

        Its monitor tells what came of it: InError with the code :data:`CANCELLED` where no device was touched, a review
        that waited for it is closed; its own end where a transaction is under way. What has ended stays as it ended.
        """
        ...
