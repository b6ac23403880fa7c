"""The thread of a pool's owner that calls back what a worker, in its own process, cannot call.

Guarantees: one call after the other, in the order in which results come. Whoever joins the pool waits for all
of them; whoever terminates it waits for the one that is being made, and the others are forgotten.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from parallel_cookbook.kernel import Mode, Operation
from parallel_cookbook.simulation.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel import Kernel, Task


def _is_waiting(state: int) -> bool:
    return state > 1


def _is_zero(state: int) -> bool:
    return state == 0


class FollowUp:
    """A thread of the pool's owner that calls back what a worker, in its own process, cannot."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.target = kernel.new_target("results")
        """Its state is twice the number of calls that wait, and 1 more while one is made."""
        self._calls: deque[Callable[[], object]] = deque()
        self._task: Task | None = None
        Thread(target=self._live, name="Thread (_handle_results)", daemon=True).start()

    def add(self, call: Callable[[], object]) -> None:
        """Have something called, in a step of the caller's that writes the target."""
        self._calls.append(call)
        self.target.state += 2

    def join(self) -> None:
        """Wait until all calls are made. One step, none in one of these calls."""
        if self._kernel.running is not self._task:
            self._kernel.point(Operation("wait for", self.target, Mode.READ, _is_zero))

    def stop(self) -> None:
        """Forget the calls that wait, and wait for the one that is made. Two steps."""
        self._kernel.point(Operation("stop", self.target))
        self._calls.clear()
        self.target.state &= 1
        self.join()

    def _live(self) -> None:
        kernel, target = self._kernel, self.target
        self._task = kernel.running
        while True:
            kernel.point(Operation("serve", target, Mode.WRITE, _is_waiting))
            target.state -= 1
            self._calls.popleft()()
            # Others can only wait for that.
            kernel.settle(Operation("have called back", target))
            target.state -= 1
