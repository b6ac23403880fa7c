"""What a manager owns: the objects of its own making, and what is known of each registered type."""

from __future__ import annotations

import array
from typing import TYPE_CHECKING, Any, NamedTuple

from parallel_cookbook.simulation import queue, threading

if TYPE_CHECKING:
    from collections.abc import Callable

# Whatever a manager holds, and whatever its methods take.
# ruff: noqa: ANN401


class Namespace:
    """An object with attributes, for `Manager().Namespace()`."""

    __module__ = "multiprocessing.managers"

    def __init__(self, /, **attributes: Any) -> None:
        vars(self).update(attributes)

    def __repr__(self) -> str:
        public = sorted(f"{k}={v!r}" for k, v in vars(self).items() if not k.startswith("_"))
        return f"{type(self).__name__}({', '.join(public)})"


class Value:
    """One value of any type, for `Manager().Value()`."""

    __module__ = "multiprocessing.managers"

    def __init__(self, typecode: Any, value: Any, lock: Any = True) -> None:  # noqa: ARG002 - CPython's
        self._typecode = typecode
        self._value = value

    def get(self) -> Any:
        """Return the value."""
        return self._value

    def set(self, value: Any) -> None:
        """Assign the value."""
        self._value = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._typecode!r}, {self._value!r})"

    value = property(get, set)  # noqa: A003 - the method of this class is meant


def Array(typecode: str, sequence: Any, lock: Any = True) -> array.array[Any]:  # noqa: ARG001, N802
    """Return an array, for `Manager().Array()`."""
    return array.array(typecode, sequence)


DATA: tuple[Any, ...] = (list, dict, set, Namespace, Value, Array)
"""What makes objects whose methods are indivisible."""
PRIMITIVES: tuple[Any, ...] = (
    (queue.Queue, queue.LifoQueue, queue.PriorityQueue, threading.Barrier, threading.Event)
    + (threading.Lock, threading.RLock, threading.Condition, threading.Semaphore)
    + (threading.BoundedSemaphore,)
)
"""What makes objects whose methods are steps of their own."""
KNOWN = DATA + PRIMITIVES


class Entry(NamedTuple):
    """What a server knows of a registered type; it is pickled for it."""

    known: int | None
    """Which of KNOWN makes its objects; None for the program's own types."""
    make: Callable[..., Any] | None
    """What makes them, if it is the program's; None: the only argument is the object."""
    exposed: tuple[str, ...] | None
    types_of_results: dict[str, str] | None

    def new(self, *args: Any, **kwargs: Any) -> Any:
        """Return a new object of the type."""
        if self.known is not None:
            return KNOWN[self.known](*args, **kwargs)
        if self.make is not None:
            return self.make(*args, **kwargs)
        if kwargs or len(args) != 1:
            raise ValueError("Without callable, must have one non-keyword argument")
        return args[0]


class Token:
    """What identifies an object of a manager."""

    __module__ = "multiprocessing.managers"
    __slots__ = ("address", "id", "typeid")

    def __init__(self, typeid: str, address: Any, id: str) -> None:  # noqa: A002 - CPython's name
        self.typeid, self.address, self.id = typeid, address, id

    def __getstate__(self) -> tuple[str, Any, str]:
        return self.typeid, self.address, self.id

    def __setstate__(self, state: tuple[str, Any, str]) -> None:
        self.typeid, self.address, self.id = state

    def __repr__(self) -> str:
        return f"{type(self).__name__}(typeid={self.typeid!r}, address={self.address!r}, id={self.id!r})"


class RemoteError(Exception):
    """What went wrong in the server, but in the call itself."""

    __module__ = "multiprocessing.managers"

    def __str__(self) -> str:
        line = "-" * 75
        return f"\n{line}\n{self.args[0]}{line}"


def public_methods(obj: object) -> list[str]:
    """Return the names of what can be called of an object, without those that begin with `_`."""
    return [name for name in dir(obj) if name[0] != "_" and callable(getattr(obj, name))]


def error_of(kind: str, result: Any) -> BaseException:
    """Return the exception that an answer of this kind stands for."""
    if kind == "#ERROR":
        return result  # type: ignore[no-any-return]  # an exception that was pickled
    if kind == "#UNSERIALIZABLE":
        return RemoteError(f"Unserializable message: {result}\n")
    return RemoteError(result)
