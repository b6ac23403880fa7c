"""`multiprocessing.pool` for a program under check: Pool, ThreadPool and what they return.

Guarantees: map and its relatives submit all their chunks in one step; a result is delivered in one step
of its worker; to wait for it is one step. Functions, arguments and results are pickled, and fail as in
life: at `get()`. A result is unpickled when it is first asked for. A worker that dies is replaced, and its
task lost.

Simplified: imap takes all items at once, where CPython's takes them bit by bit in a thread of its own.

What CPython does: Lib/multiprocessing/pool.py.
"""

from __future__ import annotations

import itertools
import os
from multiprocessing import TimeoutError  # noqa: A004 - CPython's name
from multiprocessing.pool import (  # type: ignore[attr-defined]  # not in the stubs
    ExceptionWithTraceback,
    MaybeEncodingError,
    RemoteTraceback,  # noqa: F401 - found here by name, as what follows, when it is unpickled
    rebuild_exc,  # noqa: F401
)
from typing import TYPE_CHECKING, Any, Self

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.processes.crew import Crew, Outcome, Task, ThreadCrew, pickled
from parallel_cookbook.simulation.processes.spawning import add_finalizer
from parallel_cookbook.simulation.processes.world import own_state
from parallel_cookbook.simulation.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from parallel_cookbook.kernel.operation import Target

# Whatever the program computes, of any type.
# ruff: noqa: ANN401

__all__ = ["Pool", "ThreadPool"]

RUN, CLOSE, TERMINATE = "RUN", "CLOSE", "TERMINATE"


def _is_done(state: int) -> bool:
    return state > 0


class _Work:
    """What a worker calls: a function on one tuple of arguments, or on each of a chunk."""

    def __init__(self, function: Any, calls: Any, kwargs: Any, kind: str) -> None:
        self.function = function
        self.calls = calls
        self.kwargs = kwargs
        self.kind = kind

    def __call__(self, dumps: Callable[[Any], Any]) -> Outcome:
        """Make the calls; return what came of them, pickled, as CPython's workers do."""
        result: Any
        try:
            is_good, result = True, self.result()
        except Exception as error:  # noqa: BLE001 - whatever the program raises
            is_good, result = False, error
            if dumps is pickled:
                result = ExceptionWithTraceback(error, error.__traceback__)
        try:
            return is_good, dumps(result)
        except Exception as error:  # noqa: BLE001 - whatever pickling raises
            return False, dumps(MaybeEncodingError(error, result))

    def result(self) -> Any:
        """Return the result of the one call, or a list of those of all."""
        if self.kind == "apply":
            return self.function(*self.calls, **self.kwargs)
        if self.kind == "star":
            return [self.function(*args) for args in self.calls]
        return [self.function(item) for item in self.calls]


class _Part(Task):
    """One chunk of a job."""

    def __init__(self, job: _Job, number: int, work: _Work | None) -> None:
        self.job = job
        self.number = number
        self.work = work
        self.place = active_kernel().new_target("result")
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None

    def pickle(self) -> bool:
        """Pickle the work; return whether that has gone well."""
        try:
            self.data = self.job.pool._crew.dumps(self.work)  # noqa: SLF001 - its pool
        except Exception as error:  # noqa: BLE001 - whatever pickling raises
            self.fail(error)
            return False
        finally:
            self.work = None
        return True

    def fail(self, error: BaseException) -> None:
        """Take an error for its outcome, in the process that has submitted it."""
        self.error = error
        self.place.state = 1
        self.job.note(self, is_good=False)

    def targets(self, is_good: bool) -> tuple[Target, ...]:
        """Return what a delivery writes."""
        job = self.job
        more: tuple[Target, ...] = () if is_good or job.is_ordered else (job.failures,)
        if job.arrivals is not None:
            more += (job.arrivals,)
        if job.callbacks is not None:
            more += (job.pool._crew.follow_ups().target,)  # noqa: SLF001 - its pool
            return more
        return (self.place, *more)

    def deliver(self, outcome: Outcome) -> None:
        """Take what came of it; who calls back takes it instead, if there is anything to call."""
        self.outcome = outcome
        if self.job.callbacks is not None:
            self.job.pool._crew.follow_ups().add(self.call_back)  # noqa: SLF001 - its pool
        else:
            self.place.state = 1
        self.job.note(self, is_good=outcome[0])

    def call_back(self) -> None:
        """Call back, if it is the last part of the job, and finish it then."""
        job = self.job
        assert job.callbacks is not None  # noqa: S101 - or nobody would call
        job.arrived += 1
        if job.arrived == len(job.parts):
            job.call_back()
        active_kernel().point(Operation("finish", self.place))
        self.place.state = 1

    def value(self) -> Any:
        """Return the result, or raise what the call has raised."""
        if self.error is None and self.outcome is not None:
            is_good, data = self.outcome
            loaded = self.job.pool._crew.loads(data)  # noqa: SLF001 - its pool
            if is_good:
                return loaded
            self.error = loaded
        assert self.error is not None  # noqa: S101 - it has an outcome
        raise self.error


