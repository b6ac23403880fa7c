"""`multiprocessing.shared_memory` for a program under check: the interpreter's own, on simulated names.

Guarantees: SharedMemory and ShareableList are executed from the running interpreter's source; what they ask
of the system is simulated. A block is real memory, mapped once for each SharedMemory, so that views and
their errors are the real ones. To create, to attach to and to unlink a block is one step, on the list of
all names. To read or write an item of a ShareableList is one step; how views are seen, see `announce`.

A block that is not unlinked when the program ends has leaked: `World.blocks` has those that are left.
"""

from __future__ import annotations

import builtins
import ctypes
import errno
import os
import sys
from multiprocessing import shared_memory as _real
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import Mode, Operation, active_kernel
from parallel_cookbook.simulation.processes.memory import Cells
from parallel_cookbook.simulation.processes.world import own_state, world_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

# Items and views are the program's.
# ruff: noqa: ANN401

__all__ = ["ShareableList", "SharedMemory"]

_WORD = 8
"""Bytes of a cell: accesses to the same word are taken to conflict; whether they race, its bytes say."""
_WHOLE = (1 << _WORD) - 1


class _Block:
    """A named piece of memory."""

    def __init__(self) -> None:
        kernel = active_kernel()
        self.file = os.memfd_create("block")
        self.cells = Cells(kernel)
        self.made_by = kernel.running.name
        self.made_at: list[tuple[str, int]] = []
        """The files and lines of the calls that it was made in, the innermost first."""
        # The program's own line is among them.
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
        while frame is not None:
            self.made_at.append((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back

    def __del__(self) -> None:
        os.close(self.file)


# --- what the system does -----------------------------------------------------------------------


def _shm_open(name: str, flags: int, mode: int = 0o777) -> int:  # noqa: ARG001 - the real one's
    """Return a new file descriptor of the block of that name, which is made if need be."""
    _check_name(name)
    kernel = active_kernel()
    _step("open", Mode.WRITE if flags & os.O_CREAT else Mode.READ)
    blocks = world_of(kernel).blocks
    if flags & os.O_CREAT and name not in blocks:
        blocks[name] = _Block()
    elif flags & os.O_EXCL:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
    elif name not in blocks:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    return os.dup(blocks[name].file)


def _shm_unlink(name: str) -> None:
    """Remove a name; the memory goes with the last who uses it."""
    _check_name(name)
    kernel = active_kernel()
    _step("unlink", Mode.WRITE)
    if world_of(kernel).blocks.pop(name, None) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)


def _check_name(name: str) -> None:
    if "\0" in name:
        raise ValueError("embedded null character")


def _step(kind: str, mode: Mode) -> None:
    kernel = active_kernel()
    if len(kernel.tasks) > 1:
        kernel.point(Operation(kind, kernel.shared_target("names of blocks"), mode))


def _token_hex(size: int) -> str:
    """Return what makes a name unique: the same in each execution."""
    state = own_state(active_kernel())
    state.created_names += 1
    return f"{state.pid:x}{state.created_names:04x}".rjust(2 * size, "0")[-2 * size :]


def _ignore(*_args: object) -> None:
    """Do what the tracker of resources does while nobody leaks any."""


_SYSTEM = {
    "_posixshmem": SimpleNamespace(shm_open=_shm_open, shm_unlink=_shm_unlink),
    "secrets": SimpleNamespace(token_hex=_token_hex),
}
_TRACKER = SimpleNamespace(resource_tracker=SimpleNamespace(register=_ignore, unregister=_ignore))


def _import(
    name: str,
    space: Any = None,
    local_names: Any = None,
    wanted: Sequence[str] = (),
    level: int = 0,
) -> Any:
    """Stand in for `__import__` in the interpreter's own source of the module."""
    if level:
        return _TRACKER
    return _SYSTEM.get(name) or builtins.__import__(name, space, local_names, wanted, level)


def _execute() -> dict[str, Any]:
    """Execute the interpreter's own source of the module on the simulated system."""
    space: dict[str, Any] = {
        "__name__": _real.__name__,
        "__package__": _real.__package__,
        "__builtins__": {**vars(builtins), "__import__": _import},
    }
    file = str(_real.__file__)
    exec(compile(Path(file).read_bytes(), file, "exec"), space)  # noqa: S102 - the interpreter's own
    return space


_SPACE = _execute() if sys.platform == "linux" else vars(_real)
_Base: Any = _SPACE["SharedMemory"]
_BaseList: Any = _SPACE["ShareableList"]


class SharedMemory(_Base):  # type: ignore[misc]  # executed from source: of it nothing is known
    """A named block of memory; see `multiprocessing.shared_memory.SharedMemory`."""

    __module__ = "multiprocessing.shared_memory"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        world = world_of(active_kernel())
        world.mapped[id(self._mmap)] = (self._mmap, world.blocks[self._name].cells)

    def __del__(self) -> None:
        try:
            super().__del__()
        except (OSError, BufferError):
            return  # as CPython, which prints that it is ignored


_SPACE["SharedMemory"] = SharedMemory


class ShareableList(_BaseList):  # type: ignore[misc]  # the same
    """A list in a block of memory; see `multiprocessing.shared_memory.ShareableList`."""

    __module__ = "multiprocessing.shared_memory"

    def _cells(self) -> Cells:
        cells: Cells = world_of(active_kernel()).mapped[id(self.shm._mmap)][1]  # noqa: SLF001
        return cells

    def __getitem__(self, position: Any) -> Any:
        self._cells().load((f"item {self._number(position)}",))
        return super().__getitem__(position)

    def __setitem__(self, position: Any, value: Any) -> None:
        self._cells().store((f"item {self._number(position)}",))
        super().__setitem__(position, value)

    def _number(self, position: Any) -> Any:
        return position if position >= 0 else position + self._list_len


# --- views --------------------------------------------------------------------------------------


def _mapping(view: memoryview) -> tuple[Any, Cells] | None:
    world = active_kernel().state.get("processes")
    return world.mapped.get(id(view.obj)) if world is not None and world.mapped else None


def is_shared(view: memoryview) -> bool:
    """Whether it is a view of memory that processes share."""
    return _mapping(view) is not None


def announce(view: memoryview, index: Any, *, is_store: bool) -> None:
    """Announce an access to an item or a slice of a view of shared memory, None is all: a step.

    Views of anything else are nobody's business.
    """
    mapped = _mapping(view)
    if mapped is None:
        return
    _, cells = mapped
    first, end = _bytes(view, index)
    words = range(first // _WORD, (end + _WORD - 1) // _WORD)
    masks = [_mask(first - word * _WORD, end - word * _WORD) for word in words]
    (cells.store if is_store else cells.load)(words, masks)


def _mask(first: int, end: int) -> int:
    """Return which bytes of a word an access touches, as bits: those from `first` on, before `end`."""
    return _WHOLE >> _WORD - min(end, _WORD) & _WHOLE << max(first, 0)


def _bytes(view: memoryview, index: Any) -> tuple[int, int]:
    """Return which bytes of the block an access touches, the first and the end; none if it will fail."""
    try:
        part = view if index is None else view[index] if isinstance(index, slice) else None
        if part is None:
            number = range(len(view))[index]
            part = view[number : number + 1]
        size = part.nbytes
        start = _address(part) - _address(memoryview(part.obj)) if size else 0
    except (IndexError, TypeError, ValueError):
        return 0, 0
    return start, start + size


def _address(view: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(view))
