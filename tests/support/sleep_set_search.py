"""A second judge of the search: depth-first search with sleep sets alone.

Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems", 1996, chapter 5. It tries
every enabled task at every step, apart from those that sleep, so it depends on no reasoning about
races; and it performs exactly one complete execution for each class. It reaches programs that are some
ten times too large for a plain depth-first search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Operation, Task


class SleepSetSearch:
    """Performs one complete execution for each class, and many that are cut off."""

    def __init__(self) -> None:
        self._nodes: list[tuple[list[int], dict[int, Operation]]] = []
        """For each step: the tasks that are left to try, the first one being tried; who sleeps."""
        self._depth = 0

    def choose(self, kernel: Kernel) -> Task | None:
        """Repeat the prefix, then take the first enabled task that does not sleep."""
        depth = self._depth
        enabled = {task.index: task for task in kernel.enabled()}
        if depth == len(self._nodes):
            sleep = self._sleep_after_last(kernel)
            awake = [index for index in enabled if index not in sleep]
            if not awake:
                return None
            self._nodes.append((awake, sleep))
        self._depth = depth + 1
        task = enabled[self._nodes[depth][0][0]]
        assert task.operation is not None
        self._last = task.operation
        return task

    def _sleep_after_last(self, kernel: Kernel) -> dict[int, Operation]:
        if not self._nodes:
            return {}
        return {
            index: operation
            for index in self._nodes[-1][1]
            if (operation := kernel.tasks[index].operation) is not None
            and not operation.conflicts_with(self._last)
        }

    def next_execution(self) -> bool:
        """Prepare for the next execution; False if every class has been explored."""
        self._depth = 0
        while self._nodes:
            left, sleep = self._nodes[-1]
            tried = left.pop(0)
            if left:
                sleep[tried] = self._last
                return True
            self._nodes.pop()
        return False
