"""`multiprocessing.queues` for a program under check: Queue, JoinableQueue, SimpleQueue.

Guarantees, as in CPython: `put` leaves the object with its process; a feeder, a flow of control of its
own, pickles it and writes it into the pipe, some time later, in the order of the puts of this process.
A process that ends waits for its feeders, unless told not to.

`put` into a queue without limit is no point: only the feeder can tell, and it waits. With a limit it is
one step, which takes a place. The feeder has one step for each object, and one more if the pipe is too full
for it: that ends when enough has been taken. `get` is one step. Where another process has fed, or taken,
meanwhile, there is one more, as for connections; until then the others are kept out.

A container that the program changes after it has put it may travel changed or not. Once that is seen to
matter, it is a step to go on after `put`, before which the feeder may be quicker.

An object that cannot be pickled is lost, and the traceback printed, as in life.

What CPython does: Lib/multiprocessing/queues.py.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from collections import deque
from queue import Empty, Full
from types import GenericAlias
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Killed, Mode, Operation, active_kernel
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.processes.channels import SENT, Channel, is_there
from parallel_cookbook.simulation.processes.pickling import ForkingPickler
from parallel_cookbook.simulation.processes.spawning import add_finalizer
from parallel_cookbook.simulation.processes.world import (
    assert_spawning,
    share,
    shared,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from parallel_cookbook.kernel import Kernel, Task
    from parallel_cookbook.simulation.processes.channels import Part

# Whatever the program puts, of any type.
# ruff: noqa: ANN401

__all__ = ["JoinableQueue", "Queue", "SimpleQueue"]

_OPEN, _KEPT = 0, 1
"""The states of a channel's tail and head: whether somebody keeps the others out."""
_MAX_DEPTH = 4
_JOINING = -5
"""The priority, at the end of a process, of waiting for its feeders."""


def _is_zero(state: int) -> bool:
    return state == 0


def _is_positive(state: int) -> bool:
    return state > 0


class _Pipe:
    """What all processes share of a queue."""

    def __init__(self, kernel: Kernel, maxsize: int, *, counts_tasks: bool = False) -> None:
        self.kernel = kernel
        self.maxsize = maxsize
        self.channel = Channel(kernel, is_socket=False)
        self.places = kernel.new_target("queue", max(maxsize, 0))
        """Its state is how many more may be put; for a queue without limit, minus the number inside."""
        self.unfinished = kernel.new_target("unfinished tasks") if counts_tasks else None

    # --- writing --------------------------------------------------------------------------------

    def write(self, fetch: Callable[[], bytes | None], more: tuple[Part, ...] = ()) -> None:
        """Write what `fetch` returns as a message, None is nothing. Its steps are those of `more`, too."""
        kernel, channel = self.kernel, self.channel
        kernel.point(Operation("feed", channel.tail, Mode.WRITE, _is_zero, more))
        channel.tail.state = _KEPT
        message = fetch()
        room = None if message is None else channel.put(message, len(message))
        if room is not None:
            parts = (room, *more)
            kernel.point(Operation("feed the rest", channel.tail, Mode.WRITE, None, parts))
        channel.tail.state = _OPEN

    # --- reading --------------------------------------------------------------------------------

    def _parts_of_get(self) -> tuple[Part, ...]:
        if self.maxsize > 0 or self.kernel.are_releases_points:
            return ((self.places, Mode.READ, None),)
        return ()

    def read(self) -> bytes:
        """Wait for a message and take it."""
        kernel, channel = self.kernel, self.channel
        number = channel.first_place()
        more = self._parts_of_get()
        parts = ((channel.place(number), Mode.WRITE, is_there), *more)
        kernel.point(Operation("get", channel.head, Mode.WRITE, _is_zero, parts))
        if number != channel.received:
            channel.head.state = _KEPT
            place = channel.place(channel.received)
            kernel.point(Operation("get", place, Mode.WRITE, is_there, more))
            channel.head.state = _OPEN
        return self._take()

    def try_to_read(self, timeout: float) -> bytes:
        """Take a message that is there within `timeout` seconds. Raises Empty."""
        kernel, channel = self.kernel, self.channel
        while True:
            number = channel.first_place()
            place = channel.place(number)
            operation = timed(kernel, "try to get", place, Mode.WRITE, is_there, timeout)
            operation = operation.extended((channel.head, Mode.WRITE, None))
            operation = operation.extended((channel.tail, Mode.READ, None))
            for part in self._parts_of_get():
                operation = operation.extended(part)
            kernel.point(operation)
            if channel.head.state == _OPEN and number != channel.received:
                channel.learn_received()
                continue
            if channel.head.state == _KEPT or place.state != SENT:
                expire(kernel, operation)
                raise Empty
            return self._take()

    def _take(self) -> bytes:
        self.places.state += 1
        self.places.version += 1
        message: bytes = self.channel.take()
        return message

    def is_empty(self) -> bool:
        """Whether no message is in the pipe. One step."""
        kernel, channel = self.kernel, self.channel
        while True:
            number = channel.first_place()
            place = channel.place(number)
            more = ((channel.head, Mode.READ, None), (channel.tail, Mode.READ, None))
            kernel.point(Operation("look at", place, Mode.READ, None, more))
            if number == channel.received:
                return place.state != SENT
            channel.learn_received()

    def look(self) -> int:
        """Return the state of `places`. One step."""
        self.kernel.demand_release_points()
        self.kernel.point(Operation("look at", self.places, Mode.WRITE))
        return self.places.state


