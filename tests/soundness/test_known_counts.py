"""Programs whose numbers of schedules and of classes are known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from benchmark_programs import (
    KNOWN_COUNTS,
    Benchmark,
    VisibleDfs,
    locked_sections,
    philosophers,
)
from observe import explore
from parallel_cookbook.strategies import Dpor

if TYPE_CHECKING:
    from benchmark_programs import Build


@pytest.mark.parametrize("name", KNOWN_COUNTS)
def test_dpor_performs_one_execution_for_each_class(name: str) -> None:
    """DPOR explores exactly the known number of classes, and cuts no execution off."""
    build, _, classes = KNOWN_COUNTS[name]
    found = explore(lambda: Benchmark(build), Dpor())
    assert (found.executions, found.repeated) == (classes, 0)


@pytest.mark.parametrize("name", [n for n, (_, count, _) in KNOWN_COUNTS.items() if count < 5000])
def test_the_models_have_the_known_number_of_schedules(name: str) -> None:
    """Depth-first search finds the known number of schedules, and DPOR's classes and outcomes."""
    build, schedules, classes = KNOWN_COUNTS[name]
    judge = explore(lambda: Benchmark(build), VisibleDfs())
    assert (judge.executions, len(judge.classes)) == (schedules, classes)
    found = explore(lambda: Benchmark(build), Dpor())
    assert (found.classes.keys(), found.outcomes) == (judge.classes.keys(), judge.outcomes)


@pytest.mark.parametrize(("tasks", "times"), [(2, 2), (2, 3), (3, 1), (3, 2), (4, 1), (5, 1)])
def test_a_lock_around_one_step_has_a_class_for_each_order(tasks: int, times: int) -> None:
    """The tasks can take the lock in (tasks * times)! / times!**tasks orders."""
    found = explore(lambda: Benchmark(locked_sections(tasks, times)), Dpor())
    orders = math.factorial(tasks * times) // math.factorial(times) ** tasks
    assert (found.executions, found.cut) == (orders, 0)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_the_philosophers_have_a_class_for_each_orientation(count: int) -> None:
    """Each pair of neighbours meets at one fork, in one of two orders; one of the cycles is no order.

    With all forks taken nobody gets any further: that is the one deadlock.
    """
    build: Build = philosophers(count)
    found = explore(lambda: Benchmark(build), Dpor())
    assert found.executions == 2**count - 1
    assert found.deadlocks == 1
