"""Repeat one execution: a counterexample is a schedule, and a schedule is a list of task indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parallel_cookbook.errors import ReplayMismatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parallel_cookbook.kernel import Kernel, Task


class Replay:
    """Follows a schedule, and stops when the program does something else than recorded.

    schedule: for each step, the index of the task that was taken.
    operations: for each step, or for the first ones, the kind of its operation and of the operation's
    target; what is not recorded is not compared.

    Where the schedule ends, the execution is cut off if it has not ended by itself.
    """

    name: Final = "replay"
    seed: Final = None
    redundant: Final = 0
    repeats: Final = None
    is_exhaustive: Final = False

    def __init__(self, schedule: Sequence[int], operations: Sequence[tuple[str, str]] = ()) -> None:
        self._schedule = tuple(schedule)
        self._operations = tuple(operations)
        self._step = 0

    def choose(self, kernel: Kernel) -> Task | None:
        """Take the recorded task.

        Raises ReplayMismatchError if it is not there, is not enabled, or is about to do something else.
        """
        step = self._step
        if step == len(self._schedule):
            return None
        index = self._schedule[step]
        recorded = " ".join(self._operations[step]) if step < len(self._operations) else "a step"
        if index >= len(kernel.tasks):
            there = f"there are only {len(kernel.tasks)} tasks"
            raise ReplayMismatchError(_message(step, index, recorded, there))
        task = kernel.tasks[index]
        operation = task.operation
        if operation is None:
            raise ReplayMismatchError(_message(step, index, recorded, f"{task} has ended"))
        now = operation.kind, operation.target.kind
        if step < len(self._operations) and now != self._operations[step]:
            there = f"{task} is about to {operation}"
            raise ReplayMismatchError(_message(step, index, recorded, there))
        if not operation.is_enabled():
            there = f"{task} is blocked: it cannot {operation}"
            raise ReplayMismatchError(_message(step, index, recorded, there))
        self._step = step + 1
        return task

    def next_execution(self) -> bool:
        """Return False: the schedule is done.

        Raises ReplayMismatchError if the execution ended before its schedule.
        """
        step, total = self._step, len(self._schedule)
        self._step = 0
        if step < total:
            raise ReplayMismatchError(
                f"the execution ended after {step} of {total} recorded steps: "
                "the program has changed since the schedule was recorded"
            )
        return False

    def share_done(self) -> float:
        """Return the share of the steps that are done."""
        return self._step / len(self._schedule) if self._schedule else 1.0


def _message(step: int, task: int, recorded: str, there: str) -> str:
    return (
        f"step {step} of the schedule is {recorded!r} of task {task}, and now {there}: "
        "the program has changed since the schedule was recorded"
    )
