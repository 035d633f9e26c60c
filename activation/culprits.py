"""Of many who share a transaction, those whom a refusal is about, as far as the device's own words tell."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from xml.sax.saxutils import escape

from activation.errors import DeviceError
from activation.transact import BUSY_PHASES, SESSION_TROUBLE
from activation.work import Member, fragments_in

_KEY: Final = re.compile(r"""\[\s*[\w.:-]+\s*=\s*(?:'([^']*)'|"([^"]*)")\s*\]""")
"""A list key as an ``error-path`` has it: ``[if:name='ont-7']``."""

_NUMBER: Final = re.compile(r"\d+")


def named_by(failures: Iterable[Exception], members: Sequence[Member]) -> list[Member]:
    """Return the members whom these failures name, in order; none where they name nobody, or everybody.

    A NETCONF device names list entries by their keys, a command line the line that it refused. It is a hint and no
    verdict: who is named is tried alone before it costs him anything.
    """
    named: set[int] = set()
    for failure in failures:
        if isinstance(failure, DeviceError):
            texts = [_text_on(failure.device, member) for member in members]
            named |= _by_keys(failure.reason, texts) or _by_line(failure.reason, texts)
    return [member for at, member in enumerate(members) if at in named] if len(named) < len(members) else []


def alike(words: str) -> str:
    """Return a refusal without what it names: two that are alike then say the same of different entries."""
    return _NUMBER.sub("#", _KEY.sub("[#]", words))


def overrun_by(failures: Iterable[Exception]) -> frozenset[str]:
    """Return the devices that fell silent over their work; none where one could not even be asked."""
    silent = [failure for failure in failures if isinstance(failure, SESSION_TROUBLE)]
    if any(failure.phase not in BUSY_PHASES for failure in silent):
        return frozenset()
    return frozenset(failure.device for failure in silent)


def _text_on(device: str, member: Member) -> str:
    made = member.work.changing().get(device, ())
    return "\n".join(fragment.text for fragment in fragments_in(made))


def _by_keys(reason: str, texts: Sequence[str]) -> set[int]:
    """Return where among ``texts`` the keys of one path of ``reason`` all stand."""
    found: set[int] = set()
    for place in reason.split("; "):
        keys = [f">{escape(single or double)}<" for single, double in _KEY.findall(place)]
        if keys:
            found |= {at for at, text in enumerate(texts) if all(key in text for key in keys)}
    return found


def _by_line(reason: str, texts: Sequence[str]) -> set[int]:
    """Return where among ``texts`` the longest line stands that ``reason`` quotes."""
    lines = {line.strip() for text in texts for line in text.splitlines()}
    quoted = [line for line in lines if line in reason and _stands_apart(line, reason)]
    if not quoted:
        return set()
    refused = max(quoted, key=len)
    return {at for at, text in enumerate(texts) if refused in map(str.strip, text.splitlines())}


def _stands_apart(line: str, reason: str) -> bool:
    """Say whether ``line`` is quoted as a whole: ``vlan 10`` is not what ``vlan 100`` says."""
    return bool(line) and re.search(rf"(?<!\S)['\"]?{re.escape(line)}(?![\w-])", reason) is not None
