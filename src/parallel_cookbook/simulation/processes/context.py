"""`multiprocessing` and its `context` for a program under check: everything by its usual name.

Every start method is spawn's here. A program may ask for `fork` or `forkserver`, and gets contexts of these
names that start processes as `spawn` does; `get_all_start_methods` names spawn alone.
"""

from __future__ import annotations

import multiprocessing as _real
from multiprocessing.context import AuthenticationError, BufferTooShort, ProcessError, TimeoutError  # noqa: A004 - CPython's name
from typing import Any

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation.processes import conditions as _conditions
from parallel_cookbook.simulation.processes import connection as _connection
from parallel_cookbook.simulation.processes import pool as _pool
from parallel_cookbook.simulation.processes import process as _process
from parallel_cookbook.simulation.processes import queues as _queues
from parallel_cookbook.simulation.processes import semlocks as _semlocks
from parallel_cookbook.simulation.processes import sharedctypes as _sharedctypes
from parallel_cookbook.simulation.processes.world import DEFAULT_METHOD, own_state

# What the methods return and take is as various as multiprocessing.
# ruff: noqa: ANN401, N802

_METHODS = ("fork", "spawn", "forkserver")


class Process(_process.BaseProcess):
    """See `multiprocessing.Process`."""

    __module__ = "multiprocessing.context"


class SpawnProcess(_process.BaseProcess):
    """The Process of the context `spawn`."""

    __module__ = "multiprocessing.context"
    _start_method = "spawn"


class ForkProcess(_process.BaseProcess):
    """The Process of the context `fork`."""

    __module__ = "multiprocessing.context"
    _start_method = "fork"


class ForkServerProcess(_process.BaseProcess):
    """The Process of the context `forkserver`."""

    __module__ = "multiprocessing.context"
    _start_method = "forkserver"


class BaseContext:
    """What processes that belong together are made with; see `multiprocessing.get_context`."""

    __module__ = "multiprocessing.context"

    ProcessError = ProcessError
    BufferTooShort = BufferTooShort
    TimeoutError = TimeoutError
    AuthenticationError = AuthenticationError

    current_process = staticmethod(_process.current_process)
    parent_process = staticmethod(_process.parent_process)
    active_children = staticmethod(_process.active_children)
    cpu_count = staticmethod(_real.cpu_count)

    _method: str | None = None

    def Pipe(self, duplex: bool = True) -> Any:
        """Return the two ends of a new pipe."""
        return _connection.Pipe(duplex)

    def Lock(self) -> Any:
        """Return a new lock."""
        return _semlocks.Lock(ctx=self)

    def RLock(self) -> Any:
        """Return a new lock that its owner may take again."""
        return _semlocks.RLock(ctx=self)

    def Condition(self, lock: Any = None) -> Any:
        """Return a new condition."""
        return _conditions.Condition(lock, ctx=self)

    def Semaphore(self, value: int = 1) -> Any:
        """Return a new semaphore."""
        return _semlocks.Semaphore(value, ctx=self)

    def BoundedSemaphore(self, value: int = 1) -> Any:
        """Return a new semaphore that is never higher than at the beginning."""
        return _semlocks.BoundedSemaphore(value, ctx=self)

    def Event(self) -> Any:
        """Return a new event."""
        return _conditions.Event(ctx=self)

    def Barrier(self, parties: int, action: Any = None, timeout: float | None = None) -> Any:
        """Return a new barrier."""
        return _conditions.Barrier(parties, action, timeout, ctx=self)

    def Queue(self, maxsize: int = 0) -> Any:
        """Return a new queue."""
        return _queues.Queue(maxsize, ctx=self)

    def JoinableQueue(self, maxsize: int = 0) -> Any:
        """Return a new queue that counts what has not been dealt with."""
        return _queues.JoinableQueue(maxsize, ctx=self)

    def SimpleQueue(self) -> Any:
        """Return a new queue without a feeder."""
        return _queues.SimpleQueue(ctx=self)

    def RawValue(self, typecode_or_type: Any, *args: Any) -> Any:
        """Return a new value in shared memory."""
        return _sharedctypes.RawValue(typecode_or_type, *args)

    def RawArray(self, typecode_or_type: Any, size_or_initializer: Any) -> Any:
        """Return a new array in shared memory."""
        return _sharedctypes.RawArray(typecode_or_type, size_or_initializer)

    def Value(self, typecode_or_type: Any, *args: Any, lock: Any = True) -> Any:
        """Return a new value in shared memory, with a lock."""
        return _sharedctypes.Value(typecode_or_type, *args, lock=lock, ctx=self)

    def Array(self, typecode_or_type: Any, size_or_initializer: Any, *, lock: Any = True) -> Any:
        """Return a new array in shared memory, with a lock."""
        return _sharedctypes.Array(typecode_or_type, size_or_initializer, lock=lock, ctx=self)

    def Pool(
        self,
        processes: int | None = None,
        initializer: Any = None,
        initargs: Any = (),
        maxtasksperchild: int | None = None,
    ) -> Any:
        """Return a new pool of processes."""
        return _pool.Pool(processes, initializer, initargs, maxtasksperchild, self.get_context())

    def Manager(self) -> Any:
        """Return a manager that has been started."""
        from parallel_cookbook.simulation.processes.managers import SyncManager  # noqa: PLC0415 - it needs this module

        manager = SyncManager(ctx=self.get_context())
        manager.start()
        return manager

    def freeze_support(self) -> None:
        """Do nothing, as everywhere but in a frozen program on Windows."""

    def get_logger(self) -> Any:
        """Return the logger of `multiprocessing`."""
        return _real.get_logger()

    def allow_connection_pickling(self) -> None:
        """Do nothing: connections can always be pickled."""

    def set_executable(self, executable: Any) -> None:
        """Do nothing: no interpreter is started."""

    def set_forkserver_preload(self, module_names: Any) -> None:
        """Do nothing: there is no server."""

    def get_context(self, method: str | None = None) -> BaseContext:
        """Return the context of a start method. Raises ValueError if there is none."""
        if method is None:
            return self
        if method not in _CONTEXTS:
            raise ValueError(f"cannot find context for {method!r}")
        return _CONTEXTS[method]

    def get_start_method(self, allow_none: bool = False) -> str | None:  # noqa: ARG002 - CPython's
        """Return the start method of this context."""
        return self._method

    def set_start_method(self, method: str | None, force: bool = False) -> None:  # noqa: ARG002
        """Refuse: a context keeps its method."""
        raise ValueError("cannot set start method of concrete context")

    @property
    def reducer(self) -> Any:
        """What pickles for other processes."""
        return _real.reducer


