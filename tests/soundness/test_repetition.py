"""What an execution repeats is as if it had been noted down again: nothing is lost, nothing is left over.

A depth-first search takes back the notes of its last steps, and keeps those of the first ones
(kernel/record.py). Here each such execution is performed a second time with all notes, and all is compared.
"""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

import kernel_primitives as kp
from parallel_cookbook.check.execution import Machine
from parallel_cookbook.check.program import Entry
from parallel_cookbook.kernel import Kernel
from parallel_cookbook.strategies import Dpor, Replay
from random_processes import random_process_program
from random_programs import random_program
from simulated_programs import SIMULATED_FAMILIES, simulated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parallel_cookbook.kernel import Target, Task

SEED = os.environ.get("SOUNDNESS_SEED", "0")
PROGRAMS = int(os.environ.get("SOUNDNESS_PROGRAMS", "1000")) // 5
EXECUTIONS = 60


def notes(kernel: Kernel) -> dict[object, Any]:
    """Return all that was noted down of an execution."""
    record = kernel.record
    found: dict[object, Any] = {
        "choices": record.choices,
        "pasts": record.pasts,
        "position": kernel.position,
    }
    for task in kernel.tasks:
        assert task.uid < 0 or len(task.positions) == task.steps
        found[task.uid] = of_task(task)
    for key, target in record._targets.items():
        if target.history or target.last:
            found[key] = of_target(target)
    return found


def of_task(task: Task) -> tuple[Any, ...]:
    """Return what was noted down of a task."""
    return task.past, task.sync, task.positions, task.start_position, task.steps, task.changes


def of_target(target: Target) -> tuple[Any, ...]:
    """Return what was noted down of a target."""
    ordered = (target.last, target.last_write, target.sync, target.sync_write)
    return (*ordered, target.history, target.state)


def compare(program: Callable[[], Any]) -> int:
    """Explore a program; return how many steps were repeated without notes."""
    search = Dpor()
    kernel = Kernel(search)
    repeated = 0
    for _ in range(EXECUTIONS):
        repeated += search.repeats
        kernel.run(program(), search.repeats)
        judge = Kernel(Replay([index for index, _ in kernel.record.choices]))
        judge.record.keeps_pasts = True
        judge._uids = dict(kernel._uids)  # numbers are given in the order of all executions
        judge.run(program())
        assert notes(kernel) == notes(judge)
        judge.close()
        if not search.next_execution():
            break
    kernel.close()
    return repeated


@pytest.mark.timeout(300)
def test_notes_of_repeated_steps_are_those_of_the_steps_themselves() -> None:
    """Random programs on the kernel, and on the simulation."""
    repeated = 0
    for i in range(PROGRAMS):
        repeated += compare(random_program(f"repetition/{SEED}/{i}", 6))
        family = SIMULATED_FAMILIES[i % len(SIMULATED_FAMILIES)]
        repeated += compare(
            simulated(random_program(f"repetition/{SEED}/{i}", 4, (family, "locks")))
        )
    assert repeated > 20 * PROGRAMS


class _InTurn:
    """Lets the tasks go on in turn, and never repeats an execution."""

    def choose(self, kernel: Kernel) -> Task | None:
        enabled = kernel.enabled()
        return enabled[kernel.position % len(enabled)] if enabled else None


@pytest.mark.parametrize("repeats", [None, 0])
def test_a_long_execution_needs_little_memory(repeats: int | None) -> None:
    """Its notes grow with its length, whether or not they might be taken back; not with the square."""

    def main() -> None:
        variable = kp.Variable()

        def work() -> None:
            for _ in range(10_000):
                variable.store(1)

        tasks = [kp.start(work) for _ in range(2)]
        for task in tasks:
            kp.join(task)

    kernel = Kernel(_InTurn())
    tracemalloc.start()
    try:
        kernel.run(main, repeats)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        kernel.close()
    assert kernel.position > 20_000
    assert peak < 30_000_000


def compare_processes(file: Path) -> int:
    """Explore a program of processes as the check does; return how many steps were repeated."""
    search, machine = Dpor(), Machine(Entry(file), max_steps=2000)
    repeated = 0
    for _ in range(EXECUTIONS // 3):
        repeated += search.repeats
        machine.execute(search, search.repeats)
        judge = Machine(Entry(file), max_steps=2000)
        judge.set_grain(machine.grain())
        judge.kernel.record.keeps_pasts = True
        judge.kernel._uids = dict(machine.kernel._uids)
        judge.execute(Replay([index for index, _ in machine.kernel.record.choices]))
        if machine.learn():
            search = Dpor()
            continue
        assert notes(machine.kernel) == notes(judge.kernel), file.read_text()
        judge.kernel.close()
        if not search.next_execution():
            break
    machine.kernel.close()
    return repeated


@pytest.mark.timeout(300)
def test_notes_of_repeated_steps_of_processes(tmp_path: Path) -> None:
    """Random programs of processes, whose modules are executed anew each time."""
    repeated = 0
    for i in range(PROGRAMS // 12):
        file = tmp_path / f"program{i}.py"
        file.write_text(random_process_program(f"repetition/{SEED}/{i}"))
        repeated += compare_processes(file)
    assert repeated > PROGRAMS
