"""Turn and turn about: each task does so many steps, then the next one.

One schedule, no search. It is as fair as can be, and keeps equal tasks in step: what two of them that are
too polite need in order to give way to one another for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Task


class RoundRobin:
    """Performs one execution in which the enabled tasks take turns of `quantum` steps."""

    name: Final = "round-robin"
    seed: Final = None
    redundant: Final = 0
    repeats: Final = None
    is_exhaustive: Final = False

    def __init__(self, quantum: int = 1, max_steps: int | None = None) -> None:
        if quantum < 1:
            raise ValueError(f"quantum must be at least 1: {quantum}")
        self.quantum: Final = quantum
        self.max_steps = max_steps
        """The execution is cut off after so many."""
        self._left = quantum
        """How many steps the running task may still do."""

    def choose(self, kernel: Kernel) -> Task | None:
        """Take the running task as long as it may go on, then the enabled one with the next index."""
        enabled = kernel.enabled()
        if not enabled or (self.max_steps is not None and kernel.depth >= self.max_steps):
            return None
        self._left -= 1
        if self._left >= 0 and kernel.running in enabled:
            return kernel.running
        self._left = self.quantum - 1
        index = kernel.running.index
        return next((task for task in enabled if task.index > index), enabled[0])

    def next_execution(self) -> bool:
        """Return False: there is only one."""
        return False

    def share_done(self) -> float:
        """Return 0: it covers next to nothing."""
        return 0.0
