"""The default: an exhaustive search while it may finish, and a portfolio of random ones beside it.

A small program is proven by `Dpor` alone. In a large one a depth-first search stays for ever near the
schedule that it began with, and a bug that needs an early switch is out of its reach; so from a certain
number of executions on, half of them are given to PCT, POS and a random walk in turn. Each finds
bugs that the others miss (Thomson, Donaldson, Betts, "Concurrency Testing Using Controlled Schedulers: An
Empirical Study", ACM TOPC 2(4), 2016, sections 6 and 7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parallel_cookbook.strategies.dpor import Dpor
from parallel_cookbook.strategies.pct import Pct
from parallel_cookbook.strategies.pos import Pos
from parallel_cookbook.strategies.random_walk import RandomWalk

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Task

EXHAUSTIVE_ALONE = 2000
"""So many executions belong to the exhaustive search alone."""
TURN = 50
"""So many executions, one after the other, belong to one strategy after that."""


class Auto:
    """Explores every class if it can, and looks for bugs elsewhere too as long as it has not."""

    name: Final = "auto"

    def __init__(self, seed: int = 0) -> None:
        self.seed: Final = seed
        self._exhaustive = Dpor()
        self._portfolio = (Pct(seed), Pos(seed), RandomWalk(seed))
        self._executions = 0
        self.repeats = 0
        self._current: Dpor | Pct | Pos | RandomWalk = self._exhaustive

    @property
    def redundant(self) -> int:
        """How many executions the exhaustive search cut off."""
        return self._exhaustive.redundant

    @property
    def is_exhaustive(self) -> bool:
        """Whether the exhaustive search has come to its end."""
        return self._exhaustive.is_exhaustive

    def choose(self, kernel: Kernel) -> Task | None:
        """Ask the strategy to which this execution belongs."""
        return self._current.choose(kernel)

    def close_round(self, kernel: Kernel, first: int) -> bool:
        """Ask the exhaustive search, if the execution belongs to it; the others go on."""
        is_exhaustive = self._current is self._exhaustive
        return is_exhaustive and self._exhaustive.close_round(kernel, first)

    def next_execution(self) -> bool:
        """Give the next execution to a strategy; False once the exhaustive search is at its end."""
        if not self._current.next_execution():
            return False
        self._executions += 1
        turn = (self._executions - EXHAUSTIVE_ALONE) // TURN
        is_random = turn >= 0 and turn % 2 == 0
        following = self._portfolio[turn // 2 % 3] if is_random else self._exhaustive
        # The exhaustive search goes on from its own last execution, not from a random one.
        is_same = following is self._current is self._exhaustive
        self.repeats = self._exhaustive.repeats if is_same else 0
        self._current = following
        return True

    def share_done(self) -> float:
        """Return what the exhaustive search says of itself."""
        return self._exhaustive.share_done()
