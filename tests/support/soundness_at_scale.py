"""Compares the search with its judges on very many random programs, and prints the figures.

    nice -n 19 python tests/support/soundness_at_scale.py --programs 100000 --seed tonight
    nice -n 19 python tests/support/soundness_at_scale.py --programs 10000 --simulated

The tests in tests/soundness do the same on some hundred programs. Each program on which the search is
wrong is shrunk and printed, and the rest goes on. Ends with 1 if there was any.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from random_programs import Program, random_program, shrink
from simulated_programs import random_simulated_program
from soundness import Tally, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

# ruff: noqa: T201 - a command prints

SIZES = (3, 5, 7)
SECONDS_BETWEEN_REPORTS = 60


def main() -> int:
    """Compare, print, and return the exit code."""
    options = _options()
    tally, wrong = Tally(), 0
    started = reported = time.monotonic()
    for number, (name, program) in enumerate(_programs(options), 1):
        if message := fault(program, tally):
            wrong += 1
            smallest = shrink(program, lambda p: bool(fault(p)))
            print(f"WRONG: {name}: {message}; the smallest such program:\n{smallest}", flush=True)
        if time.monotonic() - reported > SECONDS_BETWEEN_REPORTS:
            reported = time.monotonic()
            print(_figures(number, wrong, tally, reported - started), flush=True)
    print("done:", _figures(options.programs, wrong, tally, time.monotonic() - started))
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--programs", type=int, default=10_000, help="how many")
    parser.add_argument("--seed", default="0", help="any word: other programs")
    parser.add_argument(
        "--simulated", action="store_true", help="on the simulated threading and queue"
    )
    return parser.parse_args()


def _programs(options: argparse.Namespace) -> Iterator[tuple[str, Program]]:
    """Yield each program with what tells how to make it again."""
    for number in range(options.programs):
        if options.simulated:
            seed = f"simulated/{options.seed}/{number}"
            yield f"random_simulated_program({seed!r})", random_simulated_program(seed)
        else:
            size = SIZES[number % len(SIZES)]
            seed = f"{options.seed}/{size}/{number // len(SIZES)}"
            yield f"random_program({seed!r}, {size})", random_program(seed, size)


def _figures(programs: int, wrong: int, tally: Tally, seconds: float) -> str:
    return (
        f"{programs:,} programs in {seconds:,.0f} s: {wrong} wrong, {tally.programs:,} compared "
        f"({tally.by_dfs:,} also with depth-first search), {tally.skipped:,} too large; "
        f"{tally.classes:,} classes, {tally.schedules:,} schedules, {tally.cut:,} executions cut"
    )


if __name__ == "__main__":
    sys.exit(main())
