"""Measure and print: ``python -m tests.bench [FIGURE …] [--runs N]``."""

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tests.bench import (
    emulator,
    fleet,
    footprint,
    groups,
    http,
    postgres,
    scaling,
    scaling_cli,
    stored,
    throughput,
    waiting,
)
from tests.bench.report import Figure, as_json

FIGURES: Final[Mapping[str, Callable[[int], Sequence[Figure]]]] = {
    "orders_sqlite": throughput.orders_sqlite,
    "orders_postgres": postgres.orders_postgres,
    "latency": http.latency,
    "post_order": http.post_order,
    "get_page_100": http.get_page_100,
    "stored": stored.stored,
    "filters_flat": stored.filters_flat,
    "waiting": waiting.waiting,
    "idle": footprint.idle,
    "emulated_edit": emulator.big_edit,
    "emulated_fleet": emulator.fleet,
    "fleet_push": fleet.fleet_push,
    "olt_group_commit": groups.olt_group_commit,
    "plan_scaling": scaling.plan_scaling,
    "plan_scaling_cli": scaling_cli.plan_scaling_cli,
    "concurrent_tx": groups.concurrent_tx,
    "single": groups.single,
}


def main() -> int:
    """Measure what was asked for; return 1 where a goal was missed."""
    asked = _parser().parse_args()
    logging.basicConfig(level=logging.ERROR)
    found: list[Figure] = []
    lacking: dict[str, str] = {}
    for name in asked.figures or FIGURES:
        sys.stderr.write(f"measuring {name} …\n")
        try:
            measured = FIGURES[name](asked.runs)
        except Exception as error:  # noqa: BLE001 - whatever is in the way of one figure, the others are measured
            lacking[name] = f"{type(error).__name__}: {error}"
            _say(f"FAIL {name:<20} not measured: {lacking[name]}")
            continue
        found += measured
        for figure in measured:
            _say(figure.line())
    _say(as_json(found, lacking))
    return 0 if not lacking and all(figure.is_met for figure in found) else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures the platform.")
    parser.add_argument("figures", nargs="*", choices=[*FIGURES, []], metavar="FIGURE", help=", ".join(FIGURES))
    parser.add_argument("--runs", type=int, default=3, help="the median of so many runs (3)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
