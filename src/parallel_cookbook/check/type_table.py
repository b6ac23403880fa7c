"""What is found out about types, remembered without keeping the program's own alive.

A program's classes are made anew in each execution, and each holds its module and all that is in it: whoever
remembers a class remembers an execution. So the tables forget them when the next one begins.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")
_HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: a class that is not built into the interpreter (Include/object.h)."""


class TypeTable(dict[type, Found]):
    """A dict that asks `find` for what it does not know yet: a look-up costs what one in a dict does."""

    def __init__(self, find: Callable[[type], Found]) -> None:
        super().__init__()
        self._find = find
        self._passing: list[type] = []
        """Those that are forgotten."""
        _tables.append(self)

    def __missing__(self, kind: type) -> Found:
        if not stays(kind):
            self._passing.append(kind)
        found = self[kind] = self._find(kind)
        return found

    def forget_passing(self) -> None:
        """Forget the types that an execution has made."""
        passing, self._passing = self._passing, []
        for kind in passing:
            self.pop(kind, None)


_tables: list[TypeTable[Any]] = []


def stays(kind: type) -> bool:
    """Whether a type is built in, or lives in a module that all executions share."""
    return not kind.__flags__ & _HEAP_TYPE or is_importable(kind)


def is_importable(kind: type) -> bool:
    """Whether a type is found where it says, in a module of the interpreter's."""
    try:
        found: Any = sys.modules.get(kind.__module__)
        for name in kind.__qualname__.split("."):
            found = getattr(found, name, None)
    except (AttributeError, TypeError):  # a class that does not say where it is from
        return False
    return found is kind


def forget_passing_types() -> None:
    """Forget the types that the last execution has made."""
    for table in _tables:
        table.forget_passing()