class Queue:
    """First in, first out, between processes; see `multiprocessing.Queue`."""

    __module__ = "multiprocessing.queues"

    def __init__(self, maxsize: int = 0, *, ctx: Any = None) -> None:  # noqa: ARG002 - CPython's
        self._open(_Pipe(active_kernel(), maxsize))

    def _open(self, pipe: _Pipe) -> None:
        kernel = self._kernel = pipe.kernel
        self._pipe = pipe
        self._buffer: deque[Any] = deque()
        self._buffered = kernel.new_target("buffer")
        """Its state is how many objects are on their way from `put` into the pipe."""
        self._feeder: Task | None = None
        """Who writes into the pipe, once something was put."""
        self._closed = False
        self._is_join_cancelled = False

    def __reduce__(self) -> Any:
        assert_spawning(self)
        return _rebuild, (type(self), share(self._pipe))

    # --- putting --------------------------------------------------------------------------------

    def put(self, obj: Any, block: bool = True, timeout: float | None = None) -> None:
        """Leave an object to the feeder. Raises Full if there is no place for it in time."""
        if self._closed:
            raise ValueError(f"Queue {self!r} is closed")
        self._reserve(block, timeout)
        if self._feeder is None:
            self._start_feeder()
        self._buffer_up(obj)

    def _reserve(self, block: bool, timeout: float | None) -> None:
        """Take a place in the queue, which has a limit or somebody who counts."""
        kernel, places = self._kernel, self._pipe.places
        if self._pipe.maxsize <= 0:
            if kernel.are_releases_points:
                kernel.point(Operation("put", places, Mode.READ))
                places.version += 1
        elif block and timeout is None:
            kernel.point(Operation("put", places, Mode.WRITE, _is_positive))
        else:
            patience = max(timeout or 0, 0) if block else 0
            operation = timed(kernel, "try to put", places, Mode.WRITE, _is_positive, patience)
            kernel.point(operation)
            if places.state <= 0:
                expire(kernel, operation)
                raise Full
        places.state -= 1

    def _buffer_up(self, obj: Any) -> None:
        self._kernel.settle(Operation("buffer", self._buffered))  # the feeder can only wait for it
        self._buffer.append((obj, _picture(obj)))
        self._buffered.state += 1
        if self._kernel.are_handovers_points:
            # Behind it the program may change the object, which the feeder may have pickled or not.
            self._kernel.point(Operation("go on", self._buffered))

    def put_nowait(self, obj: Any) -> None:
        """Leave an object to the feeder if there is a place for it; otherwise raise Full."""
        self.put(obj, block=False)

    # --- the feeder -----------------------------------------------------------------------------

    def _start_feeder(self) -> None:
        kernel = self._kernel
        feeder = self._feeder = kernel.new_task("QueueFeederThread", self._feed)
        feeder.is_helper = True
        kernel.settle(kernel.start_operation(feeder))
        kernel.launch(feeder)
        add_finalizer(_JOINING, self._join_feeder)

    def _feed(self) -> None:
        part = (self._buffered, Mode.WRITE, _is_positive)
        while True:
            self._pipe.write(self._fetch, (part,))
            self._buffered.state -= 1

    def _fetch(self) -> bytes | None:
        """Return the next object, pickled; None if it cannot be."""
        obj, picture = self._buffer.popleft()
        try:
            message = bytes(ForkingPickler.dumps(obj))
        except Killed:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the program's object raises
            self._pipe.places.state += 1
            self._on_queue_feeder_error(error, obj)
            return None
        if picture not in {None, message}:
            self._kernel.demand_handover_points()
        return message

    @staticmethod
    def _on_queue_feeder_error(error: Exception, obj: Any) -> None:  # noqa: ARG004 - to be overridden
        traceback.print_exception(error, file=sys.stderr)

    def _join_feeder(self) -> None:
        """Wait until the feeder has fed everything, or end it where it is."""
        kernel, feeder = self._kernel, self._feeder
        if feeder is None or feeder.operation is None:
            return
        if self._is_join_cancelled:
            kernel.point(Operation("abandon", self._buffered))
        else:
            kernel.point(Operation("drain", self._buffered, Mode.READ, _is_zero))
        kernel.end_task(feeder)

    # --- getting --------------------------------------------------------------------------------

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Wait for an object and return it. Raises Empty if there is none in time."""
        if self._closed:
            raise ValueError(f"Queue {self!r} is closed")
        if block and timeout is None:
            message = self._pipe.read()
        else:
            message = self._pipe.try_to_read(max(timeout or 0, 0) if block else 0)
        return pickle.loads(message)  # noqa: S301 - what the program has put

    def get_nowait(self) -> Any:
        """Return an object if there is one in the pipe; otherwise raise Empty."""
        return self.get(block=False)

    # --- looking --------------------------------------------------------------------------------

    def qsize(self) -> int:
        """Return how many objects were put and not gotten. One step."""
        return max(self._pipe.maxsize, 0) - self._pipe.look()

    def empty(self) -> bool:
        """Whether the pipe is empty: objects may be on their way. One step."""
        if self._closed and self._feeder is not None:
            raise OSError("handle is closed")  # the feeder has closed it when it was told to end
        return self._pipe.is_empty()

    def full(self) -> bool:
        """Whether there is no place. One step."""
        return self._pipe.maxsize > 0 and self._pipe.look() == 0

    # --- the end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Say that this process will put and get no more."""
        self._closed = True

    def join_thread(self) -> None:
        """Wait until the feeder has fed all that was put; only after `close`."""
        assert self._closed, f"Queue {self!r} not closed"  # noqa: S101 - as CPython
        if not self._is_join_cancelled:
            self._join_feeder()

    def cancel_join_thread(self) -> None:
        """Let this process end without waiting for the feeder."""
        self._is_join_cancelled = True

    __class_getitem__ = classmethod(GenericAlias)  # type: ignore[var-annotated]