class DefaultContext(BaseContext):
    """The context of those who do not ask for one; a process may choose its start method once."""

    __module__ = "multiprocessing.context"
    Process = Process

    def get_context(self, method: str | None = None) -> BaseContext:
        """Return the context of a start method, by default of the one that was chosen."""
        if method is None:
            method = self.get_start_method()
        return super().get_context(method)

    def set_start_method(self, method: str | None, force: bool = False) -> None:
        """Choose. Raises RuntimeError the second time, unless `force`."""
        state = own_state(active_kernel())
        if state.method is not None and not force:
            raise RuntimeError("context has already been set")
        if method is not None:
            super().get_context(method)
        state.method = method

    def get_start_method(self, allow_none: bool = False) -> str | None:
        """Return what was chosen; if nothing was, choose spawn, unless `allow_none`."""
        state = own_state(active_kernel())
        if state.method is None and not allow_none:
            state.method = DEFAULT_METHOD
        return state.method

    def get_all_start_methods(self) -> list[str]:
        """Return what there is here."""
        return [DEFAULT_METHOD]


class SpawnContext(BaseContext):
    """The context `spawn`."""

    __module__ = "multiprocessing.context"
    _method = "spawn"
    Process = SpawnProcess


class ForkContext(BaseContext):
    """The context `fork`."""

    __module__ = "multiprocessing.context"
    _method = "fork"
    Process = ForkProcess


class ForkServerContext(BaseContext):
    """The context `forkserver`."""

    __module__ = "multiprocessing.context"
    _method = "forkserver"
    Process = ForkServerProcess


_CONTEXTS: dict[str, BaseContext] = {
    "spawn": SpawnContext(),
    "fork": ForkContext(),
    "forkserver": ForkServerContext(),
}
_default_context = DefaultContext()

__all__ = [name for name in dir(_default_context) if not name.startswith("_")]
globals().update((name, getattr(_default_context, name)) for name in __all__)
