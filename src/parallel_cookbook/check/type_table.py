"""What is found out about types, remembered without keeping the program's own alive.

Most of a program's classes are made anew in each execution, and each holds its module and all that is in it:
whoever remembers a class remembers an execution. So the tables forget what they have not met for a whole
execution.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")


class TypeTable(dict[type, Found]):
    """A dict that asks `find` for what it does not know yet: a look-up costs what one in a dict does."""

    def __init__(self, find: Callable[[type], Found]) -> None:
        super().__init__()
        self._find = find
        self._before: dict[type, Found] = {}
        """What the last execution has asked for. A type that is met again has stayed."""
        _tables.append(self)

    def __missing__(self, kind: type) -> Found:
        found = self._before.get(kind)
        if found is None:
            found = self._find(kind)
        self[kind] = found
        return found

    def begin_execution(self) -> None:
        """Forget the types that the last execution has not met."""
        self._before = dict(self)
        self.clear()


_tables: list[TypeTable[Any]] = []


def is_importable(kind: type) -> bool:
    """Whether a type is found where it says, in a module of the interpreter's."""
    try:
        found: Any = sys.modules.get(kind.__module__)
        for name in kind.__qualname__.split("."):
            found = getattr(found, name, None)
    except (AttributeError, TypeError):  # a class that does not say where it is from
        return False
    return found is kind


def begin_execution() -> None:
    """Forget the types that the last execution has not met: they are of an earlier one."""
    for table in _tables:
        table.begin_execution()