class JoinableQueue(Queue):
    """A queue that counts what was put and not dealt with; see `multiprocessing.JoinableQueue`."""

    __module__ = "multiprocessing.queues"

    def __init__(self, maxsize: int = 0, *, ctx: Any = None) -> None:  # noqa: ARG002 - CPython's
        self._open(_Pipe(active_kernel(), maxsize, counts_tasks=True))

    def put(self, obj: Any, block: bool = True, timeout: float | None = None) -> None:
        """Leave an object to the feeder, and count it. Raises Full as that of Queue."""
        if self._closed:
            raise ValueError(f"Queue {self!r} is closed")
        self._reserve(block, timeout)
        unfinished = self._pipe.unfinished
        assert unfinished is not None  # noqa: S101 - made with the queue
        self._kernel.point(Operation("put", unfinished))
        unfinished.state += 1
        if self._feeder is None:
            self._start_feeder()
        self._buffer_up(obj)

    def task_done(self) -> None:
        """Say that an object that was gotten has been dealt with. One step.

        Raises ValueError if there have been fewer objects than such calls.
        """
        unfinished = self._pipe.unfinished
        assert unfinished is not None  # noqa: S101 - made with the queue
        if self._kernel.is_unwinding:
            return
        self._kernel.point(Operation("task done", unfinished))
        if unfinished.state <= 0:
            raise ValueError("task_done() called too many times")
        unfinished.state -= 1

    def join(self) -> None:
        """Wait until each object has been dealt with. One step."""
        unfinished = self._pipe.unfinished
        assert unfinished is not None  # noqa: S101 - made with the queue
        self._kernel.point(Operation("join", unfinished, Mode.READ, _is_zero))


