"""Make a counterexample easier to read: fewest preemptions, then fewest switches.

A schedule is tried in which a task goes on where it was switched away from; what the others did comes
when it blocks or ends. If the same fault comes out, the schedule is kept, and the next switch is tried,
until no change makes it better (the greedy end of Zeller and Hildebrandt, "Simplifying and Isolating
Failure-Inducing Input", IEEE TSE 28(2), 2002; preemptions first, after Musuvathi and Qadeer, PLDI 2007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parallel_cookbook.check.exploration import Witness

if TYPE_CHECKING:
    from parallel_cookbook.check.execution import Machine
    from parallel_cookbook.check.fault import Fault
    from parallel_cookbook.check.schedule import Step
    from parallel_cookbook.kernel import Kernel, Task

MAX_ATTEMPTS = 500
"""How many schedules are tried at the most."""


def shrink(machine: Machine, fault: Fault, witness: Witness) -> Witness:
    """Return a schedule that leads to the same fault, with no more preemptions and switches.

    `machine` executes the candidates; its visible sites are set to the witness's.
    Cost: 500 executions at the most.
    """
    if fault.kind == "step-limit":
        return witness  # it says nothing about the program, and each attempt would take as long
    machine.set_grain(witness.visible)
    machine.kernel.on_point = None
    order = [task for task, _ in witness.steps]
    best = _try(machine, fault, order)
    if best is None:
        return witness
    attempts = 0
    improved = True
    while improved and attempts < MAX_ATTEMPTS:
        improved = False
        for candidate in _candidates([task for task, _ in best.steps]):
            attempts += 1
            if attempts > MAX_ATTEMPTS:
                break
            found = _try(machine, fault, candidate)
            if found is not None and found.badness < best.badness:
                best = found
                improved = True
                break
    return Witness(tuple(best.steps), witness.visible)


class _Follower:
    """Follows an order of tasks as far as it can; counts what makes a schedule hard to read."""

    def __init__(self, order: list[int]) -> None:
        self._order = order
        self._position = 0
        self.steps: list[Step] = []
        self.preemptions = 0
        self.switches = 0
        self._is_closed = False

    @property
    def badness(self) -> tuple[int, int, int]:
        """What is to be made small, the most important first."""
        return self.preemptions, self.switches, len(self.steps)

    def close_round(self, _kernel: Kernel, _first: int) -> bool:
        """Cut the execution off: with a round too much, no schedule is easier to read."""
        self._is_closed = True
        return True

    def choose(self, kernel: Kernel) -> Task | None:
        """Take the next task of the order that can go on; leave out those that cannot."""
        enabled = {task.index: task for task in kernel.enabled()}
        if not enabled or self._is_closed:
            return None
        task = None
        while self._position < len(self._order) and task is None:
            task = enabled.get(self._order[self._position])
            self._position += 1
        running = kernel.running
        if task is None:
            task = enabled.get(running.index) or next(iter(enabled.values()))
        if task is not running:
            self.switches += 1
            operation = running.operation
            if running.index in enabled and operation is not None and operation.kind != "end":
                self.preemptions += 1
        assert task.operation is not None  # noqa: S101 - an enabled task is about to do something
        self.steps.append((task.index, task.operation.kind[0]))
        return task


def _try(machine: Machine, fault: Fault, order: list[int]) -> _Follower | None:
    """Execute in this order; return what was done if the same fault came out."""
    follower = _Follower(order)
    execution = machine.execute(follower)
    wanted = fault.kind, fault.location, fault.message
    same = any((f.kind, f.location, f.message) == wanted for f in execution.faults)
    return follower if same else None


def _candidates(order: list[int]) -> list[list[int]]:
    """Return orders in which one run of a task is put behind the next run of the task before it."""
    runs: list[list[int]] = []
    for task in order:
        if runs and runs[-1][0] == task:
            runs[-1].append(task)
        else:
            runs.append([task])
    candidates = []
    for first in range(len(runs)):
        for later in range(first + 2, len(runs)):
            if runs[later][0] == runs[first][0]:
                moved = [
                    *runs[: first + 1],
                    runs[later],
                    *runs[first + 1 : later],
                    *runs[later + 1 :],
                ]
                candidates.append([task for run in moved for task in run])
                break
    return candidates
