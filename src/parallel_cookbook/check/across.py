"""What processes share, for the narrator: one identity for all views of it, its values, its messages.

Each process has an object of its own for a lock, a queue, a value that they share. A story must call it by
one name, and say what was read, written, sent and received. Nothing of the program's is called: a message
is only unpickled if it holds plain data.
"""

from __future__ import annotations

import functools
import io
import pickle
from typing import TYPE_CHECKING, Any

from parallel_cookbook.events import Undelivered
from parallel_cookbook.simulation.processes.channels import End
from parallel_cookbook.simulation.processes.connection import Connection
from parallel_cookbook.simulation.processes.ctypes_views import Shared
from parallel_cookbook.simulation.processes.queues import Queue, SimpleQueue, _Pipe
from parallel_cookbook.simulation.processes.semlocks import SemLock
from parallel_cookbook.simulation.processes.sharedctypes import SynchronizedBase
from parallel_cookbook.simulation.processes.world import DEFAULT_METHOD, world_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from parallel_cookbook.kernel import Kernel, Operation, Target
    from parallel_cookbook.simulation.processes.channels import Channel

# Objects of the program under check, of which nothing is known.
# ruff: noqa: ANN401, SLF001

_PUTS = frozenset({"send", "feed"})
_TAKES = frozenset({"receive", "get", "try to get"})
_OWN_LOCK = frozenset({"acquire", "release", "__enter__", "__exit__"})


def essence(obj: Any) -> Any:
    """Return what all processes share of an object; the object itself if that is nothing."""
    kind = type(obj)  # and no isinstance, which may ask the object for its class
    if issubclass(kind, SynchronizedBase):
        obj, kind = obj._obj, type(obj._obj)
    if issubclass(kind, SemLock):
        return obj._core
    if issubclass(kind, Queue | SimpleQueue):
        return obj._pipe
    if issubclass(kind, Connection):
        return obj._end
    if issubclass(kind, Shared):
        return obj._memory
    return obj


def is_inner_lock(obj: Any, operation: Operation, function: str) -> bool:
    """Whether a step is that of the lock of a Value or Array, taken for one access by itself."""
    is_access = operation.target.kind == "rlock" and function not in _OWN_LOCK
    return issubclass(type(obj), SynchronizedBase) and is_access


def cell_reader(obj: Any, operation: Operation) -> tuple[str, Callable[[], Any]] | None:
    """Return the cell of shared memory that a step touches: ".value", "[2]", and who reads it."""
    raw = obj._obj if issubclass(type(obj), SynchronizedBase) else obj
    if not issubclass(type(raw), Shared) or not operation.target.kind.startswith("cell "):
        return None
    path = operation.target.kind.removeprefix("cell ").split(".")
    text = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path)
    if path[-1] in {"union", "bits"}:
        return None
    plain = _root(raw)
    return text, lambda: functools.reduce(_step_into, path, plain)


def _root(raw: Any) -> Any:
    """Return the whole of the memory behind a shared object or a part of it, without announcing accesses."""
    return raw._memory.plain.from_buffer(raw._memory.bytes)


def _step_into(obj: Any, part: str) -> Any:
    return obj[int(part)] if part.isdigit() else getattr(obj, part)


class Messages:
    """Follows the messages of one execution."""

    def __init__(self, describe: Callable[[object], str]) -> None:
        self._describe = describe
        self._texts: dict[tuple[int, int], str] = {}
        self._kept: list[Channel] = []

    def follow(self, obj: Any, operation: Operation) -> Transfer | None:
        """Return what follows a step that may send or receive; None if it is no such step."""
        channel = _channel(obj, operation.kind)
        if channel is None:
            return None
        self._kept.append(channel)
        return Transfer(self, channel, is_put=operation.kind in _PUTS)

    def told_sent(self, channel: Channel, number: int) -> str:
        """Say what has just been sent, and remember it for who receives it."""
        text = self._texts[id(channel), number] = self._text(channel._messages[number])
        return f"sent → {text}"

    def told_received(self, channel: Channel, number: int) -> str:
        """Say what has been received."""
        return f"received ← {self._texts.get((id(channel), number), 'a message')}"

    def _text(self, message: Any) -> str:
        if not isinstance(message, bytes):
            return "a message"
        try:
            return self._describe(_PlainUnpickler(io.BytesIO(message)).load())
        except Exception:  # noqa: BLE001 - bytes of the program's own, or objects of its classes
            return f"a message of {len(message):,} bytes"


class Transfer:
    """A step that may send or receive a message: none of it is told if another task was quicker.

    What the channel has seen is noted when the step begins: since the task arrived, much may have happened.
    """

    def __init__(self, messages: Messages, channel: Channel, *, is_put: bool) -> None:
        self._messages = messages
        self._channel = channel
        self._is_put = is_put
        self._before = 0

    def _count(self) -> int:
        return self._channel.sent if self._is_put else self._channel.received

    def begin(self) -> None:
        """Note that the step is taken now."""
        self._before = self._count()

    def told(self) -> str:
        """Say, after the step, what was sent or received by it; nothing if it was in vain."""
        if self._count() == self._before:
            return ""
        tell = self._messages.told_sent if self._is_put else self._messages.told_received
        return tell(self._channel, self._before)


def _channel(obj: Any, kind: str) -> Channel | None:
    if kind not in _PUTS | _TAKES:
        return None
    if type(obj) is _Pipe:
        return obj.channel
    if type(obj) is End:
        return obj.outgoing if kind in _PUTS else obj.incoming
    return None


def undelivered(views: Iterable[Any], label: Callable[[Any], str]) -> Iterator[Undelivered]:
    """Yield what is left in the buffers and pipes of these queues and connections, each pipe once."""
    pipes: dict[int, tuple[str, int]] = {}
    for view in views:
        shared = essence(view)
        channel = _channel(shared, "get")
        if channel is not None:
            pipes[id(channel)] = label(shared), channel.sent - channel.received
        if channel is not None and issubclass(type(view), Queue) and view._feeder is not None:
            waiting = len(view._buffer)
            task = view._feeder.index
            if waiting:
                yield Undelivered(label(shared), waiting, "not fed into the pipe yet", task)
            operation = view._feeder.operation
            if operation is not None and operation.kind == "feed the rest":
                name, count = pipes.pop(id(channel))
                yield Undelivered(name, count, "still in the pipe", task)
    for name, count in pipes.values():
        if count:
            yield Undelivered(name, count, "still in the pipe")


def feeder_of(views: Iterable[Any], target: Target) -> int | None:
    """Return the index of the feeder that empties the buffer with this target, if one of the queues' does."""
    for view in views:
        if issubclass(type(view), Queue) and view._buffered is target and view._feeder is not None:
            index: int = view._feeder.index
            return index
    return None


class _PlainUnpickler(pickle.Unpickler):
    """Refuses whatever is more than data."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name}")


def forked_tasks(kernel: Kernel) -> Iterator[str]:
    """Yield the names of the processes of an execution that were to be started by fork or forkserver."""
    for popen in world_of(kernel).started.values():
        if popen.method != DEFAULT_METHOD:
            yield popen.task.name
