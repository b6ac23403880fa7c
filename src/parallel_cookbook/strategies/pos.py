"""Partial order sampling: a random priority for each operation, drawn again when it loses a race.

Yuan, Yang and Gu, "Partial Order Aware Concurrency Sampling", CAV 2018, algorithm 2. A random walk samples
schedules, and most schedules are equivalent: it meets some orders of conflicting operations hardly ever.
Here each pending operation keeps its priority while others run, so that one which waits behind m steps of
another task does so with probability 1 / (m + 1) instead of 2**-m; and those that conflict with the
operation just performed draw again, so that what lost one race may win the next.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Task


class Pos:
    """Explores random schedules without end, and may repeat itself."""

    name: Final = "pos"
    redundant: Final = 0
    repeats: Final = None
    is_exhaustive: Final = False

    def __init__(self, seed: int = 0) -> None:
        self.seed: Final = seed
        self._random = random.Random(seed)
        self._priorities: dict[int, float] = {}
        """Of each task's pending operation, by the uid of the task."""

    def choose(self, kernel: Kernel) -> Task | None:
        """Take the enabled operation of the highest priority."""
        enabled = kernel.enabled()
        if not enabled:
            return None
        priorities = self._priorities
        for task in enabled:
            if task.uid not in priorities:
                priorities[task.uid] = self._random.random()
        chosen = max(enabled, key=lambda task: priorities[task.uid])
        del priorities[chosen.uid]
        operation = chosen.operation
        for task in enabled:
            other = task.operation
            if other is None or operation is None or task is chosen:
                continue
            if other.conflicts_with(operation):
                del priorities[task.uid]
        return chosen

    def next_execution(self) -> bool:
        """Forget all priorities; return True: there is always another execution."""
        self._priorities = {}
        return True

    def share_done(self) -> float:
        """Return 0: it never knows."""
        return 0.0
