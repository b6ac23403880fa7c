"""Thread and Timer, and the functions about threads.

Guarantees: start, join and is_alive are one step each, on the thread's task. After start returns the
thread is alive; there is no step in which it says so. To count or list the threads is one step, which
conflicts with each start and each end.

A default name is numbered by the task that creates the thread, see `Registry.number_of_next_thread`.
A thread's name and its default daemon flag are plain attributes, and no steps.

What CPython does: Lib/threading.py.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

import _thread
import sys
import warnings
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Killed, Mode, Operation, active_kernel
from parallel_cookbook.simulation.builtin import builtin
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.conditions import Event
from parallel_cookbook.simulation.locals import forget_local
from parallel_cookbook.simulation.registry import ident_of, native_id_of, registry_of
from parallel_cookbook.simulation.uncaught import report_uncaught

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from parallel_cookbook.kernel import Kernel, Task

UNBORN, ALIVE, ENDED = 0, 1, 2
_EXIT_UID = -1
"""The kernel's own task, which ends the daemons, is no thread."""


def _is_not_alive(state: int) -> bool:
    return state != ALIVE


class Thread:
    """A flow of control; see `threading.Thread`."""

    __module__ = "threading"

    _initialized = False
    _number = ""

    def __init__(
        self,
        group: None = None,
        target: Callable[..., object] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        daemon: bool | None = None,
    ) -> None:
        assert group is None, "group argument must be None for now"  # noqa: S101 - as CPython
        kernel = self._kernel = active_kernel()
        self._name = str(name) if name else self._new_name(kernel, target)
        self._target = target
        self._args = args
        self._kwargs = {} if kwargs is None else kwargs
        self._daemonic = kernel.running.is_daemon if daemon is None else daemon
        self._stderr = sys.stderr
        self._task = kernel.new_task(self._name, self._bootstrap)
        self._initialized = True

    def _new_name(self, kernel: Kernel, target: object) -> str:
        creator = kernel.running
        label = ""
        if creator is not creator.group.main:
            label = getattr(creator.thread, "_number", "") or str(creator.uid)
        number = self._number = registry_of(kernel).number_of_next_thread(creator, label)
        if target is not None:
            try:
                return f"Thread-{number} ({target.__name__})"  # type: ignore[attr-defined]
            except AttributeError:
                pass
        return f"Thread-{number}"

    # --- its life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Let it run, beside its creator. One step. Raises RuntimeError if it was started before."""
        if not self._initialized:
            raise RuntimeError("thread.__init__() not called")
        kernel, task = self._kernel, self._task
        kernel.point_of_life(kernel.start_operation(task))
        if task.done.state != UNBORN:
            raise RuntimeError("threads can only be started once")
        task.thread = self
        task.is_daemon = bool(self._daemonic)
        kernel.launch(task)

    def run(self) -> None:
        """Do what the thread is for; a subclass may have its own."""
        try:
            if self._target is not None:
                self._target(*self._args, **self._kwargs)
        finally:
            # As CPython does: an argument may refer to the thread.
            del self._target, self._args, self._kwargs

    def _bootstrap(self) -> None:
        try:
            self.run()
        except Killed:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the program raises
            report_uncaught(self._kernel, self, error)
        forget_locals(self._kernel, self._task)

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, or for `timeout` seconds. One step.

        Raises RuntimeError if it is the running thread, or not started.
        """
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        kernel, task = self._kernel, self._task
        if task is kernel.running:
            raise RuntimeError("cannot join current thread")
        done = task.done
        if not kernel.knows_start_of(task):
            kernel.demand_life_points()
        if timeout is None:
            if not task.operations:
                task.operations = (Operation("join", done, Mode.READ, _is_not_alive),)
            (operation,) = task.operations
            if done.state == ENDED and not kernel.are_lives_points:
                kernel.settle(operation)  # it has ended for good
            else:
                kernel.point(operation)
        else:
            kernel.demand_life_points()
            operation = timed(kernel, "join", done, Mode.READ, _is_not_alive, max(timeout, 0))
            kernel.point(operation)
            if done.state == ALIVE:
                expire(kernel, operation)
        if done.state == UNBORN:
            raise RuntimeError("cannot join thread before it is started")

    def is_alive(self) -> bool:
        """Whether it has started and not ended. One step, unless it asks itself."""
        assert self._initialized, "Thread.__init__() not called"  # noqa: S101 - as CPython
        return self._look() == ALIVE

    def _look(self) -> int:
        task = self._task
        if task is not self._kernel.running:
            self._kernel.demand_life_points()
            self._kernel.point(Operation("look at", task.done, Mode.READ))
        return task.done.state

    # --- what it is -----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What it is called; no key to anything."""
        assert self._initialized, "Thread.__init__() not called"  # noqa: S101 - as CPython
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        assert self._initialized, "Thread.__init__() not called"  # noqa: S101 - as CPython
        self._name = str(name)
        self._task.name = self._task.group.prefix + self._name

    @property
    def ident(self) -> int | None:
        """Its number; None before it is started. One step, unless it asks itself."""
        assert self._initialized, "Thread.__init__() not called"  # noqa: S101 - as CPython
        return ident_of(self._task) if self._look() else None

    @property
    def native_id(self) -> int | None:
        """The operating system's number for it; None before it is started. One step, as `ident`."""
        assert self._initialized, "Thread.__init__() not called"  # noqa: S101 - as CPython
        return native_id_of(self._task) if self._look() else None

    @property
    def daemon(self) -> bool:
        """Whether the program ends without waiting for it."""
        assert self._initialized, "Thread.__init__() not called"  # noqa: S101 - as CPython
        return self._daemonic

    @daemon.setter
    def daemon(self, daemonic: bool) -> None:
        if not self._initialized:
            raise RuntimeError("Thread.__init__() not called")
        done = self._task.done
        self._kernel.point_of_life(Operation("make daemon", done))
        if done.state != UNBORN:
            raise RuntimeError("cannot set daemon status of active thread")
        self._daemonic = daemonic

    def __hash__(self) -> int:
        # Not by address: a program that goes through a set of threads does the same each time.
        return self._task.uid if self._initialized else object.__hash__(self)

    def __repr__(self) -> str:
        assert self._initialized, "Thread.__init__() was not called"  # noqa: S101 - as CPython
        state = self._task.done.state
        status = ("initial", "started", "stopped")[state]
        if self._daemonic:
            status += " daemon"
        if state:
            status += f" {ident_of(self._task)}"
        return f"<{type(self).__name__}({self._name}, {status})>"

    def isDaemon(self) -> bool:  # noqa: N802 - CPython's name
        """Return `daemon`, and say that this name is old."""
        _warn("isDaemon() is deprecated, get the daemon attribute instead")
        return self.daemon

    def setDaemon(self, daemonic: bool) -> None:  # noqa: N802 - CPython's name
        """Set `daemon`, and say that this name is old."""
        _warn("setDaemon() is deprecated, set the daemon attribute instead")
        self.daemon = daemonic

    def getName(self) -> str:  # noqa: N802 - CPython's name
        """Return `name`, and say that this name is old."""
        _warn("getName() is deprecated, get the name attribute instead")
        return self.name

    def setName(self, name: str) -> None:  # noqa: N802 - CPython's name
        """Set `name`, and say that this name is old."""
        _warn("setName() is deprecated, set the name attribute instead")
        self.name = name


