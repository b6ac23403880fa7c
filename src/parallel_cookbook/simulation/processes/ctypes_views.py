"""Ctypes objects on memory that processes share, which announce each access to it.

Guarantees: an access to a simple value, an item or a field is one step on the cell of that name. A part of
an object that has parts itself, such as a structure in an array, is an object of this kind too, on the
same memory. The fields of a union are one cell, whatever is inside of them, and so are the fields of a
structure that are given in bits. What is read is the real memory.

A type is derived from the ctypes type that was asked for, and bears its name.
"""

from __future__ import annotations

import ctypes
import functools
from typing import TYPE_CHECKING, Any, Final

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation.processes.memory import Cells
from parallel_cookbook.simulation.processes.world import assert_spawning, share, shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parallel_cookbook.simulation.processes.semlocks import Lock, RLock

# ctypes objects of any type.
# ruff: noqa: ANN401

_TEXTS = (ctypes.c_char, ctypes.c_wchar)


class Memory:
    """The bytes of one value or array, which all processes share."""

    def __init__(self, plain: Any) -> None:
        self.plain: Final = plain
        """The ctypes type of the whole."""
        self.bytes = bytearray(ctypes.sizeof(plain))
        self.cells = Cells(active_kernel())


class Shared:
    """What the derived types have in common."""

    _memory: Memory
    _plain: Any
    """The ctypes type that was asked for."""
    _prefix: str
    """What the names of its cells begin with: empty, or "3." for what is in the item 3."""
    _is_part: bool
    _is_one_cell: bool
    """Whether it is in a union: then its name, without the dot, is that of its only cell."""

    def __reduce__(self) -> Any:
        plain: Any = self._plain
        if self._is_part:  # ctypes pickles a part as a copy
            self.load_all()
            return plain.from_buffer_copy(self).__reduce__()
        assert_spawning(self)
        if issubclass(plain, ctypes.Array):
            return _rebuild, (plain._type_, plain._length_, share(self._memory))
        return _rebuild, (plain, None, share(self._memory))

    __reduce_ex__ = lambda self, _protocol: self.__reduce__()  # noqa: E731 - ctypes has one of its own

    def load_all(self) -> None:
        """Announce a read of the whole. One step."""
        self._memory.cells.load(self._cells_of(self._plain, ""))

    def store_all(self) -> None:
        """Announce a write of the whole. One step."""
        self._memory.cells.store(self._cells_of(self._plain, ""))

    def guard_by(self, lock: Lock | RLock) -> None:
        """Have it noted who takes this lock, for who looks for races of the accesses under it."""
        self._memory.cells.entered = lock.guard()

    def _cells_of(self, kind: Any, part: str) -> Sequence[str]:
        """Return the names of the cells of a part, which is of this ctypes type."""
        if self._is_one_cell:
            return (self._prefix.removesuffix(".") or "union",)
        return _cells(kind, (self._prefix + part).removesuffix("."))

    def _part(self, kind: Any, part: str, found: Any) -> Any:
        """Return a part that has parts itself, as an object that announces their accesses."""
        first = ctypes.addressof(ctypes.c_char.from_buffer(self._memory.bytes))
        start = ctypes.addressof(found) - first
        prefix = self._prefix if self._is_one_cell else f"{self._prefix}{part}."
        return _view_at(
            kind, self._memory, start, prefix, is_part=True, is_one_cell=self._is_one_cell
        )


def _rebuild(kind: Any, length: int | None, number: int) -> Any:
    plain = kind if length is None else kind * length
    return view(plain, shared(number))


def view(plain: Any, memory: Memory) -> Any:
    """Return an object of the type derived from `plain` on this memory."""
    return _view_at(plain, memory, 0, "", is_part=False, is_one_cell=False)


def _view_at(
    plain: Any, memory: Memory, start: int, prefix: str, *, is_part: bool, is_one_cell: bool
) -> Any:
    found = _derived(plain).from_buffer(memory.bytes, start)
    found._memory, found._prefix, found._is_part = memory, prefix, is_part  # noqa: SLF001 - our type
    found._is_one_cell = is_one_cell or issubclass(plain, ctypes.Union)  # noqa: SLF001
    return found


