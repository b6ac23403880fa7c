"""`multiprocessing.heap` for a program under check: pieces of shared memory without any type."""

from __future__ import annotations

from typing import Any

from parallel_cookbook.kernel import active_kernel
from parallel_cookbook.simulation.processes.memory import Cells
from parallel_cookbook.simulation.processes.world import assert_spawning, share, shared, world_of

__all__ = ["BufferWrapper"]


class _Piece:
    """The bytes that processes share."""

    def __init__(self, size: int) -> None:
        kernel = active_kernel()
        self.bytes = bytearray(size)
        world_of(kernel).mapped[id(self.bytes)] = (self.bytes, Cells(kernel))


class BufferWrapper:
    """So many bytes that processes share; accesses to them are seen as those to a block are."""

    __module__ = "multiprocessing.heap"

    def __init__(self, size: int) -> None:
        if size < 0:
            raise ValueError(f"Size {size:n} out of range")
        self._piece = _Piece(size)

    def create_memoryview(self) -> memoryview:
        """Return a view of the bytes."""
        return memoryview(self._piece.bytes)

    def __reduce__(self) -> Any:  # noqa: ANN401 - what pickle wants
        assert_spawning(self)
        return _rebuild, (share(self._piece),)


def _rebuild(number: int) -> BufferWrapper:
    wrapper = object.__new__(BufferWrapper)
    wrapper._piece = shared(number)
    return wrapper
