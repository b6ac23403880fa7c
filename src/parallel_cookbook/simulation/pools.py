"""Executor and ThreadPoolExecutor of `concurrent.futures`.

Guarantees: submit is one step, and one more if it starts a thread, which it does, as CPython does, unless
a worker is idle or there are enough. A worker takes its next call in one step, starts it in one and
finishes it in one; it announces that it is idle only as long as more threads could be started.

Targets: one for each pool, written by all of that.

Why not CPython's own Lib/concurrent/futures on simulated locks: it works, and needs 3, 26, 116 and 2,908
executions for 1 call and 1 worker, 2 and 1, 2 and 2, 3 and 2, where this model needs 1, 2, 18 and 98.

What CPython does: Lib/concurrent/futures/thread.py.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures.thread import BrokenThreadPool
from typing import TYPE_CHECKING, Any, Literal

from parallel_cookbook.kernel import Killed, Mode, Operation, active_kernel
from parallel_cookbook.simulation.futures import LOGGER, Future
from parallel_cookbook.simulation.registry import registry_of
from parallel_cookbook.simulation.threads import Thread, _register_atexit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

    from parallel_cookbook.kernel import Kernel

_CLOSING = 1
_ONE_CALL = 2


def _can_take(state: int) -> bool:
    return state > 0


class Executor:
    """What runs calls for others; see `concurrent.futures.Executor`."""

    __module__ = "concurrent.futures._base"

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:  # noqa: ANN401
        """Have a call made; return its future."""
        raise NotImplementedError

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,  # noqa: ARG002 - for pools of processes
    ) -> Iterator[Any]:
        """Submit a call for each tuple of arguments; iterate over the results in their order."""
        futures = [self.submit(fn, *args) for args in zip(*iterables, strict=False)]

        def results() -> Iterator[Any]:
            try:
                futures.reverse()
                while futures:
                    # No name refers to what is handed out while the caller works on it.
                    yield _result_or_cancel(futures.pop(), timeout)
            finally:
                for future in futures:
                    future.cancel()

        return results()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> Literal[False]:
        self.shutdown(wait=True)
        return False


def _result_or_cancel(future: Future, timeout: float | None) -> Any:  # noqa: ANN401
    try:
        return future.result(timeout)
    finally:
        future.cancel()
        del future


class _Pools:
    """All pools of a process, for the end of its main flow."""

    def __init__(self, kernel: Kernel) -> None:
        self.target = kernel.group_target("pools")
        self.pools: list[_Pool] = []
        self.is_closed = False
        _register_atexit(self.close)

    def close(self) -> None:
        """End all pools when the main flow has ended, and wait for their threads."""
        kernel = active_kernel()
        kernel.point(Operation("close", self.target))
        self.is_closed = True
        for pool in self.pools:
            pool.close()
        for pool in self.pools:
            for thread in pool.threads:
                thread.join()


def _pools_of(kernel: Kernel) -> _Pools:
    state = kernel.running.group.state
    pools = state.get("pools")
    if pools is None:
        pools = state["pools"] = _Pools(kernel)
    return pools


class _Pool:
    """What the workers know; they do not keep the executor alive."""

    def __init__(self, max_workers: int, initializer: Any, initargs: tuple[Any, ...]) -> None:  # noqa: ANN401
        kernel = self.kernel = active_kernel()
        self.execution = kernel.state
        self.target = kernel.new_target("pool")
        self.take_operation = Operation("take from", self.target, Mode.WRITE, _can_take)
        self.max_workers = max_workers
        self.initializer = initializer
        self.initargs = initargs
        self.calls: deque[tuple[Future, Any, Any, Any]] = deque()
        self.threads: list[Thread] = []
        self.idle = 0
        self.is_shut = False
        self.broken = ""
        self.all = _pools_of(kernel)
        kernel.point(Operation("add", self.all.target, Mode.READ))
        self.all.pools.append(self)

    def close(self) -> None:
        """Let the workers end when there is nothing left to do. One step."""
        self.kernel.point(Operation("close", self.target))
        self.target.state |= _CLOSING

    def submit(self, call: tuple[Future, Any, Any, Any], prefix: str) -> None:
        """Take a call; start a thread for it if need be."""
        more = ((self.all.target, Mode.READ, None),)
        self.kernel.point(Operation("submit to", self.target, Mode.WRITE, None, more))
        if self.broken:
            raise BrokenThreadPool(self.broken)
        if self.is_shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if self.all.is_closed:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        self.calls.append(call)
        self.target.state += _ONE_CALL
        if self.idle:
            self.idle -= 1
            return
        number = len(self.threads)
        if number < self.max_workers:
            thread = Thread(
                target=self.work,
                name=f"{prefix}_{number}",
                args=(number + 1 == self.max_workers,),
            )
            self.threads.append(thread)
            thread.start()

    def work(self, is_last: bool) -> None:
        """Make calls until the pool is closed: the life of a worker.

        is_last: whether no more threads can be started, so that nobody asks who is idle.
        """
        if self.initializer is not None:
            try:
                self.initializer(*self.initargs)
            except Killed:
                raise
            except BaseException:  # noqa: BLE001 - whatever the program raises
                LOGGER.critical("Exception in initializer:", exc_info=True)
                self.give_up()
                return
        while True:
            if not is_last:
                self.kernel.point(Operation("look for work in", self.target))
                is_last = len(self.threads) == self.max_workers
                if not self.target.state:
                    self.idle += 1
                    self.kernel.point(self.take_operation)
                    is_last = len(self.threads) == self.max_workers
            else:
                self.kernel.point(self.take_operation)
            if not self.calls:
                return
            call = self.calls.popleft()
            self.target.state -= _ONE_CALL
            make_call(*call)
            del call

    def give_up(self) -> None:
        """Mark the pool as broken; fail all calls. One step, and those of their futures."""
        self.kernel.point(Operation("break", self.target))
        self.broken = "A thread initializer failed, the thread pool is not usable anymore"
        for future, *_ in self.drop_calls():
            future.set_exception(BrokenThreadPool(self.broken))

    def drop_calls(self) -> list[tuple[Future, Any, Any, Any]]:
        """Forget all calls that wait, in a step of somebody else's; return them."""
        dropped = list(self.calls)
        self.calls.clear()
        self.target.state &= _CLOSING
        return dropped


