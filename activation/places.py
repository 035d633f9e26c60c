"""Places of devices as the database knows them: a number for each path."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from activation.model import Path

Places: TypeAlias = Sequence[int]
"""What stands for paths in the database; two that come to the same number do no harm."""


def place_of(path: Path) -> int:
    """Return what stands for ``path``."""
    digest = hashlib.blake2b("\0".join(path).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def places_of(paths: Iterable[Path]) -> Places:
    """Return what stands for each of ``paths``."""
    return list(map(place_of, paths))
