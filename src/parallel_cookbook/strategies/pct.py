"""Probabilistic concurrency testing: random priorities, and few points at which they change.

Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of
Finding Bugs", ASPLOS 2010, section 3 (algorithm 1). A bug has depth d if it shows whenever d steps come in
a certain order. In a program of n tasks and at most k steps, one execution finds a bug of depth d with a
probability of at least

    1 / (n * k**(d - 1))

A task that waits for another by polling would hold the highest priority for ever. So the guarantee ends,
and a fair random walk begins, when an execution gets longer than any that was seen to end.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Task


class Pct:
    """Explores random schedules without end; the first is a random walk, which learns the length."""

    name: Final = "pct"
    redundant: Final = 0
    repeats: Final = None
    is_exhaustive: Final = False

    def __init__(self, seed: int = 0, depth: int = 3) -> None:
        if depth < 1:
            raise ValueError(f"depth must be at least 1: {depth}")
        self.seed: Final = seed
        self.depth: Final = depth
        self.length = 0
        """k: the number of steps of the longest execution that ended by itself."""
        self._random = random.Random(seed)
        self._priorities: dict[int, float] = {}
        """By uid of the task; above 1 at first, below 1 when it has met a change point."""
        self._changes: dict[int, float] = {}
        """For each step at which the running task's priority falls: to what."""
        self._step = 0
        self._was_cut = False

    def choose(self, kernel: Kernel) -> Task | None:
        """Take the enabled task of the highest priority."""
        enabled = kernel.enabled()
        if not enabled:
            return None
        step = self._step
        self._step = step + 1
        self._was_cut = self._step >= kernel.max_steps
        if step >= self.length:
            return self._random.choice(enabled)
        priorities = self._priorities
        for task in enabled:
            if task.uid not in priorities:
                priorities[task.uid] = 1 + self._random.random()
        chosen = max(enabled, key=lambda task: priorities[task.uid])
        lower = self._changes.get(step)
        if lower is not None:
            priorities[chosen.uid] = lower
            chosen = max(enabled, key=lambda task: priorities[task.uid])
        return chosen

    def next_execution(self) -> bool:
        """Draw new priorities and change points; return True: there is always another execution."""
        if not self._was_cut:
            self.length = max(self.length, self._step)
        self._step = 0
        self._was_cut = False
        self._priorities = {}
        count = min(self.depth - 1, self.length)
        steps = self._random.sample(range(self.length), count)
        self._changes = {step: rank / self.depth for rank, step in enumerate(steps)}
        return True

    def share_done(self) -> float:
        """Return 0: it never knows."""
        return 0.0
