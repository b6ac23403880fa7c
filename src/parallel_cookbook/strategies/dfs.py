"""Depth-first search of every schedule, without any reduction.

The plainest exhaustive strategy, and the judge of the others: whatever outcome a program has, this finds
it. The number of schedules grows exponentially with the number of steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Task


class Dfs:
    """Explores every schedule of a program, in lexicographic order of task indexes."""

    name: Final = "dfs"
    seed: Final = None
    redundant: Final = 0
    repeats: Final = None

    def __init__(self) -> None:
        self.is_exhaustive = False
        self._choices: list[tuple[int, int]] = []
        """For each step: which of the enabled tasks is taken, and how many there are."""
        self._depth = 0
        self._is_closed = False

    def choose(self, kernel: Kernel) -> Task | None:
        """Repeat the prefix, then always take the first enabled task."""
        enabled = kernel.enabled()
        if not enabled or self._is_closed:
            return None
        if self._depth == len(self._choices):
            self._choices.append((0, len(enabled)))
        chosen, _ = self._choices[self._depth]
        self._depth += 1
        return enabled[chosen]

    def close_round(self, _kernel: Kernel, _first: int) -> bool:
        """Cut the execution off, whose state has come back to what it was; return True: it is covered.

        What could follow is tried, or has been, from where the state was the same.
        """
        self._is_closed = self._depth == len(self._choices)
        return self._is_closed

    def next_execution(self) -> bool:
        """Prepare for the next schedule; False if all have been explored."""
        self._depth = 0
        self._is_closed = False
        while self._choices:
            chosen, total = self._choices.pop()
            if chosen + 1 < total:
                self._choices.append((chosen + 1, total))
                return True
        self.is_exhaustive = True
        return False

    def share_done(self) -> float:
        """Return which part of the tree lies behind, if every branch at a step were as large.

        Never falls. Knuth, "Estimating the Efficiency of Backtrack Programs", 1975.
        """
        if self.is_exhaustive:
            return 1.0
        share, weight = 0.0, 1.0
        for chosen, total in self._choices:
            weight /= total
            share += weight * chosen
        return share
