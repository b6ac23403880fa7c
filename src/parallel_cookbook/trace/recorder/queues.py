"""Record the queues of threads: what is put and got, which message it is, how long the queue is then.

A message's number and the moment of a put or get are noted under the queue's own mutex: so their order is the
order in which they really happened.
"""

from __future__ import annotations

from _thread import get_ident
from collections import deque
from itertools import count
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import (
    GET,
    IN_VAIN,
    PUT,
    QUEUE_JOIN,
    REQUEST,
    TASK_DONE,
)
from parallel_cookbook.trace.recorder.locks import LikeReal
from parallel_cookbook.trace.recorder.patching import replaces
from parallel_cookbook.trace.recorder.places import getframe, place, place_above
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.things import new_thing
from parallel_cookbook.trace.recorder.waiting import mark, thing_of, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Function = Callable[..., Any]

__tracebackhide__ = True
_UNKNOWN = (0, -1, -1)
_done: dict[int, tuple[int, int, int]] = {}
"""By thread: moment, length and message's number of its last put or get."""


class _Numbers:
    """The numbers of the messages in one queue; guarded by the queue's mutex."""

    __slots__ = ("by_item", "next", "waiting")

    def __init__(self) -> None:
        self.next = count().__next__
        self.waiting: deque[int] = deque()
        self.by_item: dict[int, list[int]] = {}
        """For a queue that sorts: by the item's id, which is its own while it is in the queue."""


@replaces("queue", "Queue.__init__")
def _make_queue(original: Function) -> Function:
    def __init__(self: Any, maxsize: int = 0) -> None:
        original(self, maxsize)
        if mark(self, "queue", getframe(1), max(maxsize, 0)):
            vars(self)["_cookbook_numbers"] = _Numbers()

    return __init__


@replaces("queue", "Queue._put", "LifoQueue._put")
def _put_in_order(original: Function) -> Function:
    def _put(self: Any, item: Any) -> None:
        original(self, item)
        numbers = vars(self).get("_cookbook_numbers")
        if numbers is not None:
            number = numbers.next()
            numbers.waiting.append(number)
            _done[get_ident()] = (monotonic_ns(), self._qsize(), number)

    return _put


@replaces("queue", "Queue._get")
def _get_first(original: Function) -> Function:
    def _get(self: Any) -> Any:
        item = original(self)
        numbers = vars(self).get("_cookbook_numbers")
        if numbers is not None:
            number = numbers.waiting.popleft() if numbers.waiting else -1
            _done[get_ident()] = (monotonic_ns(), self._qsize(), number)
        return item

    return _get


@replaces("queue", "LifoQueue._get")
def _get_last(original: Function) -> Function:
    def _get(self: Any) -> Any:
        item = original(self)
        numbers = vars(self).get("_cookbook_numbers")
        if numbers is not None:
            number = numbers.waiting.pop() if numbers.waiting else -1
            _done[get_ident()] = (monotonic_ns(), self._qsize(), number)
        return item

    return _get


@replaces("queue", "PriorityQueue._put")
def _put_sorted(original: Function) -> Function:
    def _put(self: Any, item: Any) -> None:
        original(self, item)
        numbers = vars(self).get("_cookbook_numbers")
        if numbers is not None:
            number = numbers.next()
            numbers.by_item.setdefault(id(item), []).append(number)
            _done[get_ident()] = (monotonic_ns(), self._qsize(), number)

    return _put


@replaces("queue", "PriorityQueue._get")
def _get_smallest(original: Function) -> Function:
    def _get(self: Any) -> Any:
        item = original(self)
        numbers = vars(self).get("_cookbook_numbers")
        if numbers is not None:
            same = numbers.by_item.pop(id(item), [-1])
            number = same.pop(0)
            if same:
                numbers.by_item[id(item)] = same
            _done[get_ident()] = (monotonic_ns(), self._qsize(), number)
        return item

    return _get


