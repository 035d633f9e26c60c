"""What outlives the process of an emulated device: its saved configuration, in a file.

A small change of a big configuration is appended, not the whole written anew; a file of changes stands beside that of
the configuration until it has grown as long, or the device starts again.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

LEAST_CHARS: Final = 100_000
"""Shorter files of changes are not worth being folded into the whole."""


class FileMemory:
    """The memory of one node. Called as ``saved`` it keeps a whole configuration."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._beside = file.with_name(f"{file.name}.changes")
        self._whole_chars = file.stat().st_size if file.exists() else 0
        self._change_chars = self._beside.stat().st_size if self._beside.exists() else 0

    def __call__(self, whole: str) -> None:
        """Keep a whole configuration."""
        # A half-written file must never be what the node starts with: written beside it, then renamed. A crash before
        # the changes are gone plays them once more onto the whole that holds them, which changes nothing.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(whole, encoding="utf-8")
        fresh.replace(self._file)
        self._beside.unlink(missing_ok=True)
        self._whole_chars, self._change_chars = len(whole), 0

    def add(self, change: str, whole: Callable[[], str]) -> None:
        """Keep a change of what is kept; ``whole`` is asked for where there is nothing to add it to, or too much."""
        if not self._file.exists():
            self(whole())
            return
        line = json.dumps(change) + "\n"
        with self._beside.open("a", encoding="utf-8") as beside:
            beside.write(line)
        self._change_chars += len(line)
        if self._change_chars > max(LEAST_CHARS, self._whole_chars):
            self(whole())

    def changes(self) -> Iterator[str]:
        """Return the changes to the whole that is kept, oldest first; one that a crash cut off does not count."""
        with suppress(FileNotFoundError):
            for line in self._beside.read_text(encoding="utf-8").splitlines(keepends=True):
                if line.endswith("\n"):
                    yield json.loads(line)
