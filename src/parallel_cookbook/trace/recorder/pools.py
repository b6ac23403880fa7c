"""Record the work of pools and executors: who submits it, who does it when, who waits for its result.

A pool's own pipes, queues and threads are left alone. A piece of work is known in all processes by its
pool's key and by its number there.
"""

from __future__ import annotations

from itertools import count
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import IN_VAIN, REQUEST, RESULT, SUBMIT, WORK
from parallel_cookbook.trace.recorder.patching import replaces
from parallel_cookbook.trace.recorder.places import function_place, getframe, place, place_above
from parallel_cookbook.trace.recorder.shared import key_of
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.things import Local, define_thing, new_thing, next_thing
from parallel_cookbook.trace.recorder.waiting import as_a_whole, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Function = Callable[..., Any]

__tracebackhide__ = True
_next_work = count().__next__


def _shared_pool(kind: str, queue: Any, site: int = 0, capacity: int = 0) -> int:
    """Return the number of the pool whose work goes through this queue."""
    words = vars(queue)
    thing = words.get("_cookbook_pool")
    if not thing:
        words["_cookbook_pool"] = thing = Local(next_thing())
        define_thing(thing, kind, site, capacity, f"pool:{key_of(queue._rlock)}")
    return int(thing)


_thread_pools: dict[int, int] = {}
"""The numbers of pools of threads, by the id of the queue that their work goes through."""


def _pool_of(pool: Any) -> int:
    queue = pool._inqueue
    return (
        _shared_pool("pool", queue) if hasattr(queue, "_rlock") else _thread_pools.get(id(queue), 0)
    )


@replaces("multiprocessing.pool", "Pool.__init__")
def _make_pool(original: Function) -> Function:
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        with as_a_whole():
            original(self, *arguments, **options)

    return __init__


@replaces("multiprocessing.pool", "Pool._setup_queues", "ThreadPool._setup_queues")
def _setup_queues(original: Function) -> Function:
    def _setup_queues(self: Any) -> None:
        original(self)
        site = place_above(getframe(1))
        queue = self._inqueue
        if hasattr(queue, "_rlock"):
            _shared_pool("pool", queue, site)
        else:
            _thread_pools[id(queue)] = new_thing("pool", site)

    return _setup_queues


class _Inbox:
    """A worker's way in: notes when it takes a piece of work. All else is the real queue's."""

    def __init__(self, queue: Any, note: Callable[[Any], None]) -> None:
        self._queue = queue
        self._note = note

    def get(self, *arguments: Any, **options: Any) -> Any:
        item = self._queue.get(*arguments, **options)
        self._note(item)
        return item

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


class _Outbox:
    """A worker's way out: notes when it has done a piece of work."""

    def __init__(self, queue: Any, note: Callable[[Any], None]) -> None:
        self._queue = queue
        self._note = note

    def put(self, item: Any) -> None:
        self._note(item)
        self._queue.put(item)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


@replaces("multiprocessing.pool", "worker")
def _worker(original: Function) -> Function:
    def worker(inqueue: Any, outqueue: Any, *arguments: Any, **options: Any) -> Any:
        is_shared = hasattr(inqueue, "_rlock")
        pool = _shared_pool("pool", inqueue) if is_shared else _thread_pools.get(id(inqueue), 0)
        work: list[tuple[int, int, int, int]] = []

        def taken(task: Any) -> None:
            if task is not None:
                job, piece, function, positional, _named = task
                site = _line_of(function, positional)
                work[:] = [(_take(pool, site, piece, job), site, piece, job)]

        def done(result: Any) -> None:
            if work:
                began, site, piece, job = work.pop()
                flags = 0 if result[2][0] else IN_VAIN
                tape.write_long(WORK, began, pool, site, piece, flags, extra=job)

        return original(_Inbox(inqueue, taken), _Outbox(outqueue, done), *arguments, **options)

    return worker


def _take(pool: int, site: int, piece: int, number: int) -> int:
    """Note that a worker begins a piece of work; return when."""
    began = monotonic_ns()
    tape.write_long(WORK, began, pool, site, piece, REQUEST, began, extra=number)
    return began


def _line_of(function: Any, arguments: tuple[Any, ...] = ()) -> int:
    """Return the line where the program defines what a worker is to call; LIBRARY if it does not."""
    if getattr(function, "__name__", "") in {"mapstar", "starmapstar"} and arguments:
        function = arguments[0][0]
    while hasattr(function, "func") and hasattr(function, "args"):  # a partial
        is_chunk = getattr(function.func, "__name__", "") == "_process_chunk"
        function = function.args[0] if is_chunk and function.args else function.func
    return function_place(function)


def _submitted(pool: Any, result: Any, site: int, pieces: int) -> None:
    vars(result)["_cookbook_work"] = (_pool_of(pool), result._job)
    moment = monotonic_ns()
    tape.write_long(SUBMIT, moment, _pool_of(pool), site, pieces, 0, moment, extra=result._job)


@replaces("multiprocessing.pool", "ApplyResult.__init__")
def _make_result(original: Function) -> Function:
    def __init__(self: Any, pool: Any, *arguments: Any, **options: Any) -> None:
        original(self, pool, *arguments, **options)
        # A MapResult calls this before it knows in how many pieces.
        if type(self).__name__ != "MapResult":
            _submitted(pool, self, place_above(getframe(1)), 1)

    return __init__


