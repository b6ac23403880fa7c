"""Lock, RLock, Semaphore and BoundedSemaphore of `multiprocessing`, on those for threads.

Guarantees: what processes share is a lock or semaphore of `simulation/locks.py` and `semaphores.py`, with
its steps; each process has a view of it. Errors are those of `multiprocessing`. A process that ends,
however it does, leaves its locks as they are.

What CPython does: Modules/_multiprocessing/semaphore.c, Lib/multiprocessing/synchronize.py.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation import locks, semaphores
from parallel_cookbook.simulation.processes.memory import Section
from parallel_cookbook.simulation.processes.world import assert_spawning, own_state, share, shared

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

# What processes share is one of several classes, which have little in common.
# ruff: noqa: ANN401

_TOO_OFTEN = "semaphore or lock released too many times"
SEM_VALUE_MAX = 2**31 - 1


class SemLock:
    """What locks and semaphores have in common."""

    __module__ = "multiprocessing.synchronize"

    _core: Any
    """What the processes share."""

    def __init__(self, core: Any, ctx: Any = None) -> None:
        self._core = core
        self._is_fork_ctx = ctx is not None and ctx.get_start_method() == "fork"

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take it; return whether it was taken. One step."""
        section: Section | None = self._core._target.notes  # noqa: SLF001 - ours
        if section is None:
            return self._acquire(block, timeout)
        known = active_kernel().running.sync
        is_taken = self._acquire(block, timeout)
        if is_taken and self._is_entered():
            section.enter(active_kernel(), known)
        return is_taken

    def _acquire(self, block: bool, timeout: float | None) -> bool:
        if not block:
            return bool(self._core.acquire(blocking=False))
        if timeout is None:
            return bool(self._core.acquire())
        return bool(self._core.acquire(timeout=max(timeout, 0)))

    def _is_entered(self) -> bool:
        """Whether the running task has it, and has taken it once only."""
        return False

    def guard(self) -> Callable[[], int | None]:
        """Have it noted who takes it, and what that task knew before.

        Returns who says so of the running task, None if that has not taken it. Only for locks.
        """
        target = self._core._target  # noqa: SLF001 - ours
        if target.notes is None:
            target.notes = Section()
        section: Section = target.notes

        def known() -> int | None:
            is_in = self._is_mine() and section.task is active_kernel().running
            return section.known if is_in else None

        return known

    def _is_mine(self) -> bool:
        return False

    def release(self) -> None:
        """Give it back. One step. Raises ValueError if nobody has taken it."""
        self._core.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __reduce__(self) -> Any:
        popen = assert_spawning(self)
        if self._is_fork_ctx and popen.method != "fork":
            raise RuntimeError(
                "A SemLock created in a fork context is being shared with a process in a"
                " spawn context. This is not supported. Please use the same context to create"
                " multiprocessing objects and Process."
            )
        return _rebuild, (type(self), share(self._core))

    def _look(self) -> int:
        """Return the state of what is shared. One step."""
        kernel = active_kernel()
        kernel.demand_release_points()
        kernel.point(Operation("look at", self._core._target, Mode.WRITE))  # noqa: SLF001
        return int(self._core._target.state)  # noqa: SLF001

    def _is_zero(self) -> bool:
        return self._get_value() == 0

    def _get_value(self) -> int:
        return self._look()


def _rebuild(kind: type[SemLock], number: int) -> SemLock:
    """Return what stands for a lock or a semaphore in the running process."""
    view = object.__new__(kind)
    SemLock.__init__(view, shared(number))
    return view


class Lock(SemLock):
    """A lock that any process may release; see `multiprocessing.Lock`."""

    __module__ = "multiprocessing.synchronize"

    def __init__(self, *, ctx: Any = None) -> None:
        super().__init__(locks.allocate_lock(), ctx)

    def release(self) -> None:
        """Give it back, whoever has taken it. One step. Raises ValueError if it is free."""
        try:
            self._core.release()
        except RuntimeError:
            raise ValueError(_TOO_OFTEN) from None

    def _get_value(self) -> int:
        return 1 - self._look()

    def _is_mine(self) -> bool:
        core = self._core
        return bool(core._target.state) and core._holder is active_kernel().running  # noqa: SLF001

    def _is_entered(self) -> bool:
        return self._is_mine()

    def _count(self) -> int:
        return int(self._is_mine())

    def __repr__(self) -> str:
        return f"<{type(self).__name__}(owner={_owner(self._core._target, self._core._holder)})>"  # noqa: SLF001


class RLock(SemLock):
    """A lock that its owner may take again; see `multiprocessing.RLock`."""

    __module__ = "multiprocessing.synchronize"

    def __init__(self, *, ctx: Any = None) -> None:
        super().__init__(locks.RLock(), ctx)

    def release(self) -> None:
        """Give it back once. Raises AssertionError if another task owns it, or none."""
        try:
            self._core.release()
        except RuntimeError:
            raise AssertionError("attempt to release recursive lock not owned by thread") from None

    def _get_value(self) -> int:
        return 1 - self._look()

    def _is_mine(self) -> bool:
        return bool(self._core._is_owned())  # noqa: SLF001

    def _is_entered(self) -> bool:
        return self._count() == 1

    def _count(self) -> int:
        return int(self._core._recursion_count())  # noqa: SLF001

    def __repr__(self) -> str:
        core = self._core
        owner = _owner(core._target, core._owner)  # noqa: SLF001
        count = self._count() if owner != "None" else 0
        return f"<{type(self).__name__}({owner}, {count})>"


def _owner(target: Any, task: Any) -> str:
    """Return what CPython says of the owner of a lock."""
    me = active_kernel().running
    if not target.state:
        return "None"
    if task is None or task.group is not me.group:
        return "SomeOtherProcess"
    if task is not me:
        return "SomeOtherThread"
    process = own_state(active_kernel()).current
    return process.name if process is not None else "MainProcess"


class _Bounded(semaphores.BoundedSemaphore):
    """A semaphore that has the system's limit, or a lower one."""

    def __init__(self, value: int, limit: int) -> None:
        super().__init__(value)
        self._initial_value = limit


class Semaphore(SemLock):
    """A counter that never falls below 0; see `multiprocessing.Semaphore`."""

    __module__ = "multiprocessing.synchronize"

    def __init__(self, value: int = 1, *, ctx: Any = None) -> None:
        _check_value(value)
        super().__init__(semaphores.Semaphore(value), ctx)

    def get_value(self) -> int:
        """Return the counter. One step."""
        return self._get_value()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}(value={self._core._target.state})>"  # noqa: SLF001


class BoundedSemaphore(Semaphore):
    """A semaphore that is never higher than at the beginning; see `multiprocessing.BoundedSemaphore`."""

    __module__ = "multiprocessing.synchronize"

    def __init__(self, value: int = 1, *, ctx: Any = None) -> None:
        _check_value(value)
        SemLock.__init__(self, _Bounded(value, value), ctx)

    def release(self) -> None:
        """Give it back. One step. Raises ValueError if the counter would be higher than it began."""
        try:
            self._core.release()
        except ValueError:
            raise ValueError(_TOO_OFTEN) from None

    def __repr__(self) -> str:
        core = self._core
        limits = f"value={core._target.state}, maxvalue={core._initial_value}"  # noqa: SLF001
        return f"<{type(self).__name__}({limits})>"


def _check_value(value: int) -> None:
    if not 0 <= value <= SEM_VALUE_MAX:
        raise OSError(22, "Invalid argument") if sys.platform != "win32" else ValueError(value)