def make_call(future: Future, fn: Any, args: Any, kwargs: Any) -> None:  # noqa: ANN401
    """Make a call unless it was cancelled; put what comes of it into its future."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = fn(*args, **kwargs)
    except Killed:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the call raises
        future.set_exception(error)
    else:
        future.set_result(result)


class ThreadPoolExecutor(Executor):
    """A number of threads that make calls; see `concurrent.futures.ThreadPoolExecutor`."""

    __module__ = "concurrent.futures.thread"

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
    ) -> None:
        if max_workers is None:
            max_workers = min(32, (os.cpu_count() or 1) + 4)
        if max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._max_workers = max_workers
        self._pool = _Pool(max_workers, initializer, initargs)
        registry = registry_of(self._pool.kernel)
        self._thread_name_prefix = thread_name_prefix or registry.name_of_next_pool(
            self._pool.kernel.running
        )

    @property
    def _threads(self) -> set[Thread]:
        return set(self._pool.threads)

    @property
    def _broken(self) -> str | bool:
        return self._pool.broken or False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:  # noqa: ANN401
        """Have a call made by one of the threads; return its future.

        Raises RuntimeError after a shutdown, BrokenThreadPool after an initializer has failed.
        """
        future = Future()
        self._pool.submit((future, fn, args, kwargs), self._thread_name_prefix)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; with `wait`, wait until all have been made.

        One step, one for each call that is cancelled, and one for each thread that is waited for.
        """
        pool = self._pool
        if pool.kernel.is_unwinding:
            return
        pool.close()
        pool.is_shut = True
        if cancel_futures:
            for future, *_ in pool.drop_calls():
                future.cancel()
        if wait:
            for thread in pool.threads:
                thread.join()

    def __del__(self) -> None:
        # As in CPython: when nobody can submit any more, the threads end. Not after the execution.
        pool = getattr(self, "_pool", None)
        if pool is None or pool.is_shut or not pool.threads:
            return
        kernel = pool.kernel
        if is_active(kernel) and not kernel.is_unwinding and kernel.state is pool.execution:
            pool.close()


def is_active(kernel: Kernel) -> bool:
    """Whether an execution of `kernel` is running in this OS thread."""
    try:
        return active_kernel() is kernel
    except RuntimeError:
        return False
