"""`concurrent.futures.process` for a program under check: ProcessPoolExecutor.

Guarantees: to submit is one step, and one more that starts a worker, as long as there are fewer than
`max_workers`. A worker takes a call, starts it and finishes it in one step each. What cannot be pickled is
the outcome of its future. When a worker dies, all futures that have not finished raise BrokenProcessPool,
and the other workers are ended.

Simplified: each submit starts a worker until there are enough, where CPython's does not if one is idle; a
call can be cancelled until a worker takes it.

What CPython does: Lib/concurrent/futures/process.py.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import traceback
from concurrent.futures.process import (
    BrokenProcessPool,
    _ExceptionWithTraceback,
    _rebuild_exc,  # noqa: F401 - found here by name
    _RemoteTraceback,
)
from functools import partial
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Killed, Operation, active_kernel
from parallel_cookbook.simulation.futures import (
    CANCELLED,
    CANCELLED_AND_NOTIFIED,
    LOGGER,
    PENDING,
    RUNNING,
    Future,
    InvalidStateError,
)
from parallel_cookbook.simulation.pools import Executor
from parallel_cookbook.simulation.processes.crew import Crew, Outcome, Task, pickled
from parallel_cookbook.simulation.threads import _register_atexit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from parallel_cookbook.kernel.operation import Target

# Whatever the program computes, of any type.
# ruff: noqa: ANN401, SLF001 - a future's inner life is that of its executor, too

__all__ = ["BrokenProcessPool", "ProcessPoolExecutor"]

_DIED = (
    "A process in the process pool was terminated abruptly while the future was running or pending."
)
_BROKEN = "A child process terminated abruptly, the process pool is not usable anymore"


class _ProcessFuture(Future):
    """A future whose result comes pickled, and is unpickled in the process that asks for it."""

    __module__ = "concurrent.futures._base"

    def __init__(self, crew: Crew) -> None:
        self._outcome: Outcome | None = None
        self._crew = crew
        self._loaded_exception: BaseException | None = None
        super().__init__()

    def _load(self) -> None:
        if self._outcome is None:
            return
        (is_good, data), self._outcome = self._outcome, None
        loaded = pickle.loads(data)  # noqa: S301 - the program's own
        if is_good:
            self._loaded_result = loaded
        else:
            self._loaded_exception = loaded

    @property
    def _result(self) -> Any:
        self._load()
        return self._loaded_result

    @_result.setter
    def _result(self, result: Any) -> None:
        self._loaded_result = result

    @property
    def _exception(self) -> Any:
        self._load()
        return self._loaded_exception

    @_exception.setter
    def _exception(self, exception: BaseException | None) -> None:
        self._loaded_exception = exception

    def add_done_callback(self, fn: Callable[[Future], object]) -> None:
        """Have `fn` called with the future when it is done, at once if it is. Two steps at most."""
        self._crew.follow_ups()
        super().add_done_callback(fn)


_ProcessFuture.__name__ = _ProcessFuture.__qualname__ = "Future"


def _with_traceback(error: BaseException) -> Any:
    traceback_of_it: Any = error.__traceback__
    return _ExceptionWithTraceback(error, traceback_of_it)


class _Work:
    """What a worker calls: a function on its arguments."""

    def __init__(self, function: Any, args: Any, kwargs: Any) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs

    def __call__(self, dumps: Callable[[Any], Any]) -> Outcome:
        """Make the call; return what came of it, pickled, as CPython's workers do."""
        try:
            is_good, result = True, self.function(*self.args, **self.kwargs)
        except Killed:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the program raises
            is_good, result = False, _with_traceback(error)
        try:
            return is_good, dumps(result)
        except Exception as error:  # noqa: BLE001 - whatever pickling raises
            return False, dumps(_with_traceback(error))


class _Call(Task):
    """A call, and the future of what comes of it."""

    def __init__(self, future: _ProcessFuture) -> None:
        self.future = future

    def targets(self, is_good: bool) -> tuple[Target, ...]:  # noqa: ARG002 - for other kinds of tasks
        """Return what a delivery writes."""
        return (self.future._target,)

    def is_wanted(self) -> bool:
        """Mark the future as running; return whether it was not cancelled. One step."""
        future = self.future
        future._kernel.point(Operation("start work on", future._target))
        if future._target.state == PENDING:
            future._target.state = RUNNING
        elif future._target.state == CANCELLED:
            future._target.state = CANCELLED_AND_NOTIFIED
            future._tell_waiters()
        return future._target.state == RUNNING

    def deliver(self, outcome: Outcome) -> None:
        """Finish the future."""
        if self.future._target.state == RUNNING:
            self.future._outcome = outcome
            self.future._state = "FINISHED"

    def after_delivery(self) -> None:
        """Tell who waits for one of several futures, and leave callbacks to the owner's thread."""
        self.future._tell_waiters()
        crew = self.future._crew
        if crew.follow_up is not None and self.future._done_callbacks:
            crew.kernel.point(Operation("hand over to", crew.follow_up.target))
            crew.follow_up.add(self.future._invoke_callbacks)