def _has_parts(kind: Any) -> bool:
    """Whether objects of a ctypes type have fields or items."""
    parted = (ctypes.Structure, ctypes.Union, ctypes.Array)
    return isinstance(kind, type) and issubclass(kind, parted)


def _cells(kind: Any, name: str) -> list[str]:
    """Return the names of all cells of what is called `name`, and is of this ctypes type."""
    if not _has_parts(kind) or issubclass(kind, ctypes.Union):
        return [name or "union"]
    inside = f"{name}." if name else ""
    if issubclass(kind, ctypes.Array):
        return [cell for i in range(kind._length_) for cell in _cells(kind._type_, f"{inside}{i}")]
    found = [
        cell
        for field, part, *bits in fields(kind)
        for cell in _cells(None if bits else part, f"{inside}{'bits' if bits else field}")
    ]
    return list(dict.fromkeys(found))


@functools.lru_cache(maxsize=256)
def _derived(plain: Any) -> Any:
    """Return the type that announces each access to an object of the ctypes type `plain`."""
    names: dict[str, Any] = {"_plain": plain, "__module__": plain.__module__}
    bases: tuple[Any, ...] = (Shared, plain)
    if issubclass(plain, ctypes.Array):
        bases = (_Items, plain)
        if plain._type_ in _TEXTS:
            names["value"] = _property(plain, "value", plain, "")
        if plain._type_ is ctypes.c_char:
            names["raw"] = _property(plain, "raw", plain, "")
    elif issubclass(plain, ctypes.Structure | ctypes.Union):
        for field, kind, *bits in fields(plain):
            names[field] = _property(plain, field, kind, "bits" if bits else field)
    else:
        names["value"] = _property(plain, "value", None, "value")
    derived = type(plain)(plain.__name__, bases, names)
    for name, value in names.items():
        if isinstance(value, property):
            setattr(derived, name, value)  # the metaclass of texts has put its own there
    return derived


def fields(plain: Any) -> list[tuple[Any, ...]]:
    """Return the fields of a structure or union, those of its bases first, each as ctypes has it."""
    found: list[tuple[Any, ...]] = []
    for base in reversed(plain.__mro__):
        found += vars(base).get("_fields_", ())
    return found


def _property(plain: Any, name: str, kind: Any, part: str) -> property:
    """Return an attribute that announces its accesses to the cells of a part, of the type `kind`."""
    inner = getattr(plain, name)
    is_text = kind is plain or (_is_array(kind) and kind._type_ in _TEXTS)
    is_apart = _has_parts(kind) and not is_text and part != "bits"
    whole = None if part == "bits" else kind

    def get(self: Any) -> Any:
        if is_apart:
            return self._part(kind, part, inner.__get__(self, type(self)))
        self._memory.cells.load(self._cells_of(whole, part))
        return inner.__get__(self, type(self))

    def set_(self: Any, value: Any) -> None:
        self._memory.cells.store(self._cells_of(whole, part))
        inner.__set__(self, value)

    return property(get, set_)


def _is_array(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, ctypes.Array)


class _Items(Shared):
    """The items of an array, each a cell, or several if it has parts."""

    def _cells_at(self, index: Any) -> list[str]:
        """Return the names of the cells of an item, or of the items of a slice."""
        numbers = range(self._plain._length_)
        try:
            wanted = numbers[index] if isinstance(index, slice) else (numbers[index],)
        except (IndexError, TypeError):
            return []  # ctypes will say what is wrong
        kind = self._plain._type_
        return [cell for number in wanted for cell in self._cells_of(kind, str(number))]

    def __getitem__(self, index: Any) -> Any:
        kind = self._plain._type_
        found = super().__getitem__(index)  # type: ignore[misc]  # that of the ctypes array
        if _has_parts(kind) and not isinstance(index, slice):
            return self._part(kind, str(range(self._plain._length_)[index]), found)
        self._memory.cells.load(self._cells_at(index))
        return super().__getitem__(index)  # type: ignore[misc]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._memory.cells.store(self._cells_at(index))
        super().__setitem__(index, value)  # type: ignore[misc]

    def __iter__(self) -> Any:
        for index in range(self._plain._length_):
            yield self[index]