class SimpleQueue:
    """First in, first out, without a feeder; see `multiprocessing.SimpleQueue`."""

    __module__ = "multiprocessing.queues"

    def __init__(self, *, ctx: Any = None) -> None:  # noqa: ARG002 - CPython's
        self._pipe = _Pipe(active_kernel(), 0)
        self._is_closed = False

    def __reduce__(self) -> Any:
        assert_spawning(self)
        return _rebuild_simple, (type(self), share(self._pipe))

    def put(self, obj: Any) -> None:
        """Pickle an object and write it into the pipe; blocks while that is too full."""
        self._check_open()
        message = bytes(ForkingPickler.dumps(obj))
        self._pipe.write(lambda: message)

    def get(self) -> Any:
        """Wait for an object and return it."""
        self._check_open()
        return pickle.loads(self._pipe.read())  # noqa: S301 - what the program has put

    def empty(self) -> bool:
        """Whether the pipe is empty. One step."""
        self._check_open()
        return self._pipe.is_empty()

    def close(self) -> None:
        """Say that this process will use it no more."""
        self._is_closed = True

    def _check_open(self) -> None:
        if self._is_closed:
            raise OSError("handle is closed")

    __class_getitem__ = classmethod(GenericAlias)  # type: ignore[var-annotated]


_PLAIN = (int, float, complex, bool, str, bytes, bytearray, type(None))


def _picture(obj: Any) -> bytes | None:
    """Return how an object would be pickled now; None if it cannot change, or holds more than data."""
    if type(obj) in {list, dict, set, bytearray} and _is_data(obj):
        return bytes(ForkingPickler.dumps(obj))
    return None


def _is_data(obj: Any, depth: int = 0) -> bool:
    kind = type(obj)
    if kind is dict:
        return depth < _MAX_DEPTH and all(_is_data(item, depth + 1) for item in obj.values())
    if kind in {list, tuple, set}:
        return depth < _MAX_DEPTH and all(_is_data(item, depth + 1) for item in obj)
    return kind in _PLAIN


def _rebuild(kind: type[Queue], number: int) -> Queue:
    """Return what stands for a queue in the running process."""
    queue = object.__new__(kind)
    queue._open(shared(number))
    return queue


def _rebuild_simple(kind: type[SimpleQueue], number: int) -> SimpleQueue:
    queue = object.__new__(kind)
    queue._pipe = shared(number)
    queue._is_closed = False
    return queue
