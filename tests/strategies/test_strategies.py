"""What every strategy promises: determinism, honest claims, an estimate of what is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import kernel_primitives as kp
from benchmark_programs import Benchmark, deadlock01, lazy01, philosophers, reorder
from observe import Recorder, explore
from parallel_cookbook.errors import ReplayMismatchError
from parallel_cookbook.kernel import Ending, Kernel
from parallel_cookbook.strategies import (
    Bounded,
    Dfs,
    Dpor,
    Pct,
    Pos,
    RandomWalk,
    Replay,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel import Task
    from parallel_cookbook.strategies import Strategy

NEW: dict[str, Callable[[], Strategy]] = {
    "dpor": Dpor,
    "dfs": Dfs,
    "bounded": Bounded,
    "pct": lambda: Pct(7),
    "pos": lambda: Pos(7),
    "random": lambda: RandomWalk(7),
}


def schedules(strategy: Strategy, count: int) -> list[list[int]]:
    """Return the schedules of the first executions of a program."""
    recorder = Recorder(strategy)
    kernel = Kernel(recorder)
    found = []
    for _ in range(count):
        recorder.reset(strategy.repeats)
        kernel.run(Benchmark(lazy01), strategy.repeats)
        found.append(recorder.schedule)
        if not strategy.next_execution():
            break
    return found


@pytest.mark.parametrize("name", NEW)
def test_the_same_seed_gives_the_same_executions(name: str) -> None:
    """Two explorations by the same strategy and seed perform the same schedules."""
    assert NEW[name]().name == name
    assert schedules(NEW[name](), 40) == schedules(NEW[name](), 40)


@pytest.mark.parametrize("strategy", [Pct, Pos, RandomWalk])
def test_another_seed_gives_other_executions(strategy: type[Pct | Pos | RandomWalk]) -> None:
    """Two seeds give different schedules, and each strategy tells its own."""
    assert strategy(3).seed == 3
    assert schedules(strategy(1), 10) != schedules(strategy(2), 10)


@pytest.mark.parametrize("strategy", [Dpor, Dfs])
def test_an_exhaustive_strategy_claims_so_at_its_end_only(strategy: type[Dpor | Dfs]) -> None:
    """`is_exhaustive` turns true, and `share_done` reaches 1, with the last execution."""
    search = strategy()
    kernel = Kernel(search)
    shares = []
    goes_on = True
    while goes_on:
        kernel.run(Benchmark(deadlock01))
        shares.append(0 if search.is_exhaustive else search.share_done())
        goes_on = search.next_execution()
        assert search.is_exhaustive is not goes_on
    assert search.share_done() == 1
    assert all(0 <= share < 1 for share in shares)


def test_the_share_of_a_plain_search_never_falls() -> None:
    """Knuth's estimate grows with each execution of a depth-first search."""
    search = Dfs()
    kernel = Kernel(search)
    last = 0.0
    while True:
        kernel.run(Benchmark(deadlock01))
        if not search.next_execution():
            break
        assert search.share_done() > last
        last = search.share_done()


