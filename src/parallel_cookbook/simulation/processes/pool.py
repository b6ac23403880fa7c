"""`multiprocessing.pool` for a program under check: Pool, ThreadPool and what they return.

Guarantees: map and its relatives submit all their chunks in one step (jobs.py); imap takes its items one
by one, while results come (imap.py). A worker that dies is replaced, and its task lost (crew.py).

What CPython does: Lib/multiprocessing/pool.py.
"""

from __future__ import annotations

import itertools
import os
from multiprocessing.pool import (  # type: ignore[attr-defined]  # not in the stubs
    RemoteTraceback,  # noqa: F401 - found here by name, as what follows, when it is unpickled
    rebuild_exc,  # noqa: F401
)
from typing import TYPE_CHECKING, Any, Self

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation.processes.crew import Crew, ThreadCrew
from parallel_cookbook.simulation.processes.imap import (
    CONTAINERS,
    Feeder,
    IMapIterator,
    IMapUnorderedIterator,
    LazyIterator,
    works_of,
)
from parallel_cookbook.simulation.processes.jobs import AsyncResult, MapResult, Work
from parallel_cookbook.simulation.processes.spawning import add_finalizer
from parallel_cookbook.simulation.processes.world import own_state
from parallel_cookbook.simulation.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Whatever the program computes, of any type.
# ruff: noqa: ANN401

__all__ = ["Pool", "ThreadPool"]

RUN, CLOSE, TERMINATE = "RUN", "CLOSE", "TERMINATE"


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
        crew = self._crew
        has_tasks = crew.tasks or (crew.feeder is not None and crew.feeder.is_busy())
        if self._state == RUN or (self._state == CLOSE and has_tasks):
            crew.start_worker()

    def _finish(self) -> None:
        if self._state != TERMINATE:
            self._state = TERMINATE
            self._crew.terminate()
            if self._crew.feeder is not None:
                self._crew.feeder.join()
            if self._crew.follow_up is not None:
                self._crew.follow_up.stop()

    # --- asking ---------------------------------------------------------------------------------

    def _check_running(self) -> None:
        if self._state != RUN:
            raise ValueError("Pool not running")

    def _chunks(self, func: Any, iterable: Any, chunksize: int | None, kind: str) -> list[Work]:
        items = iterable if hasattr(iterable, "__len__") else list(iterable)
        if chunksize is None:
            chunksize, extra = divmod(len(items), self._processes * 4)
            chunksize += bool(extra)
        if not len(items):
            return []
        rest: Iterator[Any] = iter(items)
        chunks = iter(lambda: tuple(itertools.islice(rest, chunksize)), ())
        return [Work(func, chunk, {}, kind) for chunk in chunks]

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
        work = Work(func, args, kwds, "apply")
        result = AsyncResult(self._crew, [work], (callback, error_callback))
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
        result = MapResult(self._crew, self._chunks(func, iterable, chunksize, kind), callbacks)
        result.submit()
        return result

    def imap(self, func: Any, iterable: Any, chunksize: int = 1) -> Iterator[Any]:
        """Have a call made for each item; iterate over the results in the order of the items."""
        return self._imap(IMapIterator, func, iterable, chunksize)

    def imap_unordered(self, func: Any, iterable: Any, chunksize: int = 1) -> Iterator[Any]:
        """Have a call made for each item; iterate over the results as they come."""
        return self._imap(IMapUnorderedIterator, func, iterable, chunksize)

    def _imap(self, kind: type[IMapIterator], func: Any, iterable: Any, size: int) -> Iterator[Any]:
        self._check_running()
        if size < 1:
            raise ValueError(f"Chunksize must be 1+, not {size:n}")
        works = works_of(func, iterable, size)
        result: IMapIterator
        if type(iterable) in CONTAINERS and (crew := self._crew).feeder is None:
            result = kind(crew, list(works))
            result.submit()
        else:
            result = self._imap_lazily(kind is IMapIterator, works)
        return result if size == 1 else (item for chunk in result for item in chunk)

    def _imap_lazily(self, is_ordered: bool, works: Iterator[Work]) -> IMapIterator:
        crew = self._crew
        result = LazyIterator(crew, is_ordered=is_ordered)
        if crew.feeder is None:
            crew.feeder = Feeder(crew)
        crew.feeder.add(result, works)
        return result

    # --- the end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Take no more calls; the workers end when all have been made. One step."""
        if self._state == RUN:
            self._state = CLOSE
            (self._crew.feeder or self._crew).close()

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
            if self._crew.follow_up is not None:
                self._crew.follow_up.join()

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
