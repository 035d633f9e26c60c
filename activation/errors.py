"""Errors of this package.

ActivationError
├── BadPolicy               a review policy that cannot be used; names each place and what is legal
├── AlreadyDecided          a review that somebody has decided otherwise, or that is over
├── NotApprovable           whoever wants to approve may not; says why and who may
├── OtherPlan               a decision about other bytes than those that wait; names the hash of these
├── Cancelled               a request that was withdrawn before it reached a device
├── ReviewRejected          a reviewer said no; carries the name and the comment
├── BadChecks               a file of service checks that cannot be used; names each place
├── BadIntent               characteristics do not fit the intent; names each path and what is legal
├── RenderError             a template failed; names template, line and variable
├── NotUnique               a value that another live service has, and may have alone; names that service
├── ClaimsInUse             values that are to be given back, of a service that is there; names its state
├── PlanError               no minimal change can be computed (unknown list key, unparsable configuration)
├── Outdated                the database has moved on since the work was made of it: to be made anew
├── NothingToRepair         a path that names no deviation; lists the places there are
├── RollbackRefused         a past transaction cannot be undone; names what stands in the way and what is legal
├── NothingToTrust          no host key of the device waits for trust
├── DevicesFailed           devices that could not be read before the push, with the error of each
└── DeviceError             one device, one phase; ``retryable`` says whether the same bytes may be tried again
    ├── DeviceUnreachable   no connection, lost connection, time-out before anything was committed
    │   ├── HostKeyRefused      the device shows another host key than the known one; a person must look
    │   └── DeviceQuarantined   it failed several times in a row and is left alone for a while
    ├── DoesNotTell         the device does not say who changed it; carries why
    ├── EditRefused         the device said no; carries the device's own message
    ├── ServiceCheckFailed  the configuration is right and the service does not work; says which check and what it found
    ├── ReadBackMismatch    the device answered ok but its configuration is not the planned one
    └── OutcomeUnknown      a commit was sent and its answer lost; only reading back can tell
"""

from collections.abc import Iterable, Mapping


class ActivationError(Exception):
    """Root of the errors that activation code raises on purpose."""


class BadPolicy(ActivationError):
    """A review policy file that cannot be used."""


class BadChecks(ActivationError):
    """A file of service checks that cannot be used."""


class AlreadyDecided(ActivationError):
    """A review that does not wait any more."""


class NotApprovable(ActivationError):
    """An approval by somebody who may not give it."""


class OtherPlan(ActivationError):
    """A decision that signs another hash than the review's."""


class Cancelled(ActivationError):
    """A request that was withdrawn before it reached a device."""


class ReviewRejected(ActivationError):
    """A plan that a reviewer rejected."""


class BadIntent(ActivationError):
    """Characteristics that do not fit the intent's variables."""

    def __init__(self, intent: str, problems: tuple[str, ...]) -> None:
        self.intent, self.problems = intent, problems
        super().__init__(f"{intent}: " + "; ".join(problems))


class RenderError(ActivationError):
    """A template that did not render."""


class NotUnique(ActivationError):
    """Values that another live service claims for itself; ``holders`` names it by what it claims."""

    def __init__(self, holders: Mapping[str, str]) -> None:
        self.holders = holders
        taken = "; ".join(f"{claim} is service {holder!r}'s" for claim, holder in sorted(holders.items()))
        super().__init__(
            f"{taken}; legal: a value of its own, or that service's end first "
            "(lastmile service release ID, where a failed rollback left it behind)"
        )


class ClaimsInUse(ActivationError):
    """Values that were to be given back are those of a service that is there."""

    def __init__(self, service_id: str, state: str) -> None:
        super().__init__(
            f"service {service_id} is there ({state}) and keeps what it has; "
            "legal: what a failed rollback left behind, or terminate it first"
        )


class PlanError(ActivationError):
    """A change that cannot be computed safely."""


class Outdated(ActivationError):
    """Work that was made of what is stored no more."""


class NothingToRepair(ActivationError):
    """A repair that has nothing to mend."""


class RollbackRefused(ActivationError):
    """A past transaction that cannot be undone."""


class DeviceError(ActivationError):
    """What went wrong on one device in one phase of a transaction."""

    retryable = False

    def __init__(self, device: str, phase: str, reason: str) -> None:
        self.device, self.phase, self.reason = device, phase, reason
        super().__init__(f"{device}: {phase}: {reason}")


class DeviceUnreachable(DeviceError):
    """Nothing was committed: the device could not be reached or the session broke before the commit."""

    retryable = True


class DoesNotTell(DeviceError):
    """The device does not say who changed it."""


class HostKeyRefused(DeviceUnreachable):
    """The device shows another host key than the one that is known; the password was not sent."""

    retryable = False

    def __init__(self, device: str, *, known: str, shown: str) -> None:
        self.known, self.shown = known, shown
        reason = f"the host key changed: known is {known}, the device shows {shown}"
        super().__init__(device, "connect", f"{reason}; if that is right: lastmile device trust {device}")


class DeviceQuarantined(DeviceUnreachable):
    """The device failed several times in a row; nobody asks it until the pause is over or a person releases it."""

    def __init__(self, device: str, reason: str, *, pause_s: float) -> None:
        self.pause_s = pause_s
        super().__init__(device, "connect", reason)


class EditRefused(DeviceError):
    """The device refused the edit, the validation or the commit; ``reason`` is its own message."""


class ReadBackMismatch(DeviceError):
    """The device's answers and its configuration disagree."""


class ServiceCheckFailed(DeviceError):
    """The devices carry the configuration and the service does not work."""


class OutcomeUnknown(DeviceError):
    """The commit may or may not have happened."""


class NothingToTrust(ActivationError):
    """Somebody trusts a host key that was not refused."""

    def __init__(self, device: str, reason: str) -> None:
        self.device = device
        super().__init__(f"{device}: nothing to trust: {reason}")


class DevicesFailed(ActivationError):
    """Devices failed before anything was pushed; ``errors`` has one error per device."""

    def __init__(self, errors: Iterable[DeviceError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(map(str, self.errors)))
