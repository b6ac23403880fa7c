"""Record what goes between processes: connections and queues.

The library's own use of its connections (a pool's, a manager's) is left alone, but for a queue's feeder:
from the order in which messages went into the pipe and came out of it, the reader knows which is which.
"""

from __future__ import annotations

import os
import stat
from _thread import get_ident
from time import monotonic_ns

from parallel_cookbook.trace.recorder.layout import (
    FED,
    GET,
    IN_VAIN,
    NOT_FED,
    PUT,
    QUEUE_JOIN,
    RECEIVE,
    SEND,
    TASK_DONE,
    WAIT,
)
from parallel_cookbook.trace.recorder.patching import replaces
from parallel_cookbook.trace.recorder.places import getframe, place, place_above
from parallel_cookbook.trace.recorder.shared import shared_thing
from parallel_cookbook.trace.recorder.tape import tape
from parallel_cookbook.trace.recorder.things import Local, define_thing, next_thing
from parallel_cookbook.trace.recorder.waiting import as_a_whole, inside, moments, sizes, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Function = Callable[..., Any]

__tracebackhide__ = True


def _way(connection: Any, direction: str) -> int:
    """Return the number of one way of a connection: "in" or "out"."""
    words = vars(connection)
    thing = words.get(f"_cookbook_{direction}")
    if not thing:
        words[f"_cookbook_{direction}"] = thing = Local(next_thing())
        define_thing(thing, "connection", 0, key=_key(connection, direction))
    return int(thing)


def _key(connection: Any, direction: str) -> str:
    """Name a way by what the system calls its end; both ends of a pipe have one name."""
    status = os.fstat(connection.fileno())
    if stat.S_ISFIFO(status.st_mode):
        return f"pipe:{status.st_ino}"
    return f"{direction}:{status.st_ino}"


@replaces("multiprocessing.connection", "Pipe")
def _pipe(original: Function) -> Function:
    def pipe(duplex: bool = True) -> Any:
        first, second = original(duplex)
        site = place_above(getframe(1))
        if site and get_ident() not in inside:
            ends = [(second, first, 1, 0)]
            if duplex:
                ends.append((first, second, 0, 1))
                tape.name(pair=[os.fstat(end.fileno()).st_ino for end in (first, second)])
            for sender, receiver, source, target in ends:
                thing = Local(next_thing())
                define_thing(
                    *(thing, "connection", site),
                    key=_key(receiver, "in"),
                    suffix=f"{source}{target}",
                )
                vars(receiver)["_cookbook_in"] = vars(sender)["_cookbook_out"] = thing
        return first, second

    return pipe


@replaces("multiprocessing.connection", "Connection._send_bytes")
def _send_bytes(original: Function) -> Function:
    def _send_bytes(self: Any, buf: Any) -> None:
        sizes[get_ident()] = len(buf)
        original(self, buf)

    return _send_bytes


@replaces("multiprocessing.connection", "Connection._recv_bytes")
def _recv_bytes(original: Function) -> Function:
    def _recv_bytes(self: Any, maxsize: int | None = None) -> Any:
        received = original(self, maxsize)
        ident = get_ident()
        moments[ident] = monotonic_ns()
        sizes[ident] = received.tell() if received is not None else 0
        return received

    return _recv_bytes


def _size(_result: object) -> int:
    return sizes.pop(get_ident(), 0)


@replaces("multiprocessing.connection", "_ConnectionBase.send")
def _send(original: Function) -> Function:
    def send(self: Any, obj: Any) -> None:
        site = place(getframe(1))
        if site and not self.closed:
            wait(SEND, _way(self, "out"), site, original, self, obj, measure=_size)
        else:
            original(self, obj)

    return send


@replaces("multiprocessing.connection", "_ConnectionBase.send_bytes")
def _send_raw(original: Function) -> Function:
    def send_bytes(self: Any, *arguments: Any, **options: Any) -> None:
        frame = getframe(1)
        site = place(frame)
        if site and not self.closed:
            thing = _way(self, "out")
            wait(SEND, thing, site, lambda: original(self, *arguments, **options), measure=_size)
            return
        original(self, *arguments, **options)
        queue = vars(self).get("_cookbook_queue")
        if queue:
            moments[get_ident()] = moment = monotonic_ns()
            tape.write(FED, queue, 0, _size(None), 0, moment)

    return send_bytes


@replaces("multiprocessing.connection", "_ConnectionBase.recv", "_ConnectionBase.recv_bytes")
def _receive(original: Function) -> Function:
    def recv(self: Any, *arguments: Any, **options: Any) -> Any:
        site = place(getframe(1))
        if site and not self.closed:
            thing = _way(self, "in")
            return wait(
                RECEIVE, thing, site, lambda: original(self, *arguments, **options), measure=_size
            )
        return original(self, *arguments, **options)

    return recv


@replaces("multiprocessing.connection", "_ConnectionBase.recv_bytes_into")
def _receive_into(original: Function) -> Function:
    receive: Function = _receive(original)
    return receive


@replaces("multiprocessing.connection", "_ConnectionBase.poll")
def _poll(original: Function) -> Function:
    def poll(self: Any, timeout: float | None = 0.0) -> bool:
        site = place(getframe(1))
        if site and timeout != 0 and not self.closed:
            thing = _way(self, "in")
            return bool(
                wait(
                    *(WAIT, thing, site, original, self, timeout),
                    is_endless=timeout is None,
                    succeeded=bool,
                )
            )
        return bool(original(self, timeout))

    return poll


@replaces("multiprocessing.connection", "wait")
def _wait_for_any(original: Function) -> Function:
    def wait_(object_list: Any, timeout: float | None = None) -> Any:
        site = place(getframe(1))
        if site:
            return wait(
                *(WAIT, 0, site, original, object_list, timeout),
                is_endless=timeout is None,
                succeeded=bool,
            )
        return original(object_list, timeout)

    return wait_


