"""Whether tasks of an answer can be under way at the same time, or it has given up concurrency.

Two stretches of two tasks can overlap if neither must have ended before the other begins: if no chain of
synchronisation leads from the end of one to the beginning of the other. That is asked of what happened in
single executions, so it does not depend on how their steps came to lie in time.

A stretch is the life of a task; or, where an exercise names the place where its work is done, a call of that
function: threads that live at the same time, but take turns in working, are not concurrent there.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parallel_cookbook.errors import CookbookError
from parallel_cookbook.practice.judge import ENTER, Judge, JudgedMachine
from parallel_cookbook.strategies import RandomWalk, RoundRobin, Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.check import Entry
    from parallel_cookbook.kernel import Task

_WALKS = 100
"""So many random executions are looked at after the first few."""


@dataclass(slots=True)
class _Call:
    """A call of the watched function."""

    task: Task
    known: int
    """The positions of all steps that its task knew of when it began, by synchronisation."""
    steps: int = -1
    """How many steps its task had done when it ended; -1 while it lasts."""


class Overlap:
    """Looks for two tasks of one program that can be under way, or in one function, at the same time."""

    def __init__(self, entry: Entry, place: str, *, max_steps: int) -> None:
        """Watch `place`, a function or method that the exercise keeps; if empty, the tasks themselves."""
        self._calls: list[_Call] = []
        judge = Judge((), visited=place, on_visit=self._on_visit, needs_end=False)
        self._machine = JudgedMachine(entry, judge=judge, max_steps=max_steps)
        self._place = place

    def exists(self, grain: frozenset[str], is_out_of_time: Callable[[], bool]) -> bool:
        """Return whether an execution was found in which two tasks overlap; looks at some hundred.

        grain: what is a scheduling point: see `Machine.grain`.
        """
        self._machine.set_grain(grain)
        try:
            for strategy in _strategies():
                if is_out_of_time():
                    break
                self._calls.clear()
                with contextlib.suppress(CookbookError):
                    self._machine.execute(strategy)
                if self._calls_overlap() if self._place else self._tasks_overlap():
                    return True
            return False
        finally:
            self._machine.kernel.close()

    def _on_visit(self, what: str) -> None:
        task = self._machine.kernel.running
        if what == ENTER:
            self._calls.append(_Call(task, task.sync))
            return
        for call in reversed(self._calls):
            if call.task is task and call.steps < 0:
                call.steps = len(task.positions)
                return

    def _calls_overlap(self) -> bool:
        return any(
            one.task is not other.task and not (_precedes(one, other) or _precedes(other, one))
            for number, one in enumerate(self._calls)
            for other in self._calls[:number]
        )

    def _tasks_overlap(self) -> bool:
        tasks = [
            task
            for task in self._machine.kernel.tasks
            if task.index and task.uid >= 0 and task.effect is None and not task.is_helper
        ]
        return any(
            not (_ends_before(one, other) or _ends_before(other, one))
            for number, one in enumerate(tasks)
            for other in tasks[:number]
        )


def _strategies() -> Iterator[Strategy]:
    for quantum in (1, 2, 3):
        yield RoundRobin(quantum)
    for seed in range(_WALKS):
        yield RandomWalk(seed)


def _precedes(one: _Call, other: _Call) -> bool:
    """Whether one call must have ended before the other begins."""
    if one.steps < 0:
        return False
    return any(other.known >> position & 1 for position in one.task.positions[one.steps :])


def _ends_before(one: Task, other: Task) -> bool:
    """Whether one task must have ended before the other is started."""
    if not one.positions or other.start_position < one.positions[-1]:
        return False
    return other.sync >> one.positions[-1] & 1 == 1