def test_the_share_of_dpor_is_no_worse_than_a_factor_of_three_half_way() -> None:
    """After half of the executions of reorder_4, DPOR says that a sixth or more is done."""
    search = Dpor()
    kernel = Kernel(search)
    for _ in range(1248 // 2):
        kernel.run(Benchmark(reorder(3)))
        search.next_execution()
    assert 1 / 6 < search.share_done() < 1


def test_a_bound_that_leaves_something_out_is_not_exhaustive() -> None:
    """With few preemptions allowed the search ends without a claim; with enough, it claims."""
    for bound, is_exhaustive in ((0, False), (1, False), (20, True)):
        search = Bounded(bound)
        found = explore(lambda: Benchmark(deadlock01), search)
        assert found.is_complete
        assert search.is_exhaustive is is_exhaustive
        assert search.share_done() == 1
        assert bound < 20 or found.executions == 811


def test_no_preemption_means_none() -> None:
    """With a bound of 0 no task is left while it could go on."""
    switches = []

    class Watch(Bounded):
        def choose(self, kernel: Kernel) -> Task | None:
            """Note down whether the running task is left."""
            running = kernel.running
            task = super().choose(kernel)
            switches.append(task is not running and running in kernel.enabled())
            return task

    explore(lambda: Benchmark(lazy01), Watch(0))
    assert not any(switches)


@pytest.mark.parametrize("strategy", [Pct, Pos, RandomWalk])
def test_a_random_strategy_is_fair(strategy: type[Pct | Pos | RandomWalk]) -> None:
    """A task that polls for a variable does not keep the other from setting it for ever."""

    def main() -> None:
        flag = kp.Variable()

        def poll() -> None:
            while not flag.load():
                pass

        kp.run_tasks(poll, lambda: flag.store(1))

    search = strategy(1)
    kernel = Kernel(search)
    kernel.max_steps = 5000
    for _ in range(20):
        assert kernel.run(main) is Ending.FINISHED
        search.next_execution()


def test_pct_does_not_learn_from_an_execution_that_was_cut_off() -> None:
    """The length that the step limit imposes says nothing of the program."""

    def main() -> None:
        flag = kp.Variable()
        while not flag.load():
            pass

    search = Pct(1)
    kernel = Kernel(search)
    kernel.max_steps = 50
    kernel.run(main)
    search.next_execution()
    assert search.length == 0


@pytest.mark.parametrize("strategy", [Bounded, Pct])
def test_a_senseless_parameter_is_refused(strategy: type[Bounded | Pct]) -> None:
    """The message shows the value."""
    with pytest.raises(ValueError, match="-1"):
        strategy(**{"max_preemptions" if strategy is Bounded else "depth": -1})


# --- replay ---------------------------------------------------------------------------------------


class Recording(Dpor):
    """Notes the operations down as well as the tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule: list[int] = []
        self.operations: list[tuple[str, str]] = []

    def choose(self, kernel: Kernel) -> Task | None:
        """Note the choice down."""
        task = super().choose(kernel)
        if task is not None:
            assert task.operation is not None
            self.schedule.append(task.index)
            self.operations.append((task.operation.kind, task.operation.target.kind))
        return task


def a_deadlock() -> Recording:
    """Return the recording of an execution of three philosophers that ends in a deadlock."""
    search = Recording()
    kernel = Kernel(search)
    while kernel.run(Benchmark(philosophers(3))) is not Ending.DEADLOCK:
        assert search.next_execution()
        search.schedule.clear()
        search.operations.clear()
    return search


def test_a_recorded_deadlock_is_repeated() -> None:
    """The same choices end in the same deadlock, after the same steps."""
    recorded = a_deadlock()
    replay = Replay(recorded.schedule, recorded.operations)
    assert Kernel(replay).run(Benchmark(philosophers(3))) is Ending.DEADLOCK
    assert replay.share_done() == 1
    assert not replay.next_execution()


def test_a_schedule_that_ends_early_cuts_the_execution_off() -> None:
    """A prefix of a schedule is followed, and then nothing is guessed."""
    replay = Replay(a_deadlock().schedule[:3])
    assert Kernel(replay).run(Benchmark(philosophers(3))) is Ending.CUT
    assert not replay.next_execution()


def test_another_operation_is_a_mismatch() -> None:
    """The message says the step, what was recorded, and what is there now."""
    recorded = a_deadlock()
    recorded.operations[4] = ("get", "queue")
    replay = Replay(recorded.schedule, recorded.operations)
    with pytest.raises(ReplayMismatchError, match=r"step 4 .* 'get queue' .* is about to "):
        Kernel(replay).run(Benchmark(philosophers(3)))


def test_a_missing_task_is_a_mismatch() -> None:
    """A task that was not started cannot be chosen."""
    with pytest.raises(ReplayMismatchError, match="only 1 tasks"):
        Kernel(Replay([5])).run(Benchmark(philosophers(3)))


def test_an_ended_task_is_a_mismatch() -> None:
    """A task that has ended cannot be chosen."""

    def main() -> None:
        kp.run_tasks(lambda: None)

    with pytest.raises(ReplayMismatchError, match="has ended"):
        Kernel(Replay([0, 1, 1, 1])).run(main)


def test_a_blocked_task_is_a_mismatch() -> None:
    """A task that was enabled then and is blocked now cannot be chosen."""

    def main() -> None:
        lock = kp.Lock()
        lock.acquire()
        lock.acquire()

    with pytest.raises(ReplayMismatchError, match="blocked"):
        Kernel(Replay([0, 0])).run(main)


def test_an_execution_that_ends_early_is_a_mismatch() -> None:
    """Steps of the schedule that are left over are not forgotten."""
    replay = Replay([0, 0, 0])
    Kernel(replay).run(lambda: None)
    with pytest.raises(ReplayMismatchError, match="after 1 of 3"):
        replay.next_execution()


def test_dpor_notices_a_program_that_is_not_deterministic() -> None:
    """A program that does something else under the same choices ends the search."""
    executions = [0]

    def main() -> None:
        variables = [kp.Variable(), kp.Variable()]
        executions[0] += 1
        variables[executions[0] % 2].store(1)
        kp.run_tasks(lambda: variables[0].store(2), lambda: variables[0].store(3))

    with pytest.raises(ReplayMismatchError):
        explore(lambda: main, Dpor())
