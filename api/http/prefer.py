"""The ``Prefer`` header (RFC 7240) as far as TMF640 answers understand it: ``respond-async`` and ``wait``."""

import re
from dataclasses import dataclass
from typing import Final

LONGEST_WAIT_S: Final = 300.0
_TOKEN: Final = re.compile(r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*("[^"]*"|[^\s;,"]*))?\s*(?:;[^,]*)?""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """How a client wants its answer.

    Attributes:
        respond_async: at once, with the monitor; with ``wait_s``, then only after it.
        wait_s: how long it waits for the result; None: it did not say.
    """

    respond_async: bool = False
    wait_s: float | None = None

    def patience_s(self, default_s: float) -> float:
        """Return how long to wait for the result before the monitor is the answer."""
        if self.wait_s is not None:
            return min(self.wait_s, LONGEST_WAIT_S)
        return 0.0 if self.respond_async else default_s

    def applied(self, *, with_monitor: bool) -> str:
        """Return the value of ``Preference-Applied``; empty where nothing was asked for."""
        said = ["respond-async"] if self.respond_async and with_monitor else []
        if self.wait_s is not None:
            said.append(f"wait={min(self.wait_s, LONGEST_WAIT_S):g}")
        return ", ".join(said)


def preference(header: str | None) -> Preference:
    """Return what ``header`` asks for; of a preference that stands twice the first counts, the unknown is ignored."""
    found: dict[str, str] = {}
    for part in (header or "").split(","):
        if matched := _TOKEN.fullmatch(part):
            found.setdefault(matched[1].lower(), (matched[2] or "").strip('"'))
    wait = found.get("wait", "")
    # A preference that makes no sense is ignored: the standard knows no error for it.
    return Preference(
        respond_async="respond-async" in found, wait_s=float(wait) if re.fullmatch("[0-9]+", wait) else None
    )
