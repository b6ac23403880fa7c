"""Which expressions can yield a built-in container that somebody else may hold.

All answers are about the program's own tree, before it is rewritten, and err on the side of yes.
"""

from __future__ import annotations

import ast
import sys
from collections import OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CONTAINER_TYPES: tuple[type, ...] = (
    list,
    dict,
    set,
    bytearray,
    deque,
    OrderedDict,
    defaultdict,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)
"""The built-in containers that tasks can share and change, and the views of them."""

CONTAINER_METHODS = frozenset(
    name
    for container in CONTAINER_TYPES
    for name in dir(container)
    if not name.startswith("_") or name in {"__getitem__", "__setitem__", "__delitem__", "__len__"}
) | {"join", "format", "format_map", "writelines", "__contains__", "__iter__"}
"""Methods of containers, and of `str` where they read a container they are given."""

CONTAINER_FUNCTIONS = frozenset(
    [
        "all",
        "any",
        "ascii",
        "bool",
        "bytearray",
        "bytes",
        "delattr",
        "dict",
        "enumerate",
        "filter",
        "format",
        "frozenset",
        "getattr",
        "hasattr",
        "iter",
        "len",
        "list",
        "map",
        "max",
        "memoryview",
        "min",
        "next",
        "print",
        "repr",
        "reversed",
        "set",
        "setattr",
        "sorted",
        "str",
        "sum",
        "tuple",
        "vars",
        "zip",
    ]
    # Functions of standard modules that are often imported by name.
    + ["heapify", "heappop", "heappush", "heappushpop", "heapreplace", "nlargest", "nsmallest"]
    + ["bisect", "bisect_left", "bisect_right", "insort", "insort_left", "insort_right"]
    + ["choice", "sample", "shuffle", "copy", "deepcopy", "dumps", "reduce", "chain", "fsum"]
)
"""Built-in functions that read or change what they are given."""

FRAME_READERS = frozenset(
    ("typing", "warnings", "enum", "dataclasses", "inspect", "traceback", "sys", "types", "abc")
    + ("ast", "importlib", "contextlib", "unittest", "pytest", "_pytest", "gc", "asyncio", "pdb")
    + ("doctest", "builtins", "tracemalloc", "faulthandler", "weakref", "atexit", "signal")
)
"""Modules whose functions look at who calls them, or take functions and no data."""
FRAME_READING_FUNCTIONS = frozenset({"namedtuple"})
_WITHOUT_DATA = FRAME_READERS | frozenset(
    ("threading", "_thread", "queue", "time", "multiprocessing", "concurrent", "logging", "sched")
    + ("__future__", "socket", "subprocess", "select", "selectors")
)


def works_on_data(module: str, function: str) -> bool:
    """Whether a function imported from `module` is the standard library's, and reads or changes data."""
    root = module.partition(".")[0]
    return (
        root in sys.stdlib_module_names
        and root not in _WITHOUT_DATA
        and function not in FRAME_READING_FUNCTIONS
    )


_FRESH_RESULTS = frozenset(
    [
        "abs",
        "all",
        "any",
        "ascii",
        "bool",
        "bytearray",
        "bytes",
        "bytes",
        "callable",
        "chr",
        "dict",
        "divmod",
        "enumerate",
        "filter",
        "float",
        "format",
        "frozenset",
        "hasattr",
        "hash",
        "hex",
        "id",
        "int",
        "isinstance",
        "issubclass",
        "len",
        "list",
        "map",
        "object",
        "oct",
        "ord",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "sorted",
        "str",
        "tuple",
        "type",
        "zip",
    ]
)
"""Built-in functions whose result is new, or no container."""

_CONTAINER_OPERATORS = (
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Mod,
    ast.BitOr,
    ast.BitAnd,
    ast.BitXor,
)


def may_be_shared(  # noqa: PLR0911 - one case for each kind of expression
    node: ast.expr, is_builtin: Callable[[str], bool]
) -> bool:
    """Whether `node` may yield a container that other tasks can reach, not a new object."""
    match node:
        case ast.Name() | ast.Attribute() | ast.Subscript():
            return True
        case ast.Await() | ast.Yield() | ast.YieldFrom():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return not (name in _FRESH_RESULTS and is_builtin(name))
        case ast.Call():
            return True
        case ast.NamedExpr(value=value):
            return may_be_shared(value, is_builtin)
        case ast.BoolOp(values=values):
            return any(may_be_shared(value, is_builtin) for value in values)
        case ast.IfExp(body=body, orelse=orelse):
            return may_be_shared(body, is_builtin) or may_be_shared(orelse, is_builtin)
        case _:
            return False


def may_touch_container(
    left: ast.expr, operator: ast.operator, right: ast.expr, is_builtin: Callable[[str], bool]
) -> bool:
    """Whether `left operator right` may read a shared container."""
    if not isinstance(operator, _CONTAINER_OPERATORS):
        return False
    if isinstance(operator, ast.Mod):
        # Only formatting reads a container, and what it formats may stand in a tuple.
        if isinstance(right, ast.Constant):
            return False
        return isinstance(left, ast.Constant | ast.JoinedStr) or may_be_shared(left, is_builtin)
    for operand in (left, right):
        if isinstance(operand, ast.JoinedStr):
            return False
        if isinstance(operand, ast.Constant) and not (
            isinstance(operator, ast.Mult) and isinstance(operand.value, int)
        ):
            return False
    return may_be_shared(left, is_builtin) or may_be_shared(right, is_builtin)


def may_compare_container(
    left: ast.expr, operator: ast.cmpop, right: ast.expr, is_builtin: Callable[[str], bool]
) -> bool:
    """Whether `left operator right` may read a shared container."""
    if isinstance(operator, ast.Is | ast.IsNot):
        return False
    if isinstance(operator, ast.In | ast.NotIn):
        return may_be_shared(right, is_builtin)
    if isinstance(left, ast.Constant) or isinstance(right, ast.Constant):
        return False
    return may_be_shared(left, is_builtin) or may_be_shared(right, is_builtin)


def may_change_in_place(operator: ast.operator, value: ast.expr) -> bool:
    """Whether `name operator= value` may change, or read, a container."""
    if not isinstance(operator, _CONTAINER_OPERATORS):
        return False
    if isinstance(value, ast.Constant):
        # A list takes a text or a factor; numbers and None meet numbers.
        wanted = int if isinstance(operator, ast.Mult) else str | bytes
        return isinstance(value.value, wanted)
    return True
