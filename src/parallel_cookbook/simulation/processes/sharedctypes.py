"""`multiprocessing.sharedctypes` for a program under check: Value, Array and their raw forms.

Guarantees: processes share the memory itself, each through a ctypes object of its own (ctypes_views.py). To
read or write a raw value, an item, or a field is one step; so `value.value += 1` is two, with others
between them. With a lock, each access takes it, which is one more step unless the task holds it already.

What CPython does: Lib/multiprocessing/sharedctypes.py.

PYTEST_DONT_REWRITE: an assertion of this module says what CPython's own does, to the letter.
"""

from __future__ import annotations

import ctypes
import functools
from multiprocessing import sharedctypes as _real
from typing import TYPE_CHECKING, Any

from parallel_cookbook.simulation.processes.ctypes_views import Memory, Shared, fields, view
from parallel_cookbook.simulation.processes.semlocks import Lock, RLock
from parallel_cookbook.simulation.processes.world import assert_spawning

if TYPE_CHECKING:
    from types import TracebackType

# ctypes objects of any type.
# ruff: noqa: ANN401

__all__ = ["Array", "RawArray", "RawValue", "Value", "copy", "synchronized"]

typecode_to_type: dict[Any, Any] = vars(_real)["typecode_to_type"]


def RawValue(typecode_or_type: Any, *args: Any) -> Any:  # noqa: N802 - CPython's name
    """Return a new ctypes object in shared memory."""
    plain = typecode_to_type.get(typecode_or_type, typecode_or_type)
    memory = Memory(plain)
    plain.from_buffer(memory.bytes).__init__(*args)
    return view(plain, memory)


def RawArray(typecode_or_type: Any, size_or_initializer: Any) -> Any:  # noqa: N802 - CPython's name
    """Return a new ctypes array in shared memory."""
    kind = typecode_to_type.get(typecode_or_type, typecode_or_type)
    if isinstance(size_or_initializer, int):
        plain, items = kind * size_or_initializer, ()
    else:
        plain, items = kind * len(size_or_initializer), size_or_initializer
    memory = Memory(plain)
    plain.from_buffer(memory.bytes).__init__(*items)
    return view(plain, memory)


def Value(typecode_or_type: Any, *args: Any, lock: Any = True, ctx: Any = None) -> Any:  # noqa: N802
    """Return a new value in shared memory, with a lock unless `lock` is False."""
    return _with_lock(RawValue(typecode_or_type, *args), lock, ctx)


def Array(  # noqa: N802 - CPython's name
    typecode_or_type: Any, size_or_initializer: Any, *, lock: Any = True, ctx: Any = None
) -> Any:
    """Return a new array in shared memory, with a lock unless `lock` is False."""
    return _with_lock(RawArray(typecode_or_type, size_or_initializer), lock, ctx)


def _with_lock(obj: Any, lock: Any, ctx: Any) -> Any:
    if lock is False:
        return obj
    if lock in {True, None}:
        lock = RLock(ctx=ctx)
    if not hasattr(lock, "acquire"):
        raise AttributeError(f"{lock!r} has no method 'acquire'")
    return synchronized(obj, lock, ctx)


def copy(obj: Any) -> Any:
    """Return a new object in shared memory with the same contents."""
    plain = getattr(obj, "_plain", type(obj))
    memory = Memory(plain)
    if isinstance(obj, Shared):
        obj.load_all()
    ctypes.memmove(
        ctypes.addressof(plain.from_buffer(memory.bytes)), ctypes.addressof(obj), len(memory.bytes)
    )
    return view(plain, memory)


def synchronized(obj: Any, lock: Any = None, ctx: Any = None) -> SynchronizedBase:
    """Return `obj` with a lock that each access takes."""
    assert not isinstance(obj, SynchronizedBase), "object already synchronized"  # noqa: S101 - as CPython
    plain: Any = getattr(obj, "_plain", type(obj))
    if issubclass(plain, ctypes._SimpleCData):  # noqa: SLF001 - as CPython
        return Synchronized(obj, lock, ctx)
    if issubclass(plain, ctypes.Array):
        if plain._type_ is ctypes.c_char:
            return SynchronizedString(obj, lock, ctx)
        return SynchronizedArray(obj, lock, ctx)
    kind: type[SynchronizedBase] = _synchronized_structure(plain)
    return kind(obj, lock, ctx)


@functools.lru_cache(maxsize=256)
def _synchronized_structure(plain: Any) -> Any:
    names = {field: _guarded(field) for field, *_ in fields(plain)}
    return type(f"Synchronized{plain.__name__}", (SynchronizedBase,), names)


def _guarded(name: str) -> property:
    def get(self: SynchronizedBase) -> Any:
        with self:
            return getattr(self._obj, name)

    def set_(self: SynchronizedBase, value: Any) -> None:
        with self:
            setattr(self._obj, name, value)

    return property(get, set_)


class SynchronizedBase:
    """An object in shared memory, and its lock."""

    __module__ = "multiprocessing.sharedctypes"

    def __init__(self, obj: Any, lock: Any = None, ctx: Any = None) -> None:
        self._obj = obj
        self._lock = lock or RLock(ctx=ctx)
        if isinstance(obj, Shared) and isinstance(self._lock, Lock | RLock):
            obj.guard_by(self._lock)
        self.acquire = self._lock.acquire
        self.release = self._lock.release

    def __enter__(self) -> Any:
        return self._lock.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        return self._lock.__exit__(kind, error, traceback)

    def __reduce__(self) -> Any:
        assert_spawning(self)
        return synchronized, (self._obj, self._lock)

    def get_obj(self) -> Any:
        """Return the object without its lock."""
        return self._obj

    def get_lock(self) -> Any:
        """Return the lock."""
        return self._lock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} wrapper for {self._obj}>"


class Synchronized(SynchronizedBase):
    """A value and its lock."""

    __module__ = "multiprocessing.sharedctypes"
    value = _guarded("value")


class SynchronizedArray(SynchronizedBase):
    """An array and its lock."""

    __module__ = "multiprocessing.sharedctypes"

    def __len__(self) -> int:
        return len(self._obj)

    def __getitem__(self, i: Any) -> Any:
        with self:
            return self._obj[i]

    def __setitem__(self, i: Any, value: Any) -> None:
        with self:
            self._obj[i] = value

    def __getslice__(self, start: int, stop: int) -> Any:
        with self:
            return self._obj[start:stop]

    def __setslice__(self, start: int, stop: int, values: Any) -> None:
        with self:
            self._obj[start:stop] = values


class SynchronizedString(SynchronizedArray):
    """An array of characters and its lock."""

    __module__ = "multiprocessing.sharedctypes"
    value = _guarded("value")
    raw = _guarded("raw")