@replaces(
    "multiprocessing.queues", "Queue.__init__", "JoinableQueue.__init__", "SimpleQueue.__init__"
)
def _make(original: Function) -> Function:
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        with as_a_whole() as is_whole:
            original(self, *arguments, **options)
        if is_whole and not hasattr(self, "_sem"):
            _queue_thing(self)

    return __init__


@replaces("multiprocessing.queues", "Queue._reset")
def _reset(original: Function) -> Function:
    def _reset(self: Any, after_fork: bool = False) -> None:
        original(self, after_fork)
        if type(self).__name__ != "_SafeQueue":  # an executor's own
            _queue_thing(self)

    return _reset


def _queue_thing(queue: Any) -> int:
    site = 0
    if not vars(queue).get("_cookbook_thing"):
        site = place_above(getframe(1))
    is_simple = not hasattr(queue, "_sem")
    semaphore = queue._rlock if is_simple else queue._sem
    thing = shared_thing(queue, semaphore, "queue", site, _capacity(queue))
    vars(queue._writer)["_cookbook_queue"] = thing
    return thing


def _capacity(queue: Any) -> int:
    """Return how many items a queue may hold; 0: as many as there are."""
    from multiprocessing import synchronize

    maxsize: int = getattr(queue, "_maxsize", 0)
    limit: int = vars(synchronize)["SEM_VALUE_MAX"]
    return maxsize if maxsize < limit else 0  # else it is the system's limit


def _length(queue: Any) -> Callable[[Any], int]:
    def measure(_result: object) -> int:
        try:
            return int(queue.qsize())
        except (NotImplementedError, OSError, ValueError, AttributeError):
            return -1

    return measure


@replaces("multiprocessing.queues", "Queue.put", "JoinableQueue.put")
def _put(original: Function) -> Function:
    def put(self: Any, obj: Any, block: bool = True, timeout: float | None = None) -> None:
        site = place_above(getframe(1))
        thing = vars(self).get("_cookbook_thing")
        if not (thing and site):
            original(self, obj, block, timeout)
        elif _capacity(self):
            wait(
                *(PUT, thing, site, original, self, obj, block, timeout),
                is_endless=block and timeout is None,
                measure=_length(self),
            )
        else:
            _put_at_once(thing, site, self, lambda: original(self, obj, block, timeout))

    return put


def _put_at_once(thing: int, site: int, queue: Any, call: Callable[[], None]) -> None:
    """Put into a queue without a limit, where nobody waits for room: what takes time is not waiting."""
    ident = get_ident()
    moments.pop(ident, None)
    value, flags = 0, IN_VAIN
    try:
        with as_a_whole():
            call()
        moment = moments.pop(ident, 0) or monotonic_ns()
        value, flags = _length(queue)(None), 0
    except BaseException:
        moment = monotonic_ns()
        raise
    finally:
        tape.write(PUT, thing, site, value, flags, moment)


@replaces("multiprocessing.queues", "Queue._start_thread")
def _start_feeder(original: Function) -> Function:
    def _start_thread(self: Any) -> None:
        """Note that who puts the first item has waited for room until now: what follows is work."""
        moments[get_ident()] = monotonic_ns()
        original(self)

    return _start_thread


@replaces("multiprocessing.queues", "Queue.get")
def _get(original: Function) -> Function:
    def get(self: Any, block: bool = True, timeout: float | None = None) -> Any:
        site = place_above(getframe(1))
        thing = vars(self).get("_cookbook_thing")
        if thing and site:
            return wait(
                *(GET, thing, site, original, self, block, timeout),
                is_endless=block and timeout is None,
                measure=_length(self),
            )
        return original(self, block, timeout)

    return get


@replaces("multiprocessing.queues", "Queue._on_queue_feeder_error")
def _not_fed(original: Function) -> Function:
    def _on_queue_feeder_error(error: Any, obj: Any) -> None:
        queue = getframe(1).f_locals.get("send_bytes")
        thing = vars(queue.__self__).get("_cookbook_queue", 0) if queue is not None else 0
        tape.write(NOT_FED, thing, flags=IN_VAIN)
        original(error, obj)

    return _on_queue_feeder_error


@replaces("multiprocessing.queues", "JoinableQueue.task_done")
def _task_done(original: Function) -> Function:
    def task_done(self: Any) -> None:
        moment = monotonic_ns()
        original(self)
        thing = vars(self).get("_cookbook_thing", 0)
        left = self._unfinished_tasks
        value = left._semlock._get_value() if hasattr(left, "_semlock") else -1
        tape.write(TASK_DONE, thing, place_above(getframe(1)), value, 0, moment)

    return task_done


@replaces("multiprocessing.queues", "JoinableQueue.join")
def _join(original: Function) -> Function:
    def join(self: Any) -> None:
        thing = vars(self).get("_cookbook_thing", 0)
        wait(QUEUE_JOIN, thing, place_above(getframe(1)), original, self)

    return join


@replaces("multiprocessing.queues", "SimpleQueue.put")
def _put_simple(original: Function) -> Function:
    def put(self: Any, obj: Any) -> None:
        site = place(getframe(1))
        if site:
            wait(PUT, _queue_thing(self), site, original, self, obj, measure=lambda _: -1)
        else:
            original(self, obj)

    return put


@replaces("multiprocessing.queues", "SimpleQueue.get")
def _get_simple(original: Function) -> Function:
    def get(self: Any) -> Any:
        site = place(getframe(1))
        if site:
            return wait(GET, _queue_thing(self), site, original, self, measure=lambda _: -1)
        return original(self)

    return get
