"""One chain put together from the layers that have a part in it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from api.far.wire import Wire

CHAINS: Final = "/lastmile/v1/chain"
Chain = Mapping[str, Any]
_SORTED_BY: Final = {"history": "at", "event": "eventTime"}


def read_below(wires: Sequence[Wire], correlation_id: str) -> list[Chain]:
    """Return what each layer below has of a chain, with what it got from those below it."""
    found: list[Chain] = []
    for wire in wires:
        layer = wire.address.layer
        if wire.wait_s() > 0:
            found.append({"missing": [{"layer": layer, "reason": "it does not answer"}]})
            continue
        answer = wire("GET", f"{CHAINS}/{quote(correlation_id, safe='')}")
        if answer.is_good and isinstance(answer.body, dict):
            found.append(answer.body)
        else:
            found.append({"missing": [{"layer": layer, "reason": answer.reason}]})
    return found


def merged(parts: Sequence[Chain]) -> dict[str, Any]:
    """Return the parts of a chain as one; ``missing`` names the layers that did not answer, where there are any."""
    lists: dict[str, list[Any]] = {}
    for part in parts:
        for name, entries in part.items():
            lists.setdefault(name, []).extend(entries if isinstance(entries, list) else ())
    for name, key in _SORTED_BY.items():
        if name in lists:
            lists[name].sort(key=lambda each: str(each[key]))
    return lists
