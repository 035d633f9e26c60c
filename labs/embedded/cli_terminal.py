"""A terminal as a device's command line sees it: echo, editing keys, history and help on ``?``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

import asyncssh

READ_CHARS: Final = 4096
HISTORY_LINES: Final = 100
BELL: Final = "\a"
ESCAPES: Final = {"\x1b[A": "\x10", "\x1b[B": "\x0e", "\x1b[C": "\x06", "\x1b[D": "\x02", "\x1b[3~": "\x04"}
"""Cursor keys of a terminal and the control characters that mean the same."""

Help = Callable[[str], str]
"""Returns the text shown when ``?`` follows the typed line."""


@dataclass(slots=True)
class LineEditor:
    """One line being typed. Each key returns what the terminal shows for it.

    Attributes:
        typed: the line so far.
        cursor: position of the next character inside it.
    """

    typed: str = ""
    cursor: int = 0
    history: list[str] = field(default_factory=list)
    _recalled: int = 0

    def begin(self) -> None:
        """Start an empty line."""
        self.typed, self.cursor, self._recalled = "", 0, len(self.history)

    def finish(self) -> str:
        """Return the line and remember it."""
        if self.typed.strip() and self.history[-1:] != [self.typed]:
            self.history = [*self.history, self.typed][-HISTORY_LINES:]
        return self.typed

    def key(self, char: str) -> str:
        """Take one character and return the echo."""
        if char.isprintable():
            return self._insert(char)
        action = _KEYS.get(char)
        return action(self) if action else ""

    def _insert(self, char: str) -> str:
        tail = self.typed[self.cursor :]
        self.typed = self.typed[: self.cursor] + char + tail
        self.cursor += 1
        return char + tail + "\b" * len(tail)

    def erase_left(self) -> str:
        """Erase the character before the cursor."""
        if not self.cursor:
            return BELL
        tail = self.typed[self.cursor :]
        self.typed = self.typed[: self.cursor - 1] + tail
        self.cursor -= 1
        return "\b" + tail + " " + "\b" * (len(tail) + 1)

    def erase_right(self) -> str:
        """Erase the character under the cursor."""
        if self.cursor == len(self.typed):
            return BELL
        return self.right() + self.erase_left()

    def erase_word(self) -> str:
        """Erase the word before the cursor."""
        kept = self.typed[: self.cursor].rstrip().rpartition(" ")
        return "".join(self.erase_left() for _ in range(self.cursor - len(kept[0] + kept[1])))

    def erase_line(self) -> str:
        """Erase the whole line."""
        return self.end() + "".join(self.erase_left() for _ in range(len(self.typed)))

    def left(self) -> str:
        """Move one character to the left."""
        if not self.cursor:
            return BELL
        self.cursor -= 1
        return "\b"

    def right(self) -> str:
        """Move one character to the right."""
        if self.cursor == len(self.typed):
            return BELL
        self.cursor += 1
        return self.typed[self.cursor - 1]

    def home(self) -> str:
        """Move to the first character."""
        moved, self.cursor = self.cursor, 0
        return "\b" * moved

    def end(self) -> str:
        """Move behind the last character."""
        tail = self.typed[self.cursor :]
        self.cursor = len(self.typed)
        return tail

    def _recall(self, step: int) -> str:
        wanted = self._recalled + step
        if not 0 <= wanted <= len(self.history):
            return BELL
        self._recalled = wanted
        echo = self.erase_line()
        return echo + "".join(map(self._insert, self.history[wanted] if wanted < len(self.history) else ""))

    def older(self) -> str:
        """Show the line typed before."""
        return self._recall(-1)

    def newer(self) -> str:
        """Show the line typed after."""
        return self._recall(1)


_KEYS: Final[dict[str, Callable[[LineEditor], str]]] = {
    "\b": LineEditor.erase_left,
    "\x7f": LineEditor.erase_left,
    "\x04": LineEditor.erase_right,
    "\x17": LineEditor.erase_word,
    "\x15": LineEditor.erase_line,
    "\x02": LineEditor.left,
    "\x06": LineEditor.right,
    "\x01": LineEditor.home,
    "\x05": LineEditor.end,
    "\x10": LineEditor.older,
    "\x0e": LineEditor.newer,
}


class Terminal:
    """Reads lines from one SSH session and writes replies to it.

    With a pty it prompts, echoes and edits; without one it reads plain lines and prints replies only, as devices do
    for a script piped into ``ssh``.
    """

    def __init__(self, process: "asyncssh.SSHServerProcess[Any]", help_text: Help) -> None:
        self._process = process
        self._help = help_text
        self._interactive = process.term_type is not None
        self._editor = LineEditor()
        self._waiting = ""
        self._after_return = False
        self._shown = ""

    async def line(self, prompt: str) -> str | None:
        """Return the next line typed at ``prompt``, or None at the end of input."""
        self._editor.begin()
        self._show(prompt)
        while True:
            if not self._waiting:
                self._flush()
                self._waiting = await self._read()
                if not self._waiting:
                    return None
            char = self._next_key()
            if char in {"\r", "\n"}:
                self._show("\n")
                # Clients wait for the echo before they start to wait for the answer.
                self._flush()
                return self._editor.finish()
            if char == "\x04" and not self._editor.typed:
                return None
            self._key(char, prompt)

    def write(self, text: str) -> None:
        """Print ``text``; it leaves together with the next prompt."""
        self._shown += text

    async def page(self, text: str, *, lines: int | None, more: str) -> None:
        """Print ``text`` a page at a time; space goes a page on, return a line, q ends it.

        Args:
            text: what to print.
            lines: of a page; 0: everything at once; None: as many as the terminal has.
            more: what waits for a key at the end of a page.
        """
        page = lines if lines is not None else self._process.term_size[1] - 1
        if page <= 0 or not self._interactive:
            self.write(text)
            return
        waiting = text.splitlines(keepends=True)
        step = page
        while waiting:
            self.write("".join(waiting[:step]))
            waiting = waiting[step:]
            if waiting:
                self._show(more)
                key = await self._key_pressed()
                self._show("\r" + " " * len(more) + "\r")
                if key in {"", "q", "Q", "\x03"}:
                    return
                step = 1 if key in {"\r", "\n"} else page

    async def _key_pressed(self) -> str:
        if not self._waiting:
            self._flush()
            self._waiting = await self._read()
        return self._next_key() if self._waiting else ""

    def close(self) -> None:
        """Send what is still waiting."""
        self._flush()

    def _key(self, char: str, prompt: str) -> None:
        if char == "?":
            self._show(f"?\n{self._help(self._editor.typed)}{prompt}{self._editor.typed}")
        elif char == "\t":
            self._show(self._completed(prompt))
        elif char == "\x03":
            self._editor.begin()
            self._show(f"^C\n{prompt}")
        else:
            self._show(self._editor.key(char))

    def _completed(self, prompt: str) -> str:
        """Return the echo of the tab key: the rest of the word where there is one way on, else what may follow."""
        typed = self._editor.typed
        if self._editor.cursor < len(typed) or not typed.strip():
            return ""
        partial = typed.rpartition(" ")[2]
        words = [line.strip() for line in self._help(typed).splitlines()]
        keywords = [word for word in words if word and not word.startswith("<")]
        rest = _common_start(keywords)[len(partial) :] + (" " if len(keywords) == 1 else "")
        if partial and rest and keywords:
            return "".join(map(self._editor.key, rest))
        return f"\n{self._help(typed)}{prompt}{typed}" if len(keywords) > 1 else BELL

    def _next_key(self) -> str:
        for sequence, char in ESCAPES.items():
            if self._waiting.startswith(sequence):
                self._waiting = self._waiting[len(sequence) :]
                return char
        char, self._waiting = self._waiting[0], self._waiting[1:]
        follows_return, self._after_return = self._after_return, char == "\r"
        # A terminal that ends its lines with CR LF means one line, not two.
        return "\0" if char == "\n" and follows_return else char

    def _show(self, text: str) -> None:
        if self._interactive:
            self._shown += text

    def _flush(self) -> None:
        if self._shown:
            self._process.stdout.write(self._shown)
            self._shown = ""

    async def _read(self) -> str:
        while True:
            try:
                return str(await self._process.stdin.read(READ_CHARS))
            except asyncssh.TerminalSizeChanged:
                continue
            except asyncssh.BreakReceived:
                return "\x03"


def _common_start(words: Sequence[str]) -> str:
    """Return what all words begin with."""
    if not words:
        return ""
    first, last = min(words), max(words)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(char for char, _ in same)
