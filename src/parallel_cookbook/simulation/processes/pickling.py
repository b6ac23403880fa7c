"""`pickle` for a program under check: names are looked up in the modules of the running process.

Guarantees: pickling and unpickling really happen, with the interpreter's own pickler. A function or a
class of a module that each process has for itself is pickled as its name, and found in the modules of
the process that unpickles it, which are loaded if need be. Errors are the interpreter's own, in its
words. No step of its own; the program's `__getstate__` and the like may have some.
"""

from __future__ import annotations

import copyreg
import io
import pickle as _real
import sys
from pickle import *  # noqa: F403 - this module stands for it
from types import FunctionType
from typing import TYPE_CHECKING, Any

from parallel_cookbook.kernel import active_kernel

if TYPE_CHECKING:
    from collections.abc import Callable

# Whatever the program pickles, of any type.
# ruff: noqa: ANN401

_LOCAL = "Can't get local object" if sys.version_info >= (3, 13) else "Can't pickle local object"


class Pickler(_real.Pickler):  # type: ignore[no-redef]  # it takes the place of the one imported with *
    """See `pickle.Pickler`."""

    __module__ = "_pickle"

    def reducer_override(self, obj: Any) -> Any:
        """Pickle functions and classes of the process's own modules by name."""
        if type(obj) is FunctionType or isinstance(obj, type):
            return _by_name(obj)
        return NotImplemented


def _by_name(obj: Any) -> Any:
    method = getattr(obj, "stands_for", None)
    if method is not None:
        return method.__reduce__()  # of a container, whose calls are announced
    space = active_kernel().running.group.space
    module, name = obj.__module__, obj.__qualname__
    owner = space.find(module) if space is not None and isinstance(module, str) else None
    if owner is None:
        return (
            NotImplemented  # it is the same in all processes, or nowhere: pickle knows what to do
        )
    if "<locals>" in name.split("."):
        raise AttributeError(f"{_LOCAL} {name!r}")
    found = owner
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise _real.PicklingError(
            f"Can't pickle {obj!r}: attribute lookup {name} on {module} failed"
        )
    if found is not obj:
        raise _real.PicklingError(
            f"Can't pickle {obj!r}: it's not the same object as {module}.{name}"
        )
    return find_name, (module, name)


def find_name(module: str, name: str) -> Any:
    """Return what `name` means in the running process's own module of that name."""
    owner = found = active_kernel().running.group.space.find(module)
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise AttributeError(f"Can't get attribute {name!r} on {owner!r}") from None
    return found


def dumps(obj: Any, protocol: int | None = None, **options: Any) -> bytes:  # type: ignore[no-redef]
    """Return the pickled representation of the object."""
    file = io.BytesIO()
    Pickler(file, protocol, **options).dump(obj)
    return file.getvalue()


def dump(obj: Any, file: Any, protocol: int | None = None, **options: Any) -> None:  # type: ignore[no-redef]
    """Write the pickled representation of the object to a file."""
    Pickler(file, protocol, **options).dump(obj)


class ForkingPickler(Pickler):
    """See `multiprocessing.reduction.ForkingPickler`."""

    __module__ = "multiprocessing.reduction"

    def __init__(self, file: Any, protocol: int | None = None) -> None:
        super().__init__(file, protocol)
        extra = active_kernel().state.get("reducers")
        if extra:
            self.dispatch_table = {**copyreg.dispatch_table, **extra}

    @classmethod
    def register(cls, type: type, reduce: Callable[[Any], Any]) -> None:  # noqa: A002 - CPython's name
        """Say how objects of a type are pickled for other processes."""
        active_kernel().state.setdefault("reducers", {})[type] = reduce

    @classmethod
    def dumps(cls, obj: Any, protocol: int | None = None) -> memoryview:
        """Return the pickled representation of the object."""
        file = io.BytesIO()
        cls(file, protocol).dump(obj)
        return file.getbuffer()

    loads = staticmethod(_real.loads)


def __getattr__(name: str) -> Any:
    """Take all else from the real module."""
    return getattr(_real, name)
