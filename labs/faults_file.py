"""A file of faults: which nodes make which trouble from the start, as YAML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from labs.contracts import FaultRequest
from labs.errors import LabError
from labs.yaml_text import load_yaml

_KEYS: Final = ("node", "kind", "times", "value", "after")


def load_faults(path: Path) -> tuple[FaultRequest, ...]:
    """Return the faults in ``path``: a list of ``{node: sw1, kind: latency, value: 0.5}``, ``times`` where it ends.

    Raises:
        LabError: the file cannot be used; says where and what is legal.
    """
    try:
        raw = load_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as broken:
        raise LabError(f"{path}: cannot be read: {broken}") from None
    if not isinstance(raw, list):
        raise LabError(f"{path}: is no list; legal: - {{node: sw1, kind: latency, value: 0.5}}")
    return tuple(_request(item, f"{path}: fault {number}") for number, item in enumerate(raw, start=1))


def _request(raw: object, where: str) -> FaultRequest:
    if not isinstance(raw, Mapping):
        raise LabError(f"{where}: is no mapping; legal keys: {', '.join(_KEYS)}")
    unknown = sorted(str(key) for key in raw if key not in _KEYS)
    if unknown or "node" not in raw or "kind" not in raw:
        wrong = f"unknown key {', '.join(unknown)}" if unknown else "node and kind must be there"
        raise LabError(f"{where}: {wrong}; legal keys: {', '.join(_KEYS)}")
    times, value, after = raw.get("times", -1), raw.get("value"), raw.get("after", 0)
    whole = _is_number(times, whole=True) and _is_number(after, whole=True)
    if not whole or not (value is None or _is_number(value, whole=False)):
        got = f"{times!r}, {value!r}, {after!r}"
        raise LabError(
            f"{where}: times is a whole number (-1: always), value a number, after a whole number; got {got}"
        )
    return FaultRequest(node=str(raw["node"]), kind=str(raw["kind"]), times=times, value=value, after=after)


def _is_number(value: Any, *, whole: bool) -> bool:  # noqa: ANN401 - YAML can hold anything
    return isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
