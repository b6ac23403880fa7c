"""What a search of a whole program finds, as values that can be compared with those of another search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.check.exploration import Budget, explore
from parallel_cookbook.strategies import Dpor

if TYPE_CHECKING:
    from parallel_cookbook.check.execution import Machine


def findings(machine: Machine, max_executions: int) -> list[object]:
    """Explore a program; return all that was found: numbers, outcomes, faults, races, the grain."""
    budget = Budget(max_executions=max_executions, max_seconds=None)
    tally = explore(machine, Dpor, budget, stop_at_first=False)
    return [
        (tally.executions, tally.redundant, tally.steps, tally.is_exhaustive),
        {outcome: times for outcome, (times, _) in tally.outcomes.items()},
        set(tally.faults),
        {sites: race.place for sites, race in machine.memory.races.items()},
        machine.grain(),
    ]
