"""`multiprocessing.heap` for a program under check: pieces of shared memory without any type."""

from __future__ import annotations

from typing import Any

from parallel_cookbook.simulation.processes.world import assert_spawning, share, shared

__all__ = ["BufferWrapper"]


class BufferWrapper:
    """So many bytes that processes share; accesses to them are not seen."""

    __module__ = "multiprocessing.heap"

    def __init__(self, size: int) -> None:
        if size < 0:
            raise ValueError(f"Size {size:n} out of range")
        self._bytes = bytearray(size)

    def create_memoryview(self) -> memoryview:
        """Return a view of the bytes."""
        return memoryview(self._bytes)

    def __reduce__(self) -> Any:  # noqa: ANN401 - what pickle wants
        assert_spawning(self)
        return _rebuild, (share(self._bytes),)


def _rebuild(number: int) -> BufferWrapper:
    wrapper = object.__new__(BufferWrapper)
    wrapper._bytes = shared(number)
    return wrapper
