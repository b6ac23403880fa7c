"""Depth-first search of the schedules with few preemptions.

A preemption switches away from a task that could go on. Most bugs show with very few of them: Musuvathi
and Qadeer, "Iterative Context Bounding for Systematic Testing of Multithreaded Programs", PLDI 2007. With
n tasks of k steps in all, c preemptions give at most C(nk, c) (nb + c)! schedules, where b is how often a
task blocks (theorem 1): polynomial in k.

Plain search, with no other reduction: a bound and partial-order reduction together would be unsound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Task


class Bounded:
    """Explores every schedule with at most `max_preemptions` preemptions, those without any first."""

    name: Final = "bounded"
    seed: Final = None
    redundant: Final = 0
    repeats: Final = None

    def __init__(self, max_preemptions: int = 2) -> None:
        if max_preemptions < 0:
            raise ValueError(f"max_preemptions must not be negative: {max_preemptions}")
        self.max_preemptions: Final = max_preemptions
        self.is_exhaustive = False
        """True at the end if the bound never left out a schedule."""
        self._has_left_out = False
        self._is_at_end = False
        self._choices: list[tuple[int, int]] = []
        """For each step: which of the allowed tasks is taken, and how many there are."""
        self._depth = 0
        self._is_closed = False
        self._preemptions = 0

    def choose(self, kernel: Kernel) -> Task | None:
        """Repeat the prefix, then let the running task go on as long as it can."""
        enabled = kernel.enabled()
        if not enabled or self._is_closed:
            return None
        running = kernel.running
        is_interruptible = running in enabled
        if is_interruptible:
            enabled.remove(running)
            enabled.insert(0, running)
            if self._preemptions == self.max_preemptions and len(enabled) > 1:
                self._has_left_out = True
                enabled = [running]
        if self._depth == len(self._choices):
            self._choices.append((0, len(enabled)))
        chosen, _ = self._choices[self._depth]
        self._depth += 1
        self._preemptions += is_interruptible and chosen > 0
        return enabled[chosen]

    def close_round(self, _kernel: Kernel, _first: int) -> bool:
        """Cut the execution off, whose state has come back to what it was; return True: it is covered.

        What could follow is tried, or has been, from where the state was the same.
        """
        self._is_closed = self._depth == len(self._choices)
        return self._is_closed

    def next_execution(self) -> bool:
        """Prepare for the next schedule; False if all within the bound have been explored."""
        self._depth = 0
        self._is_closed = False
        self._preemptions = 0
        while self._choices:
            chosen, total = self._choices.pop()
            if chosen + 1 < total:
                self._choices.append((chosen + 1, total))
                return True
        self._is_at_end = True
        self.is_exhaustive = not self._has_left_out
        return False

    def share_done(self) -> float:
        """Return which part of the bounded tree lies behind, if every branch at a step were as large."""
        if self._is_at_end:
            return 1.0
        share, weight = 0.0, 1.0
        for chosen, total in self._choices:
            weight /= total
            share += weight * chosen
        return share
