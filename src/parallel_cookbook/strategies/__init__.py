"""Who runs next: one strategy a file, each with the paper that it comes from.

| strategy | finds | says |
|---|---|---|
| `Auto` | everything if it can finish, else what the random ones find beside it | exhaustive |
| `Dpor` | everything, one execution for each class of equivalent schedules | exhaustive |
| `Dfs` | everything, each schedule by itself: the judge of `Dpor` | exhaustive |
| `Bounded` | what needs few preemptions | exhaustive if the bound left nothing out |
| `Pct` | bugs that hang on the order of few steps, with a stated probability | never exhaustive |
| `Pos` | what hangs on the order of conflicting steps | never exhaustive |
| `RandomWalk` | what is common | never exhaustive |
| `RoundRobin` | livelocks of tasks that do the same | never exhaustive |
| `Replay` | one schedule again | never exhaustive |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from parallel_cookbook.strategies.auto import Auto
from parallel_cookbook.strategies.bounded import Bounded
from parallel_cookbook.strategies.dfs import Dfs
from parallel_cookbook.strategies.dpor import Dpor
from parallel_cookbook.strategies.pct import Pct
from parallel_cookbook.strategies.pos import Pos
from parallel_cookbook.strategies.random_walk import RandomWalk
from parallel_cookbook.strategies.replay import Replay
from parallel_cookbook.strategies.round_robin import RoundRobin

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Task

__all__ = [
    "Auto",
    "Bounded",
    "Dfs",
    "Dpor",
    "Pct",
    "Pos",
    "RandomWalk",
    "Replay",
    "RoundRobin",
    "Strategy",
]


class Strategy(Protocol):
    """Chooses the schedule of each execution, and says when there is none left.

    Deterministic: the same seed and the same program give the same executions. A strategy sets no limit
    to the length of an execution; its caller does (`Kernel.max_steps`).
    """

    @property
    def name(self) -> str:
        """What `--strategy` calls it."""
        ...

    @property
    def seed(self) -> int | None:
        """Where its random choices come from; None if it makes none."""
        ...

    @property
    def repeats(self) -> int | None:
        """With how many choices of the last execution the next one begins; None if it never says.

        They may be repeated without asking: see `Kernel.run`.
        """
        ...

    @property
    def redundant(self) -> int:
        """How many executions it cut off because others cover them."""
        ...

    @property
    def is_exhaustive(self) -> bool:
        """Whether every class of schedules was explored.

        Only if the caller limited neither the number of the executions nor their length.
        """
        ...

    def choose(self, kernel: Kernel) -> Task | None:
        """Return one of the enabled tasks; None if there is none, or to cut the execution off."""
        ...

    def next_execution(self) -> bool:
        """Prepare for the next execution; False if the search is at its end."""
        ...

    def share_done(self) -> float:
        """Return an estimate of how much of the search is done, from 0 to 1; 0 if it has no end."""
        ...
