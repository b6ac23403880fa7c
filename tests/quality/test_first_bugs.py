"""What the search must find, and how soon: known bugs, within a stated number of executions."""

from __future__ import annotations

import pytest

from benchmark_programs import Benchmark, deadlock01, reorder, twostage
from first_bug import PROGRAMS, as_text, executions_to_first_bug, first_bug_table, has_bug
from parallel_cookbook.kernel import Kernel
from parallel_cookbook.strategies import Bounded, Dpor, Pct, Pos, RandomWalk

DPOR_NEEDS = {
    "reorder_3": 10,
    "reorder_4": 100,
    "twostage": 2,
    "wronglock_3": 10,
    "circular_buffer": 5,
    "carter01": 2,
    **{f"philosophers_{count}": 2 ** (count - 1) for count in range(3, 8)},
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_dpor_finds_the_bug_soon(name: str) -> None:
    """DPOR needs no more executions than stated, out of up to 1248 classes."""
    count = executions_to_first_bug(PROGRAMS[name], Dpor(), DPOR_NEEDS[name])
    assert count is not None


@pytest.mark.parametrize("strategy", [Pct, Pos, RandomWalk])
@pytest.mark.parametrize("name", ["reorder_3", "twostage", "wronglock_3", "philosophers_3"])
def test_a_random_strategy_finds_the_bug(name: str, strategy: type[Pct | Pos | RandomWalk]) -> None:
    """Each of three seeds finds it within 500 executions; the medians are below 80."""
    for seed in range(3):
        assert executions_to_first_bug(PROGRAMS[name], strategy(seed), 500) is not None, seed


@pytest.mark.parametrize("build", [reorder(1), twostage, deadlock01])
def test_pct_keeps_its_promise(build: object) -> None:
    """A bug of depth 2 shows in at least 1 of n * k executions; n tasks, k steps."""
    strategy = Pct(seed=1, depth=2)
    kernel = Kernel(strategy)
    executions, hits, tasks = 1000, 0, 0
    for _ in range(executions):
        run = Benchmark(build)  # type: ignore[arg-type]
        hits += has_bug(kernel.run(run), run)
        tasks = max(tasks, len(kernel.tasks))
        strategy.next_execution()
    assert hits >= executions / (tasks * strategy.length)


def test_one_preemption_is_enough_for_most() -> None:
    """The bugs of twostage and circular_buffer need one preemption at most."""
    for name in ("twostage", "circular_buffer"):
        assert executions_to_first_bug(PROGRAMS[name], Bounded(1), 100) is not None


def test_the_table_names_every_program_and_strategy() -> None:
    """The table that the benchmarks print has a row for each program."""
    table = first_bug_table(seeds=[0], max_executions=5)
    assert list(table) == list(PROGRAMS)
    assert len(as_text(table).splitlines()) == len(PROGRAMS) + 1
