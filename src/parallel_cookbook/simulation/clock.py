"""Virtual time: operations that end by themselves after a while, and the clock that they move.

Time costs nothing and says nothing: a delay may last as long as the scheduler likes, so that
`sleep(0.1)`, "to let the other one go first", does not make it go first. In particular the deadlines
of different tasks need not be met in their order.

- An operation with a time-out is always enabled. When it is chosen and its target is not ready, it has
  timed out. So both outcomes are tried wherever both are possible.
- A sleep, and a time-out that expires, move the clock forward by their duration. These moves commute
  (they add whole nanoseconds), so on the clock's target they count as looks, and a look at the clock
  counts as the write: sleeps do not conflict with one another, only with who reads the clock.
- The clock's target is marked as a variable: to sleep is not to synchronise.
"""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING, Any, Final

from parallel_cookbook.kernel import Mode, Operation, Target

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel
    from parallel_cookbook.kernel.operation import Need

NANOSECONDS: Final = 1_000_000_000

_START_NS: Final = 1_700_000_000 * NANOSECONDS
"""The wall clock's time when an execution begins: in November 2023."""

_TICK_NS: Final = 1_000
_MAX_TICK_NS: Final = NANOSECONDS


class Timed(Operation):
    """An operation that waits for its target only for a while.

    It is always enabled; `ready` says in which states of its first target it does not time out. A
    strategy that wants to play fair can hold it back until it is ready or nothing else can be done.
    """

    __slots__ = ("duration_ns", "ready")

    def __init__(  # noqa: PLR0917 - Operation's arguments, and two
        self,
        kind: str,
        target: Target,
        mode: Mode,
        ready: Need | None,
        duration_ns: int,
        more: tuple[tuple[Target, Mode, Need | None], ...] = (),
        need: Need | None = None,
    ) -> None:
        super().__init__(kind, target, mode, need, more)
        self.ready: Final = ready
        """None: it is never ready before its time is up."""
        self.duration_ns: Final = duration_ns

    def extended(self, part: tuple[Target, Mode, Need | None]) -> Operation:
        """Return the same operation on one more target."""
        more = (*self.more, part)
        return Timed(
            self.kind, self.target, self.mode, self.ready, self.duration_ns, more, self.need
        )


class Clock:
    """The virtual clock of one execution."""

    __slots__ = ("_last_reader", "_look", "_tick_ns", "now_ns", "part", "target")

    def __init__(self, kernel: Kernel) -> None:
        self.target: Final = kernel.shared_target("clock", is_variable=True)
        self.part: Final = (self.target, Mode.READ, None)
        """For an operation that may move the clock."""
        self.now_ns = 0
        """Since the execution began."""
        self._look = Operation("look at", self.target, Mode.WRITE)
        self._last_reader: tuple[int, int] = (-1, 0)
        self._tick_ns = _TICK_NS

    def read(self, kernel: Kernel) -> int:
        """Return how many nanoseconds have passed since the execution began: a step.

        Each look takes some time itself, and the longer the same task does nothing but look, the more:
        a loop that waits for the clock ends.
        """
        kernel.point(self._look)
        task = kernel.running
        if self._last_reader == (task.index, task.steps - 1):
            self._tick_ns = min(2 * self._tick_ns, _MAX_TICK_NS)
        else:
            self._tick_ns = _TICK_NS
        self._last_reader = (task.index, task.steps)
        self.now_ns += self._tick_ns
        return self.now_ns

    def read_wall(self, kernel: Kernel) -> int:
        """Return the nanoseconds since 1970: a step."""
        return _START_NS + self.read(kernel)


def clock_of(kernel: Kernel) -> Clock:
    """Return the clock of the present execution."""
    clock = kernel.state.get("clock")
    if clock is None:
        clock = kernel.state["clock"] = Clock(kernel)
    return clock


def to_ns(seconds: Any) -> int:  # noqa: ANN401 - whatever number the program gives
    """Return a duration in whole nanoseconds, at least 0."""
    nanoseconds: int = round(seconds * NANOSECONDS)
    return max(0, nanoseconds)


def timed(  # noqa: PLR0917 - what an operation and its time-out consist of
    kernel: Kernel,
    kind: str,
    target: Target,
    mode: Mode,
    ready: Need,
    timeout_s: Any,  # noqa: ANN401
    need: Need | None = None,
) -> Operation:
    """Make the operation that waits on `target` until `ready` or for `timeout_s`.

    With no time to spend it is a plain try, which does not touch the clock. Raises what a real lock
    raises for a time-out that is no number, or too large.
    """
    duration_ns = 0
    if timeout_s > 0:
        _thread.allocate_lock().acquire(True, timeout_s)  # noqa: FBT003 - the real one's argument
        duration_ns = to_ns(timeout_s)
    if not duration_ns:
        return Operation(kind, target, mode, need)
    return Timed(kind, target, mode, ready, duration_ns, (clock_of(kernel).part,), need)


def expire(kernel: Kernel, operation: Operation) -> None:
    """Note down that an operation, just performed, was in vain: if it had time, that has passed."""
    if isinstance(operation, Timed):
        clock_of(kernel).now_ns += operation.duration_ns
    kernel.note_expiry(operation)


def sleep(kernel: Kernel, seconds: Any) -> None:  # noqa: ANN401
    """Let virtual time pass: one step, which never blocks and synchronises with nobody."""
    clock = clock_of(kernel)
    duration_ns = to_ns(seconds)
    kernel.point(Timed("sleep on", clock.target, Mode.READ, None, duration_ns))
    clock.now_ns += duration_ns
