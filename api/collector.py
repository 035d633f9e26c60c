"""Python's garbage collector, told what a long-running process knows."""

import gc
from typing import Final

YOUNG: Final = 200_000
"""Objects between two looks at the young ones: a batch of orders makes a million, and next to none are garbage."""


def settle_heap() -> None:
    """Leave what start-up made out of every later collection; a batch of orders takes a tenth less time then."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)
