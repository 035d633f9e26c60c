"""Programs of the system, run to their end, on this machine or in a namespace."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from labs.contracts import ExecResult
from labs.netns.errors import CommandFailed

TIMEOUT_S = 20.0


def run(
    argv: Sequence[str | Path],
    *,
    namespace: str = "",
    typed: str | None = None,
    environ: Mapping[str, str] | None = None,
    fed: TextIO | None = None,
    timeout_s: float = TIMEOUT_S,
) -> str:
    """Return what a program prints.

    Args:
        argv: the program and its arguments.
        namespace: network namespace to run it in; empty for the machine's own.
        typed: its standard input.
        environ: added to the environment.
        fed: an open file as its standard input.
        timeout_s: when to give up.

    Raises:
        CommandFailed: it is not installed, ends with an error or does not end.
    """
    done = attempt(argv, namespace=namespace, typed=typed, environ=environ, fed=fed, timeout_s=timeout_s)
    if done.return_code:
        raise CommandFailed([str(each) for each in argv], done.stderr or done.stdout)
    return done.stdout


def attempt(
    argv: Sequence[str | Path],
    *,
    namespace: str = "",
    typed: str | None = None,
    environ: Mapping[str, str] | None = None,
    fed: TextIO | None = None,
    timeout_s: float = TIMEOUT_S,
) -> ExecResult:
    """Return what a program prints and how it ends, whatever that is.

    Raises:
        CommandFailed: it is not installed or does not end in time.
    """
    whole = [str(each) for each in argv]
    inside = ["ip", "netns", "exec", namespace, *whole] if namespace else whole
    # A daemon keeps what it inherits: nothing of ours may stay open because of it, so its input ends at once.
    feed = {"input": typed} if typed is not None else {"stdin": fed or subprocess.DEVNULL}
    try:
        done = subprocess.run(
            inside,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            env={**os.environ, **(environ or {})},
            **feed,
        )
    except FileNotFoundError:
        raise CommandFailed(whole, f"{inside[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise CommandFailed(whole, f"did not end within {timeout_s:g} s") from None
    return ExecResult(
        node=namespace, command=" ".join(whole), stdout=done.stdout, stderr=done.stderr, return_code=done.returncode
    )


def start_daemon(argv: Sequence[str | Path], *, namespace: str, log: Path, environ: Mapping[str, str]) -> None:
    """Start a program that goes to the background by itself, and return when it has.

    Raises:
        CommandFailed: it is not installed, or gives up; the end of its log says why.
    """
    whole = ["ip", "netns", "exec", namespace, *(str(each) for each in argv)]
    with log.open("a", encoding="utf-8") as out:
        code = subprocess.run(
            whole,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **environ},
            timeout=TIMEOUT_S,
            check=False,
            start_new_session=True,
        ).returncode
    if code:
        raise CommandFailed(whole, log.read_text(encoding="utf-8", errors="replace")[-400:])
