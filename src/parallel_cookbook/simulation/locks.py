"""Lock and RLock.

Guarantees: acquire is one step, enabled when the lock is free; release is one step, and a point only if
the program tries or looks at a lock: else the others can do nothing with a held lock but wait. Who waits may
be next: CPython promises no order either. A try (not blocking, or with a time-out) is always enabled,
and conflicts with everything on its lock, because it tells free from held.

An RLock's owner takes and gives it back again and again without a step: nobody else can tell how often
it is held. Who owns it is no step either, for only the asking task could change the answer.

Targets: one for each lock; state 0 is free, 1 is held.
"""

from __future__ import annotations

import _thread
import sys
from typing import TYPE_CHECKING, Any, NoReturn, Self

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.builtin import builtin
from parallel_cookbook.simulation.clock import expire, timed

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel, Target, Task

FREE, HELD = 0, 1
_CAN_CALL = sys.version_info >= (3, 13)


def is_free(state: int) -> bool:
    """Whether a lock in this state can be taken."""
    return state == FREE


def _check_arguments(blocking: Any, timeout: Any) -> None:  # noqa: ANN401
    """Raise what the real lock raises for these arguments."""
    _thread.allocate_lock().acquire(blocking, timeout)


def refuse_pickling(self: object, _protocol: object = None) -> NoReturn:
    """Raise what CPython raises for an object that stands for a lock."""
    kind = type(self)
    raise TypeError(f"cannot pickle '{kind.__module__}.{kind.__qualname__}' object")


