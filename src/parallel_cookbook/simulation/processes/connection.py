"""`multiprocessing.connection` for a program under check: Connection, Pipe and wait.

Guarantees: to send is one step, and one more if the pipe is too full for the message: it ends when enough
has been received. To receive, to poll and to close are one step each, and one more whenever another
task has been quicker on the same end. Messages keep their borders; two tasks that send on one end at the
same time never mix their bytes, as those of the real one may.

What is sent is pickled. An end is open as long as any process holds it open: a process gets its own
handle with the Process object's arguments, or in a message. Whoever receives when nobody can send any
more gets EOFError; who sends when nobody can receive, BrokenPipeError.

What CPython does: Lib/multiprocessing/connection.py.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

import errno
import os as _os
import pickle
from multiprocessing import BufferTooShort
from typing import TYPE_CHECKING, Any, NoReturn, Self

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.clock import expire, timed
from parallel_cookbook.simulation.processes.channels import (
    DROPPED,
    END,
    RESET,
    SENT,
    Channel,
    End,
    is_execution_over,
    is_there,
    new_ends,
)
from parallel_cookbook.simulation.processes.pickling import ForkingPickler
from parallel_cookbook.simulation.processes.world import own_state, share, shared, world_of
from parallel_cookbook.simulation.refused import refuse

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from parallel_cookbook.kernel import Kernel
    from parallel_cookbook.simulation.processes.channels import Part

# Whatever the program sends, of any type.
# ruff: noqa: ANN401

_ENDED = 2


class _ConnectionBase:
    """One end of a pipe, as one process sees it; see `multiprocessing.connection.Connection`."""

    __module__ = "multiprocessing.connection"

    def __init__(self, end: End, readable: bool = True, writable: bool = True) -> None:
        self._kernel = active_kernel()
        self._end = end
        self._state = own_state(self._kernel)
        self._handle: int | None = self._state.new_handle(end)
        self._readable = readable
        self._writable = writable

    # --- what it is -----------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._handle is None

    @property
    def readable(self) -> bool:
        """Whether one can receive from it."""
        return self._readable

    @property
    def writable(self) -> bool:
        """Whether one can send to it."""
        return self._writable

    def __hash__(self) -> int:
        # Not by address: a program that goes through a set of connections does the same each time.
        return self._end.handles.uid

    def fileno(self) -> int:
        """Return its number in this process. Raises OSError if it is closed."""
        self._check_closed()
        assert self._handle is not None  # noqa: S101 - just looked
        return self._handle

    def _check_closed(self) -> None:
        if self._handle is None:
            raise OSError("handle is closed")

    def _check_readable(self) -> Channel:
        self._check_closed()
        if not self._readable or self._end.incoming is None:
            raise OSError("connection is write-only")
        return self._end.incoming

    def _check_writable(self) -> Channel:
        self._check_closed()
        if not self._writable or self._end.outgoing is None:
            raise OSError("connection is read-only")
        return self._end.outgoing

    # --- sending --------------------------------------------------------------------------------

    def send(self, obj: Any) -> None:
        """Pickle an object and send it. Raises BrokenPipeError if nobody can receive it."""
        channel = self._check_writable()
        self._send(channel, bytes(ForkingPickler.dumps(obj)))

    def send_bytes(self, buf: Any, offset: int = 0, size: int | None = None) -> None:
        """Send bytes as one message."""
        channel = self._check_writable()
        view = memoryview(buf)
        if view.itemsize > 1:
            view = view.cast("B")
        length = view.nbytes
        if offset < 0:
            raise ValueError("offset is negative")
        if length < offset:
            raise ValueError("buffer length < offset")
        if size is None:
            size = length - offset
        elif size < 0:
            raise ValueError("size is negative")
        elif offset + size > length:
            raise ValueError("buffer length < offset + size")
        self._send(channel, bytes(view[offset : offset + size]))

    def _send(self, channel: Channel, message: bytes) -> None:
        kernel = self._kernel
        if kernel.is_unwinding:
            return
        listeners = ((self._end.other.handles, Mode.WRITE, None),)
        kernel.point(Operation("send", channel.tail, Mode.WRITE, None, listeners))
        if channel.is_broken:
            _raise_broken_pipe()
        room = channel.put(message, len(message))
        if room is not None:
            target, mode, need = room
            kernel.point(Operation("send the rest to", target, mode, need))
            if target.state == DROPPED:
                _raise_broken_pipe()

    # --- receiving ------------------------------------------------------------------------------

    def recv(self) -> Any:
        """Wait for a message; return the object that was sent. Raises EOFError if none can come."""
        channel = self._check_readable()
        return pickle.loads(self._receive(channel))  # noqa: S301 - what the program has sent

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        """Wait for a message; return its bytes. Raises OSError if there are more than `maxlength`."""
        channel = self._check_readable()
        if maxlength is not None and maxlength < 0:
            raise ValueError("negative maxlength")
        message = self._receive(channel)
        if maxlength is not None and len(message) > maxlength:
            if self._writable:
                self._readable = False
            else:
                self.close()
            raise OSError("bad message length")
        return message

    def recv_bytes_into(self, buf: Any, offset: int = 0) -> int:
        """Wait for a message; write its bytes into `buf` and return how many they are."""
        channel = self._check_readable()
        with memoryview(buf) as view:
            room = view.itemsize * len(view)
            if offset < 0:
                raise ValueError("negative offset")
            if offset > room:
                raise ValueError("offset too large")
            message = self._receive(channel)
            if room < offset + len(message):
                raise BufferTooShort(message)
            view.cast("B")[offset : offset + len(message)] = message
            return len(message)

    def _receive(self, channel: Channel) -> bytes:
        kernel = self._kernel
        while True:
            number = channel.first_place()
            place = channel.place(number)
            more = ((place, Mode.WRITE, is_there),)
            kernel.point(Operation("receive", channel.head, Mode.WRITE, None, more))
            if place.state == SENT and number == channel.received:
                message: bytes = channel.take()
                return message
            if place.state == END:
                raise EOFError
            if place.state == RESET:
                place.state = END
                raise ConnectionResetError(errno.ECONNRESET, _os.strerror(errno.ECONNRESET))
            channel.learn_received()

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Whether there is a message, or the end of the file; wait for it for `timeout` seconds."""
        self._check_readable()
        return bool(wait([self], timeout))

    # --- the end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Close it in this process. One step, if it is open."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        if not self._kernel.is_unwinding and self._state.ends.pop(handle, None) is not None:
            self._end.close()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is None or is_execution_over(self._kernel):
            return
        if self._state.ends.pop(handle, None) is not None:
            self._kernel.settle(Operation("close", self._end.handles, Mode.READ))
            self._end.closed()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> Any:
        self._check_closed()
        self._end.handles.state += 1
        state = own_state(self._kernel)
        popen = state.spawning.get(self._kernel.running)
        if popen is not None:
            popen.inherited.append(self._end)
        return _rebuild, (share(self._end), self._readable, self._writable)


