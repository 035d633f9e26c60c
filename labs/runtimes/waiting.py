"""What a process does that was started ahead of the lab it is to hold; :mod:`labs.runtimes.ahead` starts it."""

import gc
import json
import os
import socket
from importlib import import_module
from typing import Final

_CHUNK: Final = 65536
_HANDLES: Final = 2
_OUTPUT: Final = (1, 2)


def wait(handle: int, factory: str) -> None:
    """Import what makes a lab, wait to be told which, and hold it; return at once when nobody will tell.

    Args:
        handle: the socket to be told on.
        factory: ``module:name`` of what makes the lab.
    """
    os.setsid()
    # Nothing that is imported becomes garbage: looking for it costs a tenth of the time.
    gc.disable()
    hold = import_module("labs.runtimes.holder").hold
    import_module(factory.partition(":")[0])
    gc.freeze()
    gc.enable()
    with socket.socket(fileno=handle) as line:
        text, handles, *_ = socket.recv_fds(line, _CHUNK, _HANDLES)
        while chunk := line.recv(_CHUNK):
            text += chunk
    if not text:
        return
    ready, claim = handles
    for number in _OUTPUT:
        os.dup2(claim, number)
    os.chdir("/")
    hold({**json.loads(text), "ready": ready, "claim": claim})