@replaces("multiprocessing.pool", "MapResult.__init__")
def _make_map_result(original: Function) -> Function:
    def __init__(
        self: Any, pool: Any, chunksize: int, length: int, *arguments: Any, **options: Any
    ) -> None:
        original(self, pool, chunksize, length, *arguments, **options)
        pieces = -(-length // chunksize) if chunksize > 0 else 0
        _submitted(pool, self, place_above(getframe(1)), pieces)

    return __init__


@replaces("multiprocessing.pool", "IMapIterator.__init__")
def _make_iterator(original: Function) -> Function:
    def __init__(self: Any, pool: Any) -> None:
        original(self, pool)
        _submitted(pool, self, place_above(getframe(1)), -1)

    return __init__


@replaces("multiprocessing.pool", "ApplyResult.wait")
def _wait_for_result(original: Function) -> Function:
    def wait_(self: Any, timeout: float | None = None) -> None:
        _wait_for_work(self, place_above(getframe(1)), lambda _: self.ready(), original, timeout)

    return wait_


@replaces("multiprocessing.pool", "IMapIterator.next", "IMapIterator.__next__")
def _next(original: Function) -> Function:
    def next_(self: Any, timeout: float | None = None) -> Any:
        return _wait_for_work(self, place_above(getframe(1)), lambda _: True, original, timeout)

    return next_


def _wait_for_work(
    result: Any, site: int, succeeded: Callable[[Any], bool], call: Function, timeout: float | None
) -> Any:
    pool, job = vars(result).get("_cookbook_work", (0, -1))
    return wait(
        *(RESULT, pool, site, call, result, timeout),
        is_endless=timeout is None,
        succeeded=succeeded,
        extra=job,
    )


@replaces("concurrent.futures.thread", "ThreadPoolExecutor.__init__")
def _make_thread_executor(original: Function) -> Function:
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        site = place_above(getframe(1))
        vars(self)["_cookbook_thing"] = Local(new_thing("executor", site, self._max_workers))

    return __init__


@replaces("concurrent.futures.thread", "_WorkItem.__init__")
def _make_thread_work(original: Function) -> Function:
    def __init__(self: Any, future: Any, *arguments: Any) -> None:
        original(self, future, *arguments)
        frame = getframe(1)  # `submit`, in which it is made
        executor = frame.f_locals.get("self")
        if executor is None:
            return
        pool, number = vars(executor).get("_cookbook_thing", 0), _next_work()
        vars(future)["_cookbook_work"] = (pool, number)
        moment = monotonic_ns()
        tape.write_long(SUBMIT, moment, pool, place_above(frame), 1, 0, moment, extra=number)

    return __init__


@replaces("concurrent.futures.thread", "_WorkItem.run")
def _run_thread_work(original: Function) -> Function:
    def run(self: Any, *arguments: Any) -> None:
        future = self.future
        pool, number = vars(future).get("_cookbook_work", (0, -1))
        task = self.task if hasattr(self, "task") else (self.fn, self.args)  # since 3.14
        site = _line_of(task[0], task[1])
        began = _take(pool, site, 0, number)
        original(self, *arguments)
        failed = future.cancelled() or future._exception is not None
        tape.write_long(WORK, began, pool, site, 0, IN_VAIN if failed else 0, extra=number)

    return run


class _Pending(dict):  # type: ignore[type-arg]
    """An executor's work that waits: notes the number that each piece gets."""

    def __init__(self, pool: int) -> None:
        super().__init__()
        self._pool = pool

    def __setitem__(self, number: int, item: Any) -> None:
        vars(item.future)["_cookbook_work"] = (self._pool, number)
        site, moment = place_above(getframe(1)), monotonic_ns()
        tape.write_long(SUBMIT, moment, self._pool, site, 1, 0, moment, extra=number)
        super().__setitem__(number, item)


@replaces("concurrent.futures.process", "ProcessPoolExecutor.__init__")
def _make_process_executor(original: Function) -> Function:
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        with as_a_whole():
            original(self, *arguments, **options)
        site = place_above(getframe(1))
        pool = _shared_pool("executor", self._call_queue, site, self._max_workers)
        self._pending_work_items = _Pending(pool)

    return __init__


@replaces("concurrent.futures.process", "_process_worker")
def _process_worker(original: Function) -> Function:
    def _process_worker(call_queue: Any, result_queue: Any, *arguments: Any) -> Any:
        pool = _shared_pool("executor", call_queue)
        work: list[tuple[int, int, int]] = []

        def taken(item: Any) -> None:
            if item is not None:
                site = _line_of(item.fn, item.args)
                work[:] = [(_take(pool, site, 0, item.work_id), site, item.work_id)]

        def done(result: Any) -> None:
            if work:
                began, site, number = work.pop()
                flags = 0 if getattr(result, "exception", None) is None else IN_VAIN
                tape.write_long(WORK, began, pool, site, 0, flags, extra=number)

        return original(_Inbox(call_queue, taken), _Outbox(result_queue, done), *arguments)

    return _process_worker


@replaces("concurrent.futures._base", "Future.result", "Future.exception")
def _result(original: Function) -> Function:
    def result(self: Any, timeout: float | None = None) -> Any:
        pool, number = vars(self).get("_cookbook_work", (0, -1))
        site = place_above(getframe(1))
        if not pool:
            return original(self, timeout)
        return wait(
            *(RESULT, pool, site, original, self, timeout), is_endless=timeout is None, extra=number
        )

    return result


@replaces("concurrent.futures._base", "wait")
def _wait_for_futures(original: Function) -> Function:
    def wait_(fs: Any, *arguments: Any, **options: Any) -> Any:
        site = place(getframe(1))
        is_endless = not arguments and options.get("timeout") is None
        return wait(
            RESULT, 0, site, lambda: original(fs, *arguments, **options), is_endless=is_endless
        )

    return wait_