class Connection(_ConnectionBase):
    """See `multiprocessing.connection.Connection`."""

    __module__ = "multiprocessing.connection"


def _rebuild(number: int, readable: bool, writable: bool) -> Connection:
    """Return what stands for a connection that was sent to the running process."""
    end: End = shared(number)
    state = own_state(active_kernel())
    if state.popen is not None and end in state.popen.inherited:
        state.popen.inherited.remove(end)
    return Connection(end, readable, writable)


def _raise_broken_pipe() -> NoReturn:
    raise BrokenPipeError(errno.EPIPE, _os.strerror(errno.EPIPE))


def Pipe(duplex: bool = True) -> tuple[Connection, Connection]:  # noqa: N802 - CPython's name
    """Return the two ends of a new pipe; without `duplex` the first receives, the second sends."""
    first, second = new_ends(active_kernel(), duplex=duplex)
    return (
        Connection(first, readable=True, writable=duplex),
        Connection(second, readable=duplex, writable=True),
    )


# --- waiting for several ------------------------------------------------------------------------


class _Any(Operation):
    """Waits until any of several things is ready: each may be, so none of them has a need of its own."""

    __slots__ = ("_is_ready",)

    def __init__(self, parts: list[Part], is_ready: Callable[[], bool]) -> None:
        target, mode, _ = parts[0]
        super().__init__("wait on", target, mode, None, tuple(parts[1:]))
        self._is_ready = is_ready

    def is_enabled(self) -> bool:
        """Whether at least one of them is ready."""
        return self._is_ready()

    def extended(self, part: Part) -> Operation:
        """Return the same operation on one more target."""
        return _Any([*self.parts(), part], self._is_ready)


