"""How many executions a strategy needs until it meets a bug, for programs with a known one."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from benchmark_programs import Benchmark, carter01, circular_buffer, philosophers, reorder, twostage
from benchmark_programs import wronglock as wronglock_of
from parallel_cookbook.kernel import Ending, Kernel
from parallel_cookbook.strategies import Bounded, Dfs, Dpor, Pct, Pos, RandomWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmark_programs import Build
    from parallel_cookbook.strategies import Strategy

PROGRAMS: dict[str, Build] = {
    "reorder_3": reorder(2),
    "reorder_4": reorder(3),
    "twostage": twostage,
    "wronglock_3": wronglock_of(3),
    "circular_buffer": circular_buffer,
    "carter01": carter01,
    **{f"philosophers_{count}": philosophers(count) for count in range(3, 8)},
}

STRATEGIES: dict[str, Callable[[int], Strategy]] = {
    "dpor": lambda _: Dpor(),
    "dfs": lambda _: Dfs(),
    "bounded(1)": lambda _: Bounded(1),
    "bounded(2)": lambda _: Bounded(2),
    "pct(3)": lambda seed: Pct(seed, 3),
    "pos": Pos,
    "random": RandomWalk,
}
"""By seed; those that make no random choices ignore it."""


def has_bug(ending: Ending, run: Benchmark) -> bool:
    """Whether an execution failed an assertion or ended in a deadlock."""
    return ending is Ending.DEADLOCK or (ending is Ending.FINISHED and run.failures > 0)


def executions_to_first_bug(build: Build, strategy: Strategy, max_executions: int) -> int | None:
    """Return how many executions it takes, the one with the bug included; None if too many."""
    kernel = Kernel(strategy)
    try:
        for count in range(1, max_executions + 1):
            run = Benchmark(build)
            if has_bug(kernel.run(run), run):
                return count
            if not strategy.next_execution():
                return None
        return None
    finally:
        for worker in kernel._idle:
            worker.throw()


def first_bug_table(
    seeds: Iterable[int] = range(5), max_executions: int = 2000
) -> dict[str, dict[str, float | None]]:
    """Return for each program and strategy the median over the seeds; None if half found nothing."""
    seeds = list(seeds)
    table: dict[str, dict[str, float | None]] = {}
    for name, build in PROGRAMS.items():
        row = table[name] = {}
        for label, new_strategy in STRATEGIES.items():
            is_random = new_strategy(0).seed is not None
            counts = [
                executions_to_first_bug(build, new_strategy(seed), max_executions)
                for seed in (seeds if is_random else seeds[:1])
            ]
            middle = statistics.median(float("inf") if count is None else count for count in counts)
            row[label] = None if middle == float("inf") else middle
    return table


def as_text(table: dict[str, dict[str, float | None]]) -> str:
    """Return the table in columns."""
    lines = [f"{'':16}" + "".join(f"{label:>12}" for label in STRATEGIES)]
    for name, row in table.items():
        cells = ("-" if value is None else f"{value:g}" for value in row.values())
        lines.append(f"{name:16}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)
