"""What code that is not rewritten does to shared memory that it is given: reads it, writes it, keeps it.

`struct.pack_into("i", block.buf, 0, 7)` writes through a view, in one step. A function that keeps a view, as
`numpy.frombuffer`, would make accesses later that nobody sees; so the check refuses to go on.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from parallel_cookbook.simulation.processes.shared_memory import is_shared

if TYPE_CHECKING:
    from parallel_cookbook.kernel import Kernel
    from parallel_cookbook.simulation.processes.ctypes_views import Shared

# Arguments of any type.
# ruff: noqa: ANN401

_WRITING = frozenset({"__delitem__", "__setitem__", "pack_into", "readinto", "readinto1"}) | {
    "recv_into",
    "recvfrom_into",
    "setitem",
}
"""Functions and methods that write into what they are given, or into the view that they belong to."""
_KEEPING = frozenset({"PickleBuffer", "byref", "from_buffer", "frombuffer", "iter_unpack"}) | {
    "ndarray",
    "pointer",
}
"""Those that keep what they are given."""
_KEEPING_OBJECTS = _KEEPING | {"addressof", "cast", "memmove", "memoryview", "memset"}
"""Those that get at the memory of a ctypes object, which is no view, by a way that nobody sees."""
_READING = frozenset({"__getitem__", "bytes", "bytearray", "crc32", "from_bytes", "getitem"}) | {
    "adler32",
    "unpack",
    "unpack_from",
}
_FUNCTION_OF_C = ctypes.CFUNCTYPE(None).__mro__[1]
NAMES = _WRITING | _KEEPING_OBJECTS | _READING
"""Names of functions and methods that matter even if the process has one thread only."""


def writes_view(kernel: Kernel, func: Any, view: memoryview) -> bool:
    """Whether a function writes into a view that it is given; refuse one that keeps a shared view."""
    name = getattr(func, "__name__", "")
    if name in _KEEPING and is_shared(view):
        kernel.refuse(f"{name} of a view of shared memory, which keeps the view,")
    return name in _WRITING


def announce_object(kernel: Kernel, func: Any, obj: Shared) -> None:
    """Announce what a function does to the memory of a ctypes object that it is given: one step at most.

    What it does through methods of the object announces itself.
    """
    name = getattr(func, "__name__", "")
    if name in _KEEPING_OBJECTS or isinstance(func, _FUNCTION_OF_C):
        kernel.refuse(
            f"{name or 'a function of C'} of an object in shared memory, which gives its memory away,"
        )
    if name in _WRITING:
        obj.store_all()
    elif name in _READING:
        obj.load_all()