class ProcessPoolExecutor(Executor):
    """A number of processes that make calls; see `concurrent.futures.ProcessPoolExecutor`."""

    __module__ = "concurrent.futures.process"

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: Any = None,
        initializer: Any = None,
        initargs: tuple[Any, ...] = (),
        *,
        max_tasks_per_child: int | None = None,
    ) -> None:
        if max_workers is None:
            max_workers = os.cpu_count() or 1
        if max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if max_tasks_per_child is not None:
            if not isinstance(max_tasks_per_child, int):
                raise TypeError("max_tasks_per_child must be an integer")
            if max_tasks_per_child <= 0:
                raise ValueError("max_tasks_per_child must be >= 1")
        if mp_context is None:
            from parallel_cookbook.simulation.processes import context  # noqa: PLC0415 - a cycle

            mp_context = context._default_context.get_context()
        self._max_workers = max_workers
        self._mp_context = mp_context
        start = None if initializer is None else partial(_initialize, initializer)
        self._crew = Crew(mp_context.Process, start, initargs, max_tasks_per_child, daemon=False)
        self._calls: list[_Call] = []
        self._broken: str | bool = False
        self._is_shut = False
        _register_atexit(self.shutdown)

    @property
    def _processes(self) -> dict[int | None, Any]:
        return {member.process.pid: member.process for member in self._crew.members}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Have a call made by one of the processes; return its future.

        Raises RuntimeError after a shutdown, BrokenProcessPool after a worker has died.
        """
        crew = self._crew
        call, error = _Call(_ProcessFuture(crew)), None
        try:
            call.data = pickled(_Work(fn, args, kwargs))
        except Exception as reason:  # noqa: BLE001 - whatever pickling raises
            error = reason
        active_kernel().point(Operation("submit to", crew.target))
        if self._broken:
            raise BrokenProcessPool(self._broken)
        if self._is_shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if error is not None:
            lines = traceback.format_exception(type(error), error, error.__traceback__)
            text: Any = '\n"""\n{}"""'.format("".join(lines))
            error.__cause__ = _RemoteTraceback(text)
            call.future.set_exception(error)
            return call.future
        self._calls.append(call)
        crew.add_here([call])
        if not crew.members:
            crew.watch(self._deal_with_loss)
        if len(crew.members) < self._max_workers:
            crew.start_worker()
        return call.future

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[Any]:
        """Submit a call for each chunk of arguments; iterate over the results in their order."""
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        calls = zip(*iterables, strict=False)
        chunks = iter(lambda: tuple(itertools.islice(calls, chunksize)), ())
        results = super().map(partial(_process_chunk, fn), chunks, timeout=timeout)
        return itertools.chain.from_iterable(results)

    def _deal_with_loss(self) -> None:
        """Replace a worker that has made all its calls; break if one has died."""
        crew = self._crew
        if all(member.has_left for member in crew.members if member.has_ended()):
            if crew.tasks:
                crew.start_worker()
            return
        crew.kernel.point(Operation("break", crew.target))
        self._broken = _BROKEN
        crew.drop_tasks()
        for call in self._calls:
            if call.future._target.state in {PENDING, RUNNING}:
                with contextlib.suppress(InvalidStateError):  # finished meanwhile
                    call.future.set_exception(BrokenProcessPool(_DIED))
        crew.terminate()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; with `wait`, wait until all have been made."""
        crew = self._crew
        if crew.kernel.is_unwinding:
            return
        if not self._is_shut:
            self._is_shut = True
            if cancel_futures:
                crew.kernel.point(Operation("cancel all of", crew.target))
                for call in crew.drop_tasks():
                    call.future.cancel()  # type: ignore[attr-defined]  # its tasks are calls
            crew.close()
        if wait:
            crew.join()


def _initialize(initializer: Any, *args: Any) -> None:
    """Call the initializer in a worker; if it raises, the worker ends, and breaks the pool."""
    try:
        initializer(*args)
    except Killed:
        raise
    except BaseException:  # noqa: BLE001 - whatever the program raises
        LOGGER.critical("Exception in initializer:", exc_info=True)
        raise SystemExit(0) from None


def _process_chunk(function: Any, chunk: Any) -> list[Any]:
    return [function(*args) for args in chunk]