def _warn(message: str) -> None:
    warnings.warn(message, DeprecationWarning, stacklevel=3)


def forget_locals(kernel: Kernel, task: Task) -> None:
    """Give up what `task`, which ends, has put into thread-local objects."""
    registry = registry_of(kernel)
    if registry.locals:
        for reference in registry.locals.pop(task, ()):
            local = reference()
            if local is not None:
                forget_local(local, task)


class Timer(Thread):
    """A thread that calls a function after a while, unless cancelled; see `threading.Timer`."""

    __module__ = "threading"

    def __init__(
        self,
        interval: float,
        function: Callable[..., object],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        Thread.__init__(self)
        self.interval = interval
        self.function = function
        self.args = args if args is not None else []
        self.kwargs = kwargs if kwargs is not None else {}
        self.finished = Event()

    def cancel(self) -> None:
        """Stop it, if it still waits."""
        self.finished.set()

    def run(self) -> None:
        """Wait, then call the function."""
        self.finished.wait(self.interval)
        if not self.finished.is_set():
            self.function(*self.args, **self.kwargs)
        self.finished.set()


class _FoundThread(Thread):
    """The object for a task that this module has not created."""

    def __init__(self, kernel: Kernel, task: Task, name: str) -> None:
        # No call of Thread.__init__, which would create a task.
        self._kernel = kernel
        self._task = task
        self._name = name
        self._daemonic = task.is_daemon
        self._stderr = sys.stderr
        self._initialized = True


class _MainThread(_FoundThread):
    """The object for the main flow."""

    def _set_native_id(self) -> None:
        """Do nothing: its number is that of its task."""


class _DummyThread(_FoundThread):
    """The object for a task that `_thread.start_new_thread` has created."""

    def is_alive(self) -> bool:
        if self._look() == ALIVE or sys.version_info < (3, 13):
            return True
        raise RuntimeError("thread is not alive")

    def join(self, timeout: float | None = None) -> None:  # noqa: ARG002 - Thread's
        if sys.version_info >= (3, 13):
            raise RuntimeError("cannot join a dummy thread")
        raise AssertionError("cannot join a dummy thread")


# --- functions ----------------------------------------------------------------------------------


def main_thread() -> Thread:
    """Return the object for the main flow."""
    kernel = active_kernel()
    registry = registry_of(kernel)
    if registry.main_thread is None:
        task = kernel.running.group.main
        assert task is not None  # noqa: S101 - each group begins with it
        registry.main_thread = task.thread = _MainThread(kernel, task, "MainThread")
    return registry.main_thread  # type: ignore[no-any-return]


def current_thread() -> Thread:
    """Return the object for the running thread."""
    kernel = active_kernel()
    task = kernel.running
    thread = task.thread
    if thread is None:
        if task is task.group.main:
            return main_thread()
        thread = task.thread = _DummyThread(kernel, task, f"Dummy-{task.uid}")
    return thread  # type: ignore[no-any-return]


def currentThread() -> Thread:  # noqa: N802 - CPython's name
    """Return `current_thread()`, and say that this name is old."""
    _warn("currentThread() is deprecated, use current_thread() instead")
    return current_thread()


def live_tasks(kernel: Kernel) -> list[Task]:
    """Return the tasks that are alive: a step, which conflicts with each start and end."""
    kernel.demand_life_points()
    group = kernel.running.group
    kernel.point(Operation("count", group.life))
    return [
        task
        for task in kernel.tasks
        if task.group is group
        and task.done.state == ALIVE
        and task.uid != _EXIT_UID
        and task.effect is None
    ]


def enumerate() -> list[Thread]:  # noqa: A001 - CPython's name
    """Return the threads that are alive. One step."""
    main_thread()
    return [task.thread for task in live_tasks(active_kernel()) if task.thread is not None]


def active_count() -> int:
    """Return how many threads are alive. One step."""
    return len(enumerate())


def activeCount() -> int:  # noqa: N802 - CPython's name
    """Return `active_count()`, and say that this name is old."""
    _warn("activeCount() is deprecated, use active_count() instead")
    return active_count()


@builtin
def get_ident(_module: str) -> int:
    """Return the running thread's number."""
    return ident_of(active_kernel().running)


@builtin
def get_native_id(_module: str) -> int:
    """Return the operating system's number for the running thread."""
    return native_id_of(active_kernel().running)


@builtin
def stack_size(_module: str, size: int = 0, /) -> int:
    """Return the stack size for new threads, and set it: nothing follows from it here.

    Raises what the real function raises for such a size.
    """
    registry = registry_of(active_kernel())
    real = _thread.stack_size(size)
    _thread.stack_size(real)
    old, registry.stack_size = registry.stack_size, size
    return old


# Hooks for tracers are kept, and not called: the tracer's own functions would be controlled code.


def settrace(func: Any) -> None:  # noqa: ANN401
    """Note down a trace function."""
    registry_of(active_kernel()).trace_hook = func


def gettrace() -> Any:  # noqa: ANN401
    """Return the trace function."""
    return registry_of(active_kernel()).trace_hook


def setprofile(func: Any) -> None:  # noqa: ANN401
    """Note down a profile function."""
    registry_of(active_kernel()).profile_hook = func


def getprofile() -> Any:  # noqa: ANN401
    """Return the profile function."""
    return registry_of(active_kernel()).profile_hook


def _register_atexit(func: Callable[..., object], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
    """Have `func` called when the main flow ends; an interface of CPython's own pools."""
    registry = registry_of(active_kernel())
    if registry.is_shutting_down:
        raise RuntimeError("can't register atexit after shutdown")
    registry.atexits.append(lambda: func(*args, **kwargs))


def shut_down() -> None:
    """Do what the interpreter does when the main flow has ended, before it waits for the threads.

    To be called in the main flow, after the program's last statement.
    """
    registry = registry_of(active_kernel())
    registry.is_shutting_down = True
    for call in reversed(registry.atexits):
        call()
