"""The pages about faults and troubles, made from their tables."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from labs.embedded.faults import ALWAYS, KINDS, Fault, Kind
from tests.trouble.cases import COMPLETES, PARTS, Box, Trouble

BOXES: Final[Mapping[Box, str]] = {
    "olt1": "OLT (NETCONF, fast driver)",
    "olt1-ncclient": "OLT (NETCONF, ncclient)",
    "sw1": "switch (EOS, NAPALM)",
    "r1": "router (FRR, netmiko)",
}

FAULTS_HEAD: Final = """# Faults of the emulated devices

<!-- Made by `python -m tests.docs.generate`; a test compares. -->

Every emulated device can be told to do wrong, while it runs: from the command line
(`lastmile lab fault NODE KIND --times 1`), from a YAML file given to `lastmile lab deploy --faults`, or in a test:

```python
from labs.embedded.faults import Fault

fault = Fault("drop_after_commit", times=2, after=1)
assert (fault.times, fault.after, fault.amount) == (2, 1, 0.0)
# lab.faults.set("olt1", fault); lab.faults.list(); lab.faults.clear("olt1")
```

`times` says how often it strikes (-1: always), `after` how many occasions pass first, `value` is the kind's parameter.
Kinds that *last* are a state of the device: on until they are cleared. What the platform makes of each is in
[Troubles](troubles.md).

| kind | what the device does | `value` | lasts |
|---|---|---|---|
"""

TROUBLES_HEAD: Final = """# Troubles, and what becomes of an order

<!-- Made by `python -m tests.docs.generate` from the table the tests run; a test compares. -->

One device of three makes trouble in the middle of an order. Each row is a test through the real core with the real
drivers. Whatever the trouble, two things hold, byte for byte: **either all devices carry the change, or all are as they
were before**; and no device is left with a lock, an uncommitted change or a commit that waits for its confirm. The next
order goes well. The kinds of fault are in [Faults](faults.md).

*Monitor* is the code of the error that names the device; the message holds the device's own words. It is in the
monitor's `errorMessage`, in the order's tree and in `lastmile show`.
"""


def faults_page() -> str:
    """Return ``docs/reference/faults.md``."""
    return FAULTS_HEAD + "\n".join(_kind(name, kind) for name, kind in KINDS.items()) + "\n"


def _kind(name: str, kind: Kind) -> str:
    value = f"{kind.parameter} ({kind.default:g})" if kind.parameter else ""
    return f"| `{name}` | {kind.what} | {value} | {'yes' if kind.lasts else ''} |"


def troubles_page() -> str:
    """Return ``docs/reference/troubles.md``."""
    return "\n".join([TROUBLES_HEAD, *(line for part in PARTS.items() for line in _part(*part))]) + "\n"


def _part(title: str, troubles: Mapping[str, Trouble]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| the device | fault | tried on | the order | monitor | what an engineer sees |"
    yield "|---|---|---|---|---|---|"
    yield from map(_trouble, troubles.values())
    yield ""


def _trouble(trouble: Trouble) -> str:
    ends = "completes" if trouble.code == COMPLETES else "fails"
    codes = ", ".join(f"`{code}`" for code in trouble.code.split("|") if code)
    cells = (trouble.title, _faults(trouble.faults), _boxes(trouble.boxes), ends, codes, trouble.sees)
    return f"| {' | '.join(cells)} |"


def _faults(faults: Iterable[Fault]) -> str:
    return ", ".join(f"`{fault.kind}`{_how(fault)}" for fault in faults)


def _how(fault: Fault) -> str:
    value = f" {fault.value:g}" if fault.value is not None else ""
    always = " always" if fault.times == ALWAYS else ""
    return value + always + (f" after {fault.after}" if fault.after else "")


def _boxes(boxes: Iterable[Box]) -> str:
    wanted = tuple(boxes)
    return "all" if wanted == tuple(BOXES) else "; ".join(BOXES[box] for box in wanted)