class _Job:
    """What a pool was asked for at once: some parts, and what they come to."""

    def __init__(self, pool: Pool, works: list[_Work], callbacks: Any = None) -> None:
        kernel = self._kernel = active_kernel()
        self.pool = pool
        self.failures = kernel.new_target("failures")
        self.arrivals: Target | None = None
        self.is_ordered = False
        self.failed: _Part | None = None
        """The part that was the first to fail."""
        self.order: list[_Part] = []
        """The parts in the order in which they have come."""
        self.arrived = 0
        self.callbacks = callbacks if callbacks and any(callbacks) else None
        self.parts = [_Part(self, number, work) for number, work in enumerate(works)]
        if self.callbacks is not None:
            pool._crew.follow_ups()  # noqa: SLF001 - its pool

    def submit(self) -> None:
        """Let the workers have the parts. One step."""
        ready = [part for part in self.parts if part.pickle()]
        if self.callbacks is not None:
            for part in self.parts:
                if part not in ready:
                    part.place.state = 0
                    self.pool._crew.follow_ups().add(part.call_back)  # noqa: SLF001 - its pool
        if ready:
            self.pool._crew.submit(ready)  # type: ignore[arg-type]  # noqa: SLF001 - parts are tasks

    def note(self, part: _Part, *, is_good: bool) -> None:
        """Note that an outcome has come, in the step that brings it."""
        self.order.append(part)
        if not is_good and self.failed is None:
            self.failed = part
        if self.arrivals is not None:
            self.arrivals.state += 1

    def call_back(self) -> None:
        """Call what is to be called with the result, or with the exception."""
        raise NotImplementedError