class _Awaited:
    """One of several things that are waited for: a connection, or the end of a process."""

    def __init__(self, kernel: Kernel, thing: Any) -> None:
        self.thing = thing
        self.channel: Channel | None = None
        if isinstance(thing, _ConnectionBase):
            channel = self.channel = thing._check_readable()  # noqa: SLF001 - of the same file
            self.number = channel.first_place()
            self.target = channel.place(self.number)
            self.is_ready = is_there
            self.parts = [
                (self.target, Mode.READ, is_there),
                (channel.tail, Mode.READ, None),
                (thing._end.other.handles, Mode.WRITE, None),  # noqa: SLF001
            ]
            return
        handle = thing if isinstance(thing, int) else thing.fileno()
        started = world_of(kernel).started.values()
        popen = next((popen for popen in started if popen.sentinel == handle), None)
        if popen is None:
            refuse("multiprocessing.connection.wait for anything but pipes and processes")
        kernel.demand_life_points()
        self.target = popen.task.done
        self.is_ready = _is_ended
        self.parts = [(self.target, Mode.READ, _is_ended)]

    def is_outrun(self) -> bool:
        """Whether another task has taken the message that this was about; learn of it then."""
        if self.channel is None or self.channel.received == self.number:
            return False
        self.channel.learn_received()
        return True


def wait(object_list: Any, timeout: float | None = None) -> list[Any]:
    """Return those of the objects that are ready: connections, and sentinels of processes.

    One step, and one more whenever another task has been quicker at one of them.
    """
    kernel = active_kernel()
    things = list(object_list)
    while things or timeout is None:
        awaited = [_Awaited(kernel, thing) for thing in things]
        ready = _wait_once(kernel, awaited, timeout)
        outrun = [each for each in awaited if each.is_outrun()]  # each of them learns
        if not outrun:
            return ready
    return []


def _wait_once(kernel: Kernel, awaited: list[_Awaited], timeout: float | None) -> list[Any]:
    def is_any_ready(_state: int = 0) -> bool:
        return any(each.is_ready(each.target.state) for each in awaited)

    operation: Operation
    if timeout is None and len(awaited) == 1:
        # It returns when there is something, whatever else comes: no look at tail or end.
        operation = Operation("wait on", *awaited[0].parts[0])
    elif timeout is None and awaited:
        parts: list[Part] = [(t, mode, None) for each in awaited for t, mode, _ in each.parts]
        operation = _Any(parts, is_any_ready)
    elif timeout is None:
        operation = Operation("wait on", kernel.new_target("nothing"), Mode.READ, _never)
    else:
        target = awaited[0].target
        operation = timed(kernel, "wait on", target, Mode.READ, is_any_ready, max(timeout, 0))
        for part in [part for each in awaited for part in each.parts][1:]:
            operation = operation.extended((part[0], part[1], None))
    kernel.point(operation)
    if not is_any_ready():
        expire(kernel, operation)
    return [each.thing for each in awaited if each.is_ready(each.target.state)]


def _is_ended(state: int) -> bool:
    return state == _ENDED


def _never(_state: int) -> bool:
    return False
