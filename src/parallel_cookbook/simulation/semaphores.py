"""Semaphore and BoundedSemaphore.

Guarantees: acquire is one step, enabled while the counter is above 0; release is one step. Whoever
waits may be next: in CPython a notified waiter has to compete with late-comers too.

Targets: one for each semaphore, whose state is its counter. Releases of a plain semaphore add up in any
order, so they count as looks, which do not conflict with one another, and everything else that touches
the counter counts as a write. A bounded one can refuse a release: there, releases write.
"""

from __future__ import annotations

from typing import Any

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.clock import expire, timed


def is_positive(state: int) -> bool:
    """Whether a counter can be lowered."""
    return state > 0


class Semaphore:
    """A counter that never falls below 0; see `threading.Semaphore`."""

    __module__ = "threading"

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        kernel = self._kernel = active_kernel()
        target = self._target = kernel.new_target("semaphore", value)
        self._acquire = Operation("acquire", target, Mode.WRITE, is_positive)
        self._release = Operation("release", target, Mode.READ)

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Lower the counter; return whether it could be. One step."""
        kernel, target = self._kernel, self._target
        if blocking and timeout is None:
            kernel.point(self._acquire)
            target.state -= 1
            return True
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        patience: Any = timeout if blocking else 0
        operation = timed(kernel, "try to acquire", target, Mode.WRITE, is_positive, patience)
        kernel.point(operation)
        if target.state <= 0:
            expire(kernel, operation)
            return False
        target.state -= 1
        return True

    __enter__ = acquire

    def release(self, n: int = 1) -> None:
        """Raise the counter by `n`. One step. Raises ValueError if `n` is less than 1."""
        if n < 1:
            raise ValueError("n must be one or more")
        kernel = self._kernel
        if kernel.is_unwinding:
            return
        kernel.point(self._release)
        self._target.state += n
        self._target.version += 1

    def __exit__(self, *_error: object) -> None:
        self.release()

    @property
    def _value(self) -> int:
        self._kernel.point(Operation("look at", self._target))
        return self._target.state

    def __repr__(self) -> str:
        kind = type(self)
        name = f"{kind.__module__}.{kind.__qualname__}"
        return f"<{name} at {id(self):#x}: value={self._target.state}>"


class BoundedSemaphore(Semaphore):
    """A semaphore that is never higher than at the beginning; see `threading.BoundedSemaphore`."""

    __module__ = "threading"

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._initial_value = value
        self._release = Operation("release", self._target)

    def release(self, n: int = 1) -> None:
        """Raise the counter by `n`. One step.

        Raises ValueError if `n` is less than 1, or if the counter would be higher than it began.
        """
        if n < 1:
            raise ValueError("n must be one or more")
        kernel, target = self._kernel, self._target
        if kernel.is_unwinding:
            return
        kernel.point(self._release)
        if target.state + n > self._initial_value:
            raise ValueError("Semaphore released too many times")
        target.state += n

    def __repr__(self) -> str:
        kind = type(self)
        name = f"{kind.__module__}.{kind.__qualname__}"
        value = f"value={self._target.state}/{self._initial_value}"
        return f"<{name} at {id(self):#x}: {value}>"