class AsyncResult(_Job):
    """What will come of `apply_async`; see `multiprocessing.pool.AsyncResult`."""

    __module__ = "multiprocessing.pool"

    _known: tuple[bool, Any] | None = None

    def ready(self) -> bool:
        """Whether it has come. One step."""
        if not self.parts:
            return True
        first, *others = (part.place for part in self.parts)
        more = tuple((place, Mode.READ, None) for place in others)
        self._kernel.point(Operation("look at", first, Mode.READ, None, more))
        return self._is_complete()

    def _is_complete(self, _state: int = 0) -> bool:
        return all(part.place.state for part in self.parts)

    def successful(self) -> bool:
        """Whether nothing was raised. Raises ValueError if it has not come. One step."""
        if not self.ready():
            raise ValueError(f"{self!r} not ready")
        return self.failed is None

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has come, or for `timeout` seconds. One step."""
        if not self.parts:
            return
        first, *others = (part.place for part in self.parts)
        if timeout is None:
            more = tuple((place, Mode.READ, _is_done) for place in others)
            self._kernel.point(Operation("wait for", first, Mode.READ, _is_done, more))
            return
        operation = timed(
            self._kernel, "wait for", first, Mode.READ, self._is_complete, max(timeout, 0)
        )
        for place in others:
            operation = operation.extended((place, Mode.READ, None))
        self._kernel.point(operation)
        if not self._is_complete():
            expire(self._kernel, operation)

    def get(self, timeout: float | None = None) -> Any:
        """Wait for the result and return it, or raise what was raised. One step.

        Raises `multiprocessing.TimeoutError` if it does not come within `timeout` seconds.
        """
        self.wait(timeout)
        if not self._is_complete():
            raise TimeoutError
        is_good, value = self._outcome()
        if is_good:
            return value
        raise value

    def _outcome(self) -> tuple[bool, Any]:
        """Return whether it went well, and the result or the exception: the same object each time."""
        if self._known is None:
            try:
                if self.failed is not None:
                    self.failed.value()
                self._known = (True, self._value())
            except Exception as error:  # noqa: BLE001 - whatever the call has raised
                self._known = (False, error)
        return self._known

    def _value(self) -> Any:
        return self.parts[0].value()

    def call_back(self) -> None:
        """Call the callback or the error_callback."""
        assert self.callbacks is not None  # noqa: S101 - or nobody would call
        is_good, value = self._outcome()
        function = self.callbacks[0 if is_good else 1]
        if function:
            function(value)


ApplyResult = AsyncResult


class MapResult(AsyncResult):
    """What will come of `map_async`; see `multiprocessing.pool.MapResult`."""

    __module__ = "multiprocessing.pool"

    def _value(self) -> Any:
        return list(itertools.chain.from_iterable(part.value() for part in self.parts))


class IMapIterator(_Job):
    """The results of `imap`, in the order of the items; see `multiprocessing.pool.IMapIterator`."""

    __module__ = "multiprocessing.pool"

    def __init__(self, pool: Pool, works: list[_Work]) -> None:
        super().__init__(pool, works)
        self.is_ordered = True
        self.given = 0
        """How many parts were handed out."""
        self.rest: list[Any] = []

    def __iter__(self) -> Self:
        return self

    def next(self, timeout: float | None = None) -> Any:
        """Wait for the next result and return it. One step for each chunk."""
        while not self.rest:
            if self.given == len(self.parts):
                raise StopIteration
            self._wait(timeout)
            part = self._next_part()
            self.given += 1
            self.rest = list(part.value())
        return self.rest.pop(0)

    __next__ = next  # noqa: A003 - CPython's name

    def _next_part(self) -> _Part:
        return self.parts[self.given]

    def _wait(self, timeout: float | None) -> None:
        self._wait_on(self.parts[self.given].place, _is_done, timeout)

    def _wait_on(self, target: Target, need: Callable[[int], bool], timeout: float | None) -> None:
        if timeout is None:
            self._kernel.point(Operation("wait for", target, Mode.READ, need))
            return
        operation = timed(self._kernel, "wait for", target, Mode.READ, need, max(timeout, 0))
        self._kernel.point(operation)
        if not need(target.state):
            expire(self._kernel, operation)
            raise TimeoutError


class IMapUnorderedIterator(IMapIterator):
    """The results of `imap_unordered`, as they come."""

    __module__ = "multiprocessing.pool"

    def __init__(self, pool: Pool, works: list[_Work]) -> None:
        super().__init__(pool, works)
        self.arrivals = self._kernel.new_target("arrivals")

    def _next_part(self) -> _Part:
        return self.order[self.given]

    def _wait(self, timeout: float | None) -> None:
        assert self.arrivals is not None  # noqa: S101 - made with it
        given = self.given
        self._wait_on(self.arrivals, lambda state: state > given, timeout)


class Pool:
    """Processes that make calls; see `multiprocessing.Pool`."""

    __module__ = "multiprocessing.pool"

    _kind_of_crew: type[Crew] = Crew

    def __init__(
        self,
        processes: int | None = None,
        initializer: Any = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: Any = None,
    ) -> None:
        self._state = RUN
        if processes is None:
            processes = os.cpu_count() or 1
        if processes < 1:
            raise ValueError("Number of processes must be at least 1")
        if maxtasksperchild is not None and (
            type(maxtasksperchild) is not int or maxtasksperchild <= 0
        ):
            raise ValueError("maxtasksperchild must be a positive int or None")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._processes = processes
        self._crew = self._kind_of_crew(
            self._process_class(context),
            initializer,
            tuple(initargs),
            maxtasksperchild,
            daemon=True,
        )
        for _ in range(processes):
            self._crew.start_worker()
        self._crew.watch(self._replace)
        self._finalizer = add_finalizer(15, self._finish)

    @staticmethod
    def _process_class(context: Any) -> Any:
        if context is None:
            from parallel_cookbook.simulation.processes.context import Process  # noqa: PLC0415 - a cycle

            return Process
        return context.Process

    def _replace(self) -> None:
        """Start a worker in the place of one that has ended."""
        if self._state != TERMINATE and not (self._state == CLOSE and not self._crew.tasks):
            self._crew.start_worker()

    def _finish(self) -> None:
        if self._state != TERMINATE:
            self._state = TERMINATE
            self._crew.terminate()

    # --- asking ---------------------------------------------------------------------------------

    def _check_running(self) -> None:
        if self._state != RUN:
            raise ValueError("Pool not running")

    def _chunks(self, func: Any, iterable: Any, chunksize: int | None, kind: str) -> list[_Work]:
        items = iterable if hasattr(iterable, "__len__") else list(iterable)
        if chunksize is None:
            chunksize, extra = divmod(len(items), self._processes * 4)
            chunksize += bool(extra)
        if not len(items):
            return []
        rest: Iterator[Any] = iter(items)
        chunks = iter(lambda: tuple(itertools.islice(rest, chunksize)), ())
        return [_Work(func, chunk, {}, kind) for chunk in chunks]

    def apply(self, func: Any, args: Any = (), kwds: Any = {}) -> Any:  # noqa: B006 - as CPython
        """Have one call made; wait for it and return its result."""
        return self.apply_async(func, args, kwds).get()

    def apply_async(
        self,
        func: Any,
        args: Any = (),
        kwds: Any = {},  # noqa: B006 - as CPython
        callback: Any = None,
        error_callback: Any = None,
    ) -> AsyncResult:
        """Have one call made; return what will come of it. One step."""
        self._check_running()
        work = _Work(func, args, kwds, "apply")
        result = AsyncResult(self, [work], (callback, error_callback))
        result.submit()
        return result

    def map(self, func: Any, iterable: Any, chunksize: int | None = None) -> Any:
        """Have a call made for each item; wait for all and return the list of their results."""
        return self._map_async(func, iterable, chunksize, "map", None).get()

    def starmap(self, func: Any, iterable: Any, chunksize: int | None = None) -> Any:
        """Do as `map`; each item is a tuple of arguments."""
        return self._map_async(func, iterable, chunksize, "star", None).get()

    def map_async(
        self,
        func: Any,
        iterable: Any,
        chunksize: int | None = None,
        callback: Any = None,
        error_callback: Any = None,
    ) -> MapResult:
        """Have a call made for each item; return what will come of all. One step."""
        return self._map_async(func, iterable, chunksize, "map", (callback, error_callback))

    def starmap_async(
        self,
        func: Any,
        iterable: Any,
        chunksize: int | None = None,
        callback: Any = None,
        error_callback: Any = None,
    ) -> MapResult:
        """Do as `map_async`; each item is a tuple of arguments."""
        return self._map_async(func, iterable, chunksize, "star", (callback, error_callback))

    def _map_async(
        self, func: Any, iterable: Any, chunksize: int | None, kind: str, callbacks: Any
    ) -> MapResult:
        self._check_running()
        result = MapResult(self, self._chunks(func, iterable, chunksize, kind), callbacks)
        result.submit()
        return result

    def imap(self, func: Any, iterable: Any, chunksize: int = 1) -> IMapIterator:
        """Have a call made for each item; iterate over the results in the order of the items."""
        return self._imap(IMapIterator, func, iterable, chunksize)

    def imap_unordered(self, func: Any, iterable: Any, chunksize: int = 1) -> IMapIterator:
        """Have a call made for each item; iterate over the results as they come."""
        return self._imap(IMapUnorderedIterator, func, iterable, chunksize)

    def _imap(self, kind: type[IMapIterator], func: Any, iterable: Any, size: int) -> IMapIterator:
        self._check_running()
        if size < 1:
            raise ValueError(f"Chunksize must be 1+, not {size:n}")
        result = kind(self, self._chunks(func, list(iterable), size, "map"))
        result.submit()
        return result

    # --- the end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Take no more calls; the workers end when all have been made. One step."""
        if self._state == RUN:
            self._state = CLOSE
            self._crew.close()

    def terminate(self) -> None:
        """End the workers wherever they are; what they were asked for never comes."""
        own_state(active_kernel()).finalizers.pop(self._finalizer, None)
        self._finish()

    def join(self) -> None:
        """Wait until the workers have ended. Raises ValueError while calls are taken."""
        if self._state == RUN:
            raise ValueError("Pool is still running")
        if self._state == CLOSE:
            self._crew.join()

    def __reduce__(self) -> Any:
        raise NotImplementedError("pool objects cannot be passed between processes or pickled")

    def __enter__(self) -> Self:
        self._check_running()
        return self

    def __exit__(self, *_error: object) -> None:
        if not active_kernel().is_unwinding:
            self.terminate()


class ThreadPool(Pool):
    """Threads that make calls; see `multiprocessing.pool.ThreadPool`."""

    __module__ = "multiprocessing.pool"

    _kind_of_crew = ThreadCrew

    def __init__(
        self, processes: int | None = None, initializer: Any = None, initargs: Iterable[Any] = ()
    ) -> None:
        super().__init__(processes, initializer, initargs)

    @staticmethod
    def _process_class(_context: Any) -> Any:
        return Thread
