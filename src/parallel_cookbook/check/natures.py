"""What an object is to the check: what of its inside is seen, and how.

Code that is rewritten announces its own accesses. All other code, the interpreter's, the standard
library's, that of installed packages, announces nothing: what an object of such a class keeps is one
*closed* place, which each use of the object accesses as a whole. To overlook one would be to say "pass"
wrongly, so what is not known to be harmless is closed.
"""

from __future__ import annotations

import _random
import contextvars
import enum
import os
import random
import re
import sys
import types
import weakref
from typing import TYPE_CHECKING, Any, Final

from parallel_cookbook.check.space import STAND_INS
from parallel_cookbook.check.type_table import TypeTable, is_importable
from parallel_cookbook.instrument import CONTAINER_TYPES
from parallel_cookbook.instrument.operands import FRAME_READERS

if TYPE_CHECKING:
    from collections.abc import Callable

_CONTAINERS: Final = frozenset(CONTAINER_TYPES)
_HEAP_TYPE: Final = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: a class that is not built into the interpreter (Include/object.h)."""


class Nature(enum.Enum):
    """What the check does with an object whose type is given."""

    PLAIN = enum.auto()
    """Its code announces what it does, or it never changes."""
    CONTAINER = enum.auto()
    """A built-in container: its items and its shape are places."""
    ITERATOR = enum.auto()
    """A step of it is one indivisible change: an iterator of built-in code, a file."""
    GENERATOR = enum.auto()
    """A step of it executes code, and other tasks may come in between."""
    CLOSED = enum.auto()
    """Any other object with an inside that is not seen."""
    RECORD = enum.auto()
    """An object of a dataclass: its comparison and its text are code that announces nothing."""


_STATEFUL = (_random.Random, random.Random, os._Environ)  # noqa: SLF001 - the type has no other name
"""Closed classes of modules that a program otherwise gets its own of."""
_UNCHANGING: tuple[type, ...] = (
    (str, bytes, int, float, complex, tuple, frozenset, range, slice, type(None), type)
    + (BaseException, enum.Enum, weakref.ref, re.Pattern, re.Match, super, property)
    + (classmethod, staticmethod, types.ModuleType, types.CodeType, types.FrameType)
    + (types.TracebackType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
    + (types.MethodWrapperType, types.WrapperDescriptorType, types.MethodDescriptorType)
    + (types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType)
    + (types.CellType, types.GenericAlias, types.UnionType, types.SimpleNamespace)
    + (
        type(...),
        type(NotImplemented),
        contextvars.ContextVar,
        contextvars.Context,
        contextvars.Token,
    )
)
"""Types whose objects keep nothing that changes, or nothing that is not announced otherwise."""
_STATELESS_MODULES = frozenset(
    (
        "abc",
        "ast",
        "typing",
        "contextlib",
        "numbers",
        "unittest",
        "dataclasses",
        "datetime",
        "decimal",
    )
    + ("_decimal", "fractions", "uuid", "pathlib", "ipaddress", "zoneinfo", "operator", "_operator")
    + ("_struct", "enum", "types", "annotationlib", "parallel_cookbook", "memoryview", "_thread")
    + (
        "_pytest",
        "pytest",
        "inspect",
        "importlib",
        "_frozen_importlib",
        "_frozen_importlib_external",
    )
)
"""Top-level modules whose classes keep nothing that tasks could disturb, or nothing but what is announced."""
_STATELESS_PACKAGES = ("collections.abc", "_collections_abc")

# Objects of any type are handled.


def _is_closed_class(owner: type) -> bool:
    """Whether objects keep things in the code of this class that nobody announces."""
    if owner in _STATEFUL:
        return True
    if owner is object or owner in _CONTAINERS or owner is memoryview:
        return False
    module: Any = owner.__module__
    if not isinstance(module, str) or module in _STATELESS_PACKAGES:
        return False
    root = module.partition(".")[0]
    if root in _STATELESS_MODULES or root in STAND_INS or issubclass(owner, _UNCHANGING):
        return False
    if not owner.__flags__ & _HEAP_TYPE:
        return True
    return is_importable(owner)


def _find_closed(owner: type) -> bool:
    """Whether what objects keep in this class of theirs is seen by nobody: it is not rewritten code.

    A class that the program makes is none, whatever it inherits; its methods that stem from one are.
    """
    try:
        return _is_closed_class(owner)
    except (AttributeError, TypeError):  # a class that does not say where it is from
        return False


is_closed_class: Final[Callable[[type], bool]] = TypeTable(_find_closed).__getitem__


def definer(kind: type, name: str) -> type | None:
    """Return the class that objects of a type have `name` from, None if it is none."""
    for owner in kind.__mro__:
        if name in owner.__dict__:
            return owner
    return None


def comes_closed(kind: type, name: str) -> bool:
    """Whether objects of a type have `name` from code that announces nothing."""
    owner = definer(kind, name)
    return owner is not None and is_closed_class(owner)


def _find_nature(kind: type) -> Nature:  # noqa: PLR0911 - a table
    """Return what the check does with the objects of a type."""
    if not _CONTAINERS.isdisjoint(kind.__mro__):
        return Nature.CONTAINER
    if kind is types.GeneratorType:
        return Nature.GENERATOR
    if issubclass(kind, _UNCHANGING) or kind is memoryview:
        return Nature.PLAIN
    if comes_closed(kind, "__next__"):
        return Nature.ITERATOR
    if is_closed_class(kind) or any(comes_closed(kind, name) for name in _PROTOCOLS):
        return Nature.CLOSED
    if "__dataclass_fields__" in kind.__dict__:
        return Nature.RECORD
    return Nature.PLAIN


nature_of: Final[Callable[[type], Nature]] = TypeTable(_find_nature).__getitem__
_PROTOCOLS = ("__getitem__", "__setitem__", "__len__", "__iter__", "__contains__", "__call__")
"""Inherited from a closed class, any of these makes an object of the program's closed, too."""


def is_foreign_module(module: types.ModuleType) -> bool:
    """Whether the functions of a module are code that announces nothing, and may be called from a hook."""
    name = module.__name__
    root = name.partition(".")[0]
    return (
        sys.modules.get(name) is module
        and root not in STAND_INS
        and root not in FRAME_READERS
        and root != "parallel_cookbook"
    )
