"""`queue` for a program under check: Queue, LifoQueue, PriorityQueue, SimpleQueue.

Guarantees: put, get, task_done, join, shutdown and the looks are one step each. Who waits to get or to
put may be next in any order: in CPython a notified waiter has to compete with late-comers too. A method
that a subclass overrides (`_init`, `_qsize`, `_put`, `_get`) runs while nobody else can enter the queue,
and so does the comparison of a PriorityQueue's items.

Targets, two for each queue: its items, which put and get write and looks read, whose state is twice
their number, plus 1 after a shutdown, or BUSY; and the number of unfinished tasks, which put and
task_done write and join reads. So a get and a task_done do not conflict.

Why not CPython's own Lib/queue.py on simulated locks: it works (its tests pass in that form too), and
DPOR needs 8, 8 and 48 executions for two producers and a get, a queue of size 1 that two items pass, two
producers and two consumers, where this model needs 4, 1 and 8.

What CPython does: Lib/queue.py, Modules/_queuemodule.c.
"""

from __future__ import annotations

import queue as _real
import sys
import types
from collections import deque
from heapq import heappop, heappush
from queue import Empty, Full
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.locks import refuse_pickling

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from parallel_cookbook.kernel import Kernel, Target

BUSY = -1
_HAS_SHUTDOWN = sys.version_info >= (3, 13)

__all__ = ["Empty", "Full", "LifoQueue", "PriorityQueue", "Queue", "SimpleQueue"]

ShutDown: type[Exception]
if _HAS_SHUTDOWN:
    ShutDown = vars(_real)["ShutDown"]  # unknown to 3.11
    __all__ += ["ShutDown"]
else:
    ShutDown = AssertionError  # no state says that the queue has been shut down


def _can_enter(state: int) -> bool:
    return state != BUSY


def _can_get(state: int) -> bool:
    return state > 0


def _is_zero(state: int) -> bool:
    return state == 0


def _can_put_below(limit: int) -> Callable[[int], bool]:
    """Return the claim that an item can be put where there is room for `limit`."""
    top = 2 * limit

    def can_put(state: int) -> bool:
        return state >= 0 and (state < top or state & 1 == 1)

    return can_put