def _record(
    kind: int,
    thing: int,
    site: int,
    call: Function,
    self: Any,
    arguments: tuple[Any, ...],
    options: Any,
) -> Any:
    """Put or get; `arguments` are what follows in the call: without waiting first, if that may be."""
    block, timeout = options
    ident = get_ident()
    _done.pop(ident, None)
    flags = IN_VAIN
    began = 0
    try:
        if block and timeout is None:
            must_wait = False
            try:
                result = call(self, *arguments, False)
            except call.__globals__["Full" if kind == PUT else "Empty"]:
                must_wait = True
            if must_wait:  # out here, so that no later exception seems to come of that one
                began = monotonic_ns()
                tape.write(kind, thing, site, -1, REQUEST, began)
                result = call(self, *arguments)
        else:
            began = monotonic_ns()
            if block:
                tape.write(kind, thing, site, -1, REQUEST | IN_VAIN, began)
            result = call(self, *arguments, block, timeout)
        flags = 0
        return result
    finally:
        moment, length, number = _done.pop(ident, _UNKNOWN)
        moment = moment or monotonic_ns()
        tape.write_long(kind, began or moment, thing, site, length, flags, moment, extra=number)


@replaces("queue", "Queue.put")
def _put(original: Function) -> Function:
    def put(self: Any, item: Any, block: bool = True, timeout: float | None = None) -> None:
        thing = thing_of(self)
        if not thing:
            original(self, item, block, timeout)
            return
        site = place_above(getframe(1))
        _record(PUT, thing, site, original, self, (item,), (block, timeout))

    return put


@replaces("queue", "Queue.get")
def _get(original: Function) -> Function:
    def get(self: Any, block: bool = True, timeout: float | None = None) -> Any:
        thing = thing_of(self)
        if not thing:
            return original(self, block, timeout)
        site = place_above(getframe(1))
        return _record(GET, thing, site, original, self, (), (block, timeout))

    return get


@replaces("queue", "Queue.task_done")
def _task_done(original: Function) -> Function:
    def task_done(self: Any) -> None:
        moment = monotonic_ns()
        original(self)
        thing = thing_of(self)
        if thing:
            tape.write(TASK_DONE, thing, place_above(getframe(1)), self.unfinished_tasks, 0, moment)

    return task_done


@replaces("queue", "Queue.join")
def _join(original: Function) -> Function:
    def join(self: Any) -> None:
        thing = thing_of(self)
        if thing:
            wait(QUEUE_JOIN, thing, place_above(getframe(1)), original, self)
        else:
            original(self)

    return join


@replaces("queue", "SimpleQueue")
def _simple_queue(original: type) -> type:
    """Make the recorded kind of SimpleQueue: each item lies in it with its number."""
    base: Any = original

    class Type(LikeReal):
        _real = original

    class SimpleQueue(base, metaclass=Type):  # type: ignore[misc]
        __slots__ = ("_cookbook", "_next")

        def __new__(cls) -> Any:
            site = place(getframe(1))
            if not site and cls is SimpleQueue:
                return base()
            self = base.__new__(cls)
            self._cookbook = new_thing("queue", site)
            self._next = count().__next__
            return self

        def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
            del block, timeout  # it never blocks
            number = self._next()
            super().put((number, item))
            site = place_above(getframe(1))
            moment = monotonic_ns()
            length = self.qsize()
            tape.write_long(PUT, moment, self._cookbook, site, length, 0, moment, extra=number)

        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            site = place_above(getframe(1))
            began, number, flags = 0, -1, IN_VAIN
            try:
                if block and timeout is None and not self.empty():
                    block = False
                began = monotonic_ns()
                if block:
                    request = REQUEST if timeout is None else REQUEST | IN_VAIN
                    tape.write(GET, self._cookbook, site, -1, request, began)
                number, item = super().get(block, timeout)
                flags = 0
                return item
            finally:
                tape.write_long(GET, began, self._cookbook, site, self.qsize(), flags, extra=number)

        def get_nowait(self) -> Any:
            return self.get(False)

        def put_nowait(self, item: Any) -> None:
            self.put(item)

    SimpleQueue.__module__ = original.__module__
    SimpleQueue.__qualname__ = "SimpleQueue"
    return SimpleQueue
