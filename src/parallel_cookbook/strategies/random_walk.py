"""Random walk: at each step one of the enabled tasks, each with the same probability.

The plainest random strategy, and the measure of the others. It is fair: a task that stays enabled runs
sooner or later, with probability 1. It favours schedules with many switches between few tasks: a schedule
of s steps with n enabled tasks each has the probability n**-s. Thomson, Donaldson and Betts,
"Concurrency Testing Using Controlled Schedulers", TOPC 2016, found that it does well on small programs.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Task


class RandomWalk:
    """Explores random schedules without end, and may repeat itself."""

    name: Final = "random"
    redundant: Final = 0
    repeats: Final = None
    is_exhaustive: Final = False

    def __init__(self, seed: int = 0) -> None:
        self.seed: Final = seed
        self._random = random.Random(seed)

    def choose(self, kernel: Kernel) -> Task | None:
        """Take any enabled task."""
        enabled = kernel.enabled()
        return self._random.choice(enabled) if enabled else None

    def next_execution(self) -> bool:
        """Return True: there is always another one."""
        return True

    def share_done(self) -> float:
        """Return 0: it never knows."""
        return 0.0