class _Mutex:
    """What a queue calls `mutex`: who holds it keeps everybody else out of the queue."""

    __slots__ = ("_queue",)

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Shut the queue; return whether that could be done. One step."""
        kernel, target = self._queue._kernel, self._queue._target  # noqa: SLF001
        if blocking and timeout == -1:
            kernel.point(Operation("acquire", target, Mode.WRITE, _can_enter))
        else:
            patience = timeout if blocking else 0
            operation = timed(kernel, "try to acquire", target, Mode.WRITE, _can_enter, patience)
            kernel.point(operation)
            if target.state == BUSY:
                expire(kernel, operation)
                return False
        target.state = BUSY
        return True

    def release(self) -> None:
        """Open the queue, which now holds what it holds. One step."""
        kernel, target = self._queue._kernel, self._queue._target  # noqa: SLF001
        if kernel.is_unwinding:
            return
        kernel.point(Operation("release", target))
        if target.state != BUSY:
            raise RuntimeError("release unlocked lock")
        self._queue._settle()  # noqa: SLF001

    def locked(self) -> bool:
        """Whether somebody keeps the others out. One step."""
        queue = self._queue
        queue._kernel.point(Operation("look at", queue._target, Mode.READ))  # noqa: SLF001
        return queue._target.state == BUSY  # noqa: SLF001

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.release()


class Queue:
    """First in, first out; see `queue.Queue`."""

    __module__ = "queue"

    _kernel: Kernel
    _target: Target

    def __init__(self, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        kernel = self._kernel = active_kernel()
        target = self._target = kernel.new_target("queue")
        unfinished = self._unfinished = kernel.new_target("unfinished tasks")
        self._get_operation = Operation("get", target, Mode.WRITE, _can_get)
        self._can_put = _can_put_below(maxsize) if maxsize > 0 else _can_enter
        self._put_more = ((unfinished, Mode.WRITE, None),)
        self._put_operation = Operation("put", target, Mode.WRITE, self._can_put, self._put_more)
        self._init(maxsize)

    # --- putting and getting --------------------------------------------------------------------

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401
        """Add an item. One step.

        Raises Full if there is no room at once (without `block`) or within `timeout` seconds, ShutDown
        after a shutdown.
        """
        kernel, target = self._kernel, self._target
        if self.maxsize <= 0 or (block and timeout is None):
            kernel.point(self._put_operation)
        else:
            _check_timeout(block, timeout)
            patience: Any = timeout if block else 0
            operation = timed(
                kernel, "try to put", target, Mode.WRITE, self._can_put, patience, _can_enter
            )
            for part in self._put_more:
                operation = operation.extended(part)
            kernel.point(operation)
            if not self._can_put(target.state):
                expire(kernel, operation)
                raise Full
        if target.state & 1:
            raise ShutDown
        target.state = BUSY
        position = kernel.position
        try:
            self._put(item)
        except BaseException:
            self._reopen(position)
            raise
        self._reopen(position)
        self._unfinished.state += 1

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401
        """Remove an item and return it. One step.

        Raises Empty if there is none at once (without `block`) or within `timeout` seconds, ShutDown if
        there is none after a shutdown.
        """
        kernel, target = self._kernel, self._target
        if block and timeout is None:
            kernel.point(self._get_operation)
        else:
            _check_timeout(block, timeout)
            patience: Any = timeout if block else 0
            operation = timed(
                kernel, "try to get", target, Mode.WRITE, _can_get, patience, _can_enter
            )
            kernel.point(operation)
            if not target.state:
                expire(kernel, operation)
                raise Empty
        if target.state == 1:
            raise ShutDown
        target.state = BUSY
        position = kernel.position
        try:
            item = self._get()
        except BaseException:
            self._reopen(position)
            raise
        self._reopen(position)
        return item

    def put_nowait(self, item: Any) -> None:  # noqa: ANN401
        """Add an item if there is room at once; otherwise raise Full."""
        return self.put(item, block=False)

    def get_nowait(self) -> Any:  # noqa: ANN401
        """Return an item if there is one at once; otherwise raise Empty."""
        return self.get(block=False)

    def _reopen(self, position: int) -> None:
        """Let the others in again: a step, unless nothing else has happened since `position`."""
        kernel = self._kernel
        if kernel.is_unwinding:
            return
        if kernel.position != position:
            kernel.point(Operation("open", self._target, Mode.WRITE, None, self._put_more))
        self._settle()

    def _settle(self) -> None:
        """Make the state say what the queue holds."""
        self._target.state = 2 * self._qsize() + self._is_shut

    # --- tasks ----------------------------------------------------------------------------------

    def task_done(self) -> None:
        """Say that an item that was gotten has been dealt with. One step.

        Raises ValueError if there have been fewer items than such calls.
        """
        kernel, unfinished = self._kernel, self._unfinished
        if kernel.is_unwinding:
            return
        kernel.point(Operation("task done", unfinished))
        if unfinished.state == 0:
            raise ValueError("task_done() called too many times")
        unfinished.state -= 1

    def join(self) -> None:
        """Wait until each item has been dealt with. One step."""
        self._kernel.point(Operation("join", self._unfinished, Mode.READ, _is_zero))

    @property
    def unfinished_tasks(self) -> int:
        """How many items have not been dealt with. One step."""
        self._kernel.point(Operation("look at", self._unfinished, Mode.READ))
        return self._unfinished.state

    # --- looking --------------------------------------------------------------------------------

    def _look(self) -> int:
        self._kernel.point(Operation("look at", self._target, Mode.READ, _can_enter))
        return self._target.state >> 1

    def qsize(self) -> int:
        """Return how many items there are. One step."""
        return self._look()

    def empty(self) -> bool:
        """Whether there is no item. One step."""
        return not self._look()

    def full(self) -> bool:
        """Whether there is no room. One step."""
        return 0 < self.maxsize <= self._look()

    @property
    def mutex(self) -> _Mutex:
        """The lock that keeps everybody else out of the queue."""
        return _Mutex(self)

    if _HAS_SHUTDOWN:
        _is_shut = 0

        def shutdown(self, immediate: bool = False) -> None:
            """Make each put and, when there are no items left, each get raise ShutDown. One step.

            If `immediate`, the items are dropped, and count as dealt with.
            """
            kernel, target, unfinished = self._kernel, self._target, self._unfinished
            if kernel.is_unwinding:
                return
            more = self._put_more if immediate else ()
            kernel.point(Operation("shut down", target, Mode.WRITE, _can_enter, more))
            target.state = BUSY
            self._is_shut = 1
            position = kernel.position
            while immediate and self._qsize():
                self._get()
                unfinished.state = max(0, unfinished.state - 1)
            self._reopen(position)

        @property
        def is_shutdown(self) -> bool:
            """Whether the queue has been shut down. One step."""
            self._kernel.point(Operation("look at", self._target, Mode.READ, _can_enter))
            return self._target.state & 1 == 1
    else:
        _is_shut = 0

    # --- for subclasses -------------------------------------------------------------------------

    queue: Any

    def _init(self, maxsize: int) -> None:  # noqa: ARG002 - a subclass may want to know
        self.queue = deque()

    def _qsize(self) -> int:
        return len(self.queue)

    def _put(self, item: Any) -> None:  # noqa: ANN401
        self.queue.append(item)

    def _get(self) -> Any:  # noqa: ANN401
        return self.queue.popleft()

    __class_getitem__ = classmethod(types.GenericAlias)  # type: ignore[var-annotated]


class PriorityQueue(Queue):
    """The smallest item first; see `queue.PriorityQueue`."""

    __module__ = "queue"

    def _init(self, maxsize: int) -> None:  # noqa: ARG002
        self.queue = []

    def _put(self, item: Any) -> None:  # noqa: ANN401
        heappush(self.queue, item)

    def _get(self) -> Any:  # noqa: ANN401
        return heappop(self.queue)


class LifoQueue(Queue):
    """Last in, first out; see `queue.LifoQueue`."""

    __module__ = "queue"

    def _init(self, maxsize: int) -> None:  # noqa: ARG002
        self.queue = []

    def _get(self) -> Any:  # noqa: ANN401
        return self.queue.pop()


def _check_timeout(block: object, timeout: Any) -> None:  # noqa: ANN401
    if block and timeout is not None and timeout < 0:
        raise ValueError("'timeout' must be a non-negative number")


class SimpleQueue:
    """First in, first out, without limit and without tasks; see `queue.SimpleQueue`."""

    __slots__ = ("__weakref__", "_get_operation", "_items", "_kernel", "_put_operation", "_target")
    __module__ = "_queue"
    __reduce_ex__ = refuse_pickling

    def __init__(self) -> None:
        kernel = self._kernel = active_kernel()
        target = self._target = kernel.new_target("queue")
        self._items: deque[Any] = deque()
        self._get_operation = Operation("get", target, Mode.WRITE, _can_get)
        self._put_operation = Operation("put", target)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401, ARG002
        """Add an item; never blocks. One step."""
        kernel = self._kernel
        if kernel.is_unwinding:
            return
        kernel.point(self._put_operation)
        self._items.append(item)
        self._target.state += 1

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401
        """Remove the oldest item and return it. One step.

        Raises Empty if there is none at once (without `block`) or within `timeout` seconds.
        """
        kernel, target = self._kernel, self._target
        if block and timeout is None:
            kernel.point(self._get_operation)
        else:
            _check_timeout(block, timeout)
            patience: Any = timeout if block else 0
            operation = timed(kernel, "try to get", target, Mode.WRITE, _can_get, patience)
            kernel.point(operation)
            if not target.state:
                expire(kernel, operation)
                raise Empty
        target.state -= 1
        return self._items.popleft()

    def put_nowait(self, item: Any) -> None:  # noqa: ANN401
        """Add an item; the same as `put`."""
        self.put(item)

    def get_nowait(self) -> Any:  # noqa: ANN401
        """Return an item if there is one at once; otherwise raise Empty."""
        return self.get(block=False)

    def empty(self) -> bool:
        """Whether there is no item. One step."""
        return not self.qsize()

    def qsize(self) -> int:
        """Return how many items there are. One step."""
        self._kernel.point(Operation("look at", self._target, Mode.READ))
        return self._target.state

    __class_getitem__ = classmethod(types.GenericAlias)  # type: ignore[var-annotated]
