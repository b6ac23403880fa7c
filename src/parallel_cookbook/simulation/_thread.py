"""`_thread` for a program under check.

Guarantees: start_new_thread is one step. A thread that it starts is not waited for at the program's end,
as in CPython, which here makes it a daemon: the program can end at any of its steps.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

import sys
from _thread import TIMEOUT_MAX
from typing import TYPE_CHECKING, Any, NoReturn

from parallel_cookbook.errors import UnsupportedError
from parallel_cookbook.kernel import Killed, Mode, Operation, active_kernel
from parallel_cookbook.simulation.builtin import builtin
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.locals import Local as _local  # noqa: N813 - CPython's name
from parallel_cookbook.simulation.locks import Lock as LockType
from parallel_cookbook.simulation.locks import RLock, allocate_lock
from parallel_cookbook.simulation.registry import ident_of
from parallel_cookbook.simulation.threads import (
    forget_locals,
    get_ident,
    get_native_id,
    live_tasks,
    stack_size,
)
from parallel_cookbook.simulation.uncaught import ExceptHookArgs as _ExceptHookArgs
from parallel_cookbook.simulation.uncaught import excepthook as _excepthook
from parallel_cookbook.simulation.uncaught import report_ignored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parallel_cookbook.kernel import Kernel, Task

error = RuntimeError
allocate = allocate_lock


def _make_task(
    kernel: Kernel,
    function: Callable[..., object],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Task:
    work: list[Any] = [function, args, kwargs]

    def run() -> None:
        function, args, kwargs = work
        work.clear()
        try:
            function(*args, **kwargs)
        except Killed:
            raise
        except BaseException as failure:  # noqa: BLE001 - whatever the program raises
            report_ignored(kernel, function, failure)
        forget_locals(kernel, task)

    task = kernel.new_task(getattr(function, "__name__", "thread"), run)
    return task


@builtin
def start_new_thread(
    _module: str,
    function: Callable[..., object],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None = None,
    /,
) -> int:
    """Run `function` in a new thread; return its number. One step."""
    if not callable(function):
        raise TypeError("first arg must be callable")
    if not isinstance(args, tuple):
        raise TypeError("2nd arg must be a tuple")
    if kwargs is not None and not isinstance(kwargs, dict):
        raise TypeError("optional 3rd arg must be a dictionary")
    kernel = active_kernel()
    task = _make_task(kernel, function, args, kwargs or {})
    task.is_daemon = True
    kernel.start(task)
    return ident_of(task)


start_new = start_new_thread


def exit() -> NoReturn:  # noqa: A001 - CPython's name
    """End the running thread, quietly."""
    raise SystemExit


exit_thread = exit


def interrupt_main(signum: int = 2, /) -> NoReturn:
    """Say that this cannot be checked: the interruption would come between any two instructions."""
    raise UnsupportedError(
        f"_thread.interrupt_main({signum}) cannot be checked: use threading.Event to end the main flow"
    )


def _count() -> int:
    kernel = active_kernel()
    main = kernel.running.group.main
    assert main is not None  # noqa: S101 - each group begins with it
    return len(live_tasks(kernel)) - (main.done.state == 1)


if sys.version_info >= (3, 12):

    def daemon_threads_allowed() -> bool:
        """Whether threads may be daemons: they may."""
        return True

    def _is_main_interpreter() -> bool:
        return True


if sys.version_info >= (3, 13):
    lock = LockType

    class _ThreadHandle:
        """What `start_joinable_thread` returns."""

        def __init__(self) -> None:
            self._kernel = active_kernel()
            self._task: Task | None = None
            self._target = self._kernel.new_target("handle")

        @property
        def ident(self) -> int:
            """The thread's number, 0 before it is started."""
            return ident_of(self._task) if self._task else 0

        def is_done(self) -> bool:
            """Whether the thread has ended. One step."""
            if self._task is None:
                return self._target.state == 1
            self._kernel.demand_life_points()
            self._kernel.point(Operation("look at", self._task.done, Mode.READ))
            return self._task.done.state != 1

        def join(self, timeout: float | None = None) -> None:
            """Wait until the thread has ended, or for `timeout` seconds. One step."""
            kernel, task = self._kernel, self._task
            if task is None:
                if self._target.state:
                    return
                raise RuntimeError("thread not started")
            if task is kernel.running:
                raise RuntimeError("Cannot join current thread")
            if timeout is None or timeout < 0:
                kernel.point(kernel.join_operation(task))
                return
            kernel.demand_life_points()
            operation = timed(kernel, "join", task.done, Mode.READ, _is_ended, timeout)
            kernel.point(operation)
            if not _is_ended(task.done.state):
                expire(kernel, operation)

        def _set_done(self) -> None:
            if self._task is None:
                raise RuntimeError("thread not started")
            self._target.state = 1
            self._task = None

    def _is_ended(state: int) -> bool:
        return state == 2  # noqa: PLR2004 - kernel's ENDED

    def start_joinable_thread(
        function: Callable[[], object],
        handle: _ThreadHandle | None = None,
        daemon: bool = True,
    ) -> _ThreadHandle:
        """Run `function` in a new thread; return its handle. One step."""
        if not callable(function):
            raise TypeError("thread function must be callable")
        if handle is None:
            handle = _ThreadHandle()
        elif not isinstance(handle, _ThreadHandle):
            raise TypeError("'handle' must be a _ThreadHandle")
        if handle._task is not None or handle._target.state:  # noqa: SLF001
            raise RuntimeError("thread already started")
        kernel = active_kernel()
        task = handle._task = _make_task(kernel, function, (), {})  # noqa: SLF001
        task.is_daemon = bool(daemon)
        kernel.start(task)
        return handle

    def _get_main_thread_ident() -> int:
        main = active_kernel().running.group.main
        assert main is not None  # noqa: S101 - each group begins with it
        return ident_of(main)


__all__ = [
    "TIMEOUT_MAX",
    "LockType",
    "RLock",
    "_ExceptHookArgs",
    "_count",
    "_excepthook",
    "_local",
    "allocate",
    "allocate_lock",
    "error",
    "exit",
    "exit_thread",
    "get_ident",
    "get_native_id",
    "interrupt_main",
    "stack_size",
    "start_new",
    "start_new_thread",
]