class Lock:
    """A lock that any task may release; see `threading.Lock`."""

    __slots__ = ("__weakref__", "_acquire", "_holder", "_kernel", "_release", "_target")
    __module__ = "_thread"
    __reduce_ex__ = refuse_pickling

    _acquire: Operation
    _holder: Task | None
    """Who took it last."""
    _kernel: Kernel
    _release: Operation
    _target: Target

    def __new__(cls) -> Self:
        """Make a lock; before Python 3.13 only `allocate_lock` may."""
        if not _CAN_CALL:
            raise TypeError("cannot create '_thread.lock' instances")
        return allocate_lock()  # type: ignore[return-value]

    def __init_subclass__(cls) -> None:
        raise TypeError("type '_thread.lock' is not an acceptable base type")

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; return whether it was taken. One step."""
        if blocking is True and timeout == -1:
            kernel = self._kernel
            kernel.point(self._acquire)
            self._target.state = HELD
            self._holder = kernel.running
            return True
        return self._acquire_or_not(blocking, timeout)

    def _acquire_or_not(self, blocking: Any, timeout: Any) -> bool:  # noqa: ANN401
        _check_arguments(blocking, timeout)
        if blocking and timeout == -1:
            return self.acquire()
        kernel, target = self._kernel, self._target
        kernel.demand_release_points()
        patience = timeout if blocking else 0
        operation = timed(kernel, "try to acquire", target, Mode.WRITE, is_free, patience)
        kernel.point(operation)
        if target.state:
            expire(kernel, operation)
            return False
        target.state = HELD
        self._holder = kernel.running
        return True

    def release(self) -> None:
        """Give the lock back, whoever has taken it. One step.

        Raises RuntimeError if it is free.
        """
        kernel, target = self._kernel, self._target
        if kernel.is_unwinding:
            return
        if kernel.are_releases_points:
            kernel.point(self._release)
        elif target.state and self._holder is kernel.running:
            kernel.settle(self._release)  # others can only wait for it
        else:
            kernel.demand_release_points()
            kernel.point(self._release)
        if not target.state:
            raise RuntimeError("release unlocked lock")
        target.state = FREE

    def __enter__(self) -> bool:
        kernel = self._kernel
        kernel.point(self._acquire)
        self._target.state = HELD
        self._holder = kernel.running
        return True

    def __exit__(self, *_error: object) -> None:
        kernel, target = self._kernel, self._target
        if self._holder is kernel.running and not (
            kernel.are_releases_points or kernel.is_unwinding or not target.state
        ):
            kernel.settle(self._release)
            target.state = FREE
        else:
            self.release()

    def locked(self) -> bool:
        """Whether somebody holds it. One step."""
        self._kernel.demand_release_points()
        self._kernel.point(Operation("look at", self._target, Mode.READ))
        return self._target.state == HELD

    def _at_fork_reinit(self) -> None:
        self._kernel.point(self._release)
        self._target.state = FREE

    def __repr__(self) -> str:
        held = "locked" if self._target.state else "unlocked"
        return f"<{held} _thread.lock object at {id(self):#x}>"

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked


Lock.__name__ = Lock.__qualname__ = "lock"


@builtin
def allocate_lock(_module: str) -> Lock:
    """Return a new lock; what `threading.Lock` is before Python 3.13."""
    lock: Lock = object.__new__(Lock)
    kernel = lock._kernel = active_kernel()  # noqa: SLF001
    lock._holder = None  # noqa: SLF001
    target = lock._target = kernel.new_target("lock")  # noqa: SLF001
    lock._acquire, lock._release = target.operations or _operations_on(target)  # noqa: SLF001
    return lock


def _operations_on(target: Target) -> tuple[Operation, ...]:
    """Make what can be done to a lock, acquire and release, once for all executions."""
    target.operations = (
        Operation("acquire", target, Mode.WRITE, is_free),
        Operation("release", target),
    )
    return target.operations


class RLock:
    """A lock that its owner may take again; see `threading.RLock`."""

    __slots__ = ("__weakref__", "_acquire", "_count", "_kernel", "_owner", "_release", "_target")
    __module__ = "_thread"
    __reduce_ex__ = refuse_pickling

    _acquire: Operation
    _count: int
    _kernel: Kernel
    _owner: Task | None
    _release: Operation
    _target: Target

    def __new__(cls, *_args: object, **_kwargs: object) -> Self:
        """Make it usable at once: CPython's needs no `__init__` either."""
        self = object.__new__(cls)
        kernel = self._kernel = active_kernel()
        target = self._target = kernel.new_target("rlock")
        self._acquire, self._release = target.operations or _operations_on(target)
        self._owner = None
        self._count = 0
        return self

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock once more; return whether it was taken. One step, none for the owner."""
        if blocking is not True or timeout != -1:
            return self._acquire_or_not(blocking, timeout)
        kernel = self._kernel
        task = kernel.running
        if self._owner is task:
            self._count += 1
            return True
        kernel.point(self._acquire)
        self._target.state = HELD
        self._owner = task
        self._count = 1
        return True

    def _acquire_or_not(self, blocking: Any, timeout: Any) -> bool:  # noqa: ANN401
        _check_arguments(blocking, timeout)
        kernel, target = self._kernel, self._target
        if (blocking and timeout == -1) or self._owner is kernel.running:
            return RLock.acquire(self)
        kernel.demand_release_points()
        patience = timeout if blocking else 0
        operation = timed(kernel, "try to acquire", target, Mode.WRITE, is_free, patience)
        kernel.point(operation)
        if target.state:
            expire(kernel, operation)
            return False
        target.state = HELD
        self._owner = kernel.running
        self._count = 1
        return True

    def release(self) -> None:
        """Give the lock back once. One step when it becomes free.

        Raises RuntimeError if another task owns it, or none.
        """
        kernel = self._kernel
        if kernel.is_unwinding:
            return
        if self._owner is not kernel.running:
            raise RuntimeError("cannot release un-acquired lock")
        if self._count > 1:
            self._count -= 1
            return
        if kernel.are_releases_points:
            kernel.point(self._release)
        else:
            kernel.settle(self._release)  # others can only wait for it
        self._owner = None
        self._count = 0
        self._target.state = FREE

    __enter__ = acquire

    def __exit__(self, *_error: object) -> None:
        self.release()

    def _is_owned(self) -> bool:
        return self._owner is self._kernel.running

    def _recursion_count(self) -> int:
        return self._count if self._owner is self._kernel.running else 0

    def _release_save(self) -> tuple[int, Task | None]:
        kernel = self._kernel
        if kernel.is_unwinding:
            return (self._count, self._owner)
        if self._owner is not kernel.running:
            raise RuntimeError("cannot release un-acquired lock")
        kernel.point(self._release)
        return self._let_go()

    def _let_go(self) -> tuple[int, Task | None]:
        """Become free, in a step of somebody else's; return what `_hold` needs."""
        saved = (self._count, self._owner)
        self._owner = None
        self._count = 0
        self._target.state = FREE
        return saved

    def _acquire_restore(self, saved: tuple[int, Task | None]) -> None:
        self._kernel.point(self._acquire)
        self._hold(saved)

    def _hold(self, saved: tuple[int, Task | None]) -> None:
        self._target.state = HELD
        self._count, self._owner = saved

    def _at_fork_reinit(self) -> None:
        self._kernel.point(self._release)
        self._let_go()

    def __repr__(self) -> str:
        kind = type(self)
        held = "locked" if self._target.state else "unlocked"
        owner = self._owner.uid if self._owner else 0
        return (
            f"<{held} {kind.__module__}.{kind.__qualname__} object "
            f"owner={owner} count={self._count} at {id(self):#x}>"
        )
