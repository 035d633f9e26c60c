"""What an idle platform costs: memory, processor and the time until it is ready."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import httpx

from api.http.server import bind, url_of
from tests.bench.report import UNDER, Figure, rounded

SETTLE_S: Final = 3.0
IDLE_S: Final = 10.0
PATIENCE_S: Final = 30.0
TICKS_PER_S: Final = 100
"""Linux' USER_HZ, which /proc counts processor time in."""


def idle(runs: int) -> list[Figure]:
    """Return what ``lastmile serve --lab none`` needs while nothing happens."""
    found = [_measure() for _ in range(runs)]
    middle = [rounded(sorted(values)[len(values) // 2]) for values in zip(*found, strict=True)]
    units = (("idle_rss", "MB", 150), ("idle_cpu", "%", 1), ("ready", "s", 2))
    return [
        Figure(name=name, value=value, unit=unit, goal=goal, sense=UNDER)
        for value, (name, unit, goal) in zip(middle, units, strict=True)
    ]


def _measure() -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory(prefix="lastmile-bench-") as folder:
        free = bind("127.0.0.1", 0)
        url = url_of(free)
        free.close()
        started_s = time.perf_counter()
        process = _start(Path(folder), url.rpartition(":")[2])
        try:
            _wait_until_ready(url, process)
            ready_s = time.perf_counter() - started_s
            time.sleep(SETTLE_S)
            before_s = _processor_s(process.pid)
            time.sleep(IDLE_S)
            cpu_percent = 100 * (_processor_s(process.pid) - before_s) / IDLE_S
            return _rss_mb(process.pid), cpu_percent, ready_s
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _start(folder: Path, port: str) -> "subprocess.Popen[bytes]":
    program = Path(sys.executable).with_name("lastmile")
    command = [str(program), "serve", "--lab", "none", "--port", port, "--data", str(folder / "data"), "--auth", "off"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.perf_counter() + PATIENCE_S
    with httpx.Client(base_url=url, trust_env=False) as client:
        while time.perf_counter() < deadline_s and process.poll() is None:
            try:
                client.get("/health").raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.01)
            else:
                return
    raise TimeoutError(f"'lastmile serve' was not ready within {PATIENCE_S:g} s")


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
