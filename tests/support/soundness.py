"""Compare a strategy with the judges on one program; say in a sentence what is wrong, if anything."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from observe import Findings, explore
from parallel_cookbook.kernel import Ending, Kernel
from parallel_cookbook.strategies import Dfs, Dpor
from random_programs import Program, random_program, shrink
from sleep_set_search import SleepSetSearch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from observe import Searching


@dataclasses.dataclass
class Tally:
    """How much was compared."""

    programs: int = 0
    skipped: int = 0
    """Those that were too large for the judges."""
    by_dfs: int = 0
    classes: int = 0
    schedules: int = 0
    """Those of the programs that plain depth-first search could finish."""
    cut: int = 0
    """Executions of the strategy that were cut off."""


def difference(findings: Findings, judge: Findings) -> str:
    """Return how the strategy's findings differ from the judge's; "" if they do not."""
    missing = judge.classes.keys() - findings.classes.keys()
    extra = findings.classes.keys() - judge.classes.keys()
    if missing or extra:
        return (
            f"{len(missing)} of {len(judge.classes)} classes are missing, {len(extra)} are made up"
        )
    if findings.outcomes != judge.outcomes:
        return "the outcomes differ"
    if findings.deadlocks == 0 != judge.deadlocks:
        return "no deadlock was found"
    return ""


def fault(  # noqa: PLR0911 - one return for each thing that may be wrong
    program: Program,
    tally: Tally | None = None,
    strategy: Callable[[], Searching] = Dpor,
    max_executions: int = 300,
) -> str | None:
    """Return what is wrong with the strategy on this program; "" if nothing, None if it is too large.

    Compared: classes of schedules, outcomes (what each task saw, the last values, exceptions), who is
    blocked on what in a deadlock; and no class may be explored twice.
    """
    tally = tally or Tally()
    found = explore(program, strategy(), max_executions)
    if found.repeated:
        return f"{found.repeated} executions repeat a class"
    if not found.is_complete:
        tally.skipped += 1
        return None
    judge = explore(program, SleepSetSearch(), 5 * max_executions)
    if not judge.is_complete:
        tally.skipped += 1
        return None
    if message := difference(found, judge):
        return message
    tally.programs += 1
    tally.classes += len(judge.classes)
    tally.cut += found.cut
    if judge.steps > 2 * max_executions:
        return ""
    plain = explore(program, Dfs(), max_executions)
    if plain.is_complete:
        tally.by_dfs += 1
        tally.schedules += plain.executions
        return difference(found, plain)
    return ""


def first_fault(
    seeds: Iterable[object], size: int = 6, strategy: Callable[[], Searching] = Dpor
) -> str:
    """Return the first program on which the strategy is wrong, shrunk; "" if it is right on all."""
    for seed in seeds:
        program = random_program(seed, size)
        message = fault(program, None, strategy)
        if message:
            smallest = shrink(program, lambda p: bool(fault(p, None, strategy)))
            return f"seed {seed!r}, size {size}: {message}; the smallest such program:\n{smallest}"
    return ""


def quiet_outcomes(program: Program, max_executions: int = 1000) -> set[object] | None:
    """Return a program's outcomes if releases, starts and ends are points only where it looks at them.

    As the check does it: begins with none of these points, and again with those that turn out to be
    needed. None if there are too many executions.
    """
    are_releases_points = are_lives_points = False
    while True:
        strategy = Dpor()
        kernel = Kernel(strategy)
        kernel.are_releases_points = are_releases_points
        kernel.are_lives_points = are_lives_points
        outcomes: set[object] = set()
        is_complete = had_demands = False
        for _ in range(max_executions):
            main = program()
            ending = kernel.run(main, strategy.repeats)
            if had_demands := kernel.meet_demands():
                are_releases_points = kernel.are_releases_points
                are_lives_points = kernel.are_lives_points
                break
            if ending is not Ending.CUT:
                outcomes.add((ending.value, main.outcome()))
            if not strategy.next_execution():
                is_complete = True
                break
        for worker in kernel._idle:
            worker.throw()
        if not had_demands:
            return outcomes if is_complete else None
