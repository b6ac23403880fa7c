"""What an answer may not reach for: the interpreter, in which its judge lives.

An answer is executed in the process that judges it. `sys.modules`, a frame's variables, `__globals__` or a
patched `Thread.start` would lead to the judge, or to what the judge relies on. So an answer keeps to modules
in which its task can be done, and to the language without its back doors. This is read from the text, before
anything is executed. It is a fence and no prison: it makes cheating harder than the exercise.
"""

from __future__ import annotations

import ast
import copy
import re
from typing import TYPE_CHECKING

from parallel_cookbook.practice.kept_parts import MAIN, defined_names, kept_records

if TYPE_CHECKING:
    from collections.abc import Iterator


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ALLOWED_MODULES = _words(
    """__future__ abc bisect collections concurrent contextlib copy dataclasses enum functools heapq itertools
    logging math multiprocessing operator queue random threading time typing"""
)
"""What an answer may import besides what its exercise does: the first part of a module's name."""
_SUBMODULES = {
    "multiprocessing": _words(
        """connection context dummy managers pool process queues shared_memory sharedctypes synchronize"""
    ),
    "concurrent": _words("futures"),
    "collections": _words("abc"),
}
_INNER_MODULES = _words("util reduction spawn resource_tracker forkserver popen_fork")
"""Parts of multiprocessing that an answer has no business in."""
_WITHHELD = _words(
    "dispatch_table attrgetter methodcaller get_type_hints ForwardRef make_dataclass"
)
"""Names of allowed modules that make code, or attributes, out of text."""
_BUILTINS = _words(
    "__import__ breakpoint compile eval exec globals help input locals memoryview open vars"
)
"""Builtins that an answer may not use."""
_WITH_NAME = _words("getattr hasattr setattr delattr")
"""Builtins whose second argument must be a name in quotes."""
_GLOBALS = _words("__builtins__ __loader__ __spec__")
_METHODS = _words(
    """__call__ __contains__ __enter__ __exit__ __getitem__ __getstate__ __init__ __iter__ __len__ __new__
    __next__ __post_init__ __repr__ __setitem__ __setstate__ __str__"""
)
"""Special methods that an answer may define. Others, `__eq__` above all, decide what the judge sees."""
_ATTRIBUTES = _METHODS | _words("__class__ __doc__ __name__ __qualname__")
_MODULES = _words(
    "bltns builtins ctypes gc importlib inspect os posix runpy subprocess sys traceback"
)
"""Modules that are attributes of others, with or without an underscore before them."""
_INNER_NAMES = _words(
    """ag_await ag_code ag_frame cr_await cr_code cr_frame cr_origin f_back f_builtins f_code f_globals
    f_locals f_trace gi_code gi_frame gi_yieldfrom gr_frame kernel mro register tb_frame tb_next _holder
    _kernel _target _task _world dispatch_table"""
)
"""Attributes of frames, tracebacks, generators and classes, and what the simulation keeps for itself."""
_SPECIAL = re.compile(r"__\w+__")

Fault = tuple[int, str]
"""A line, and a sentence."""


def reaches(exercise: str, answer: str, may_change: frozenset[str]) -> list[Fault]:
    """Return where the text of an answer reaches for what it must leave alone, in the order of lines.

    What the exercise itself does is allowed. Raises SyntaxError if one of them is no Python.
    """
    given = ast.parse(exercise)
    tree = ast.parse(answer)
    return sorted(set(_Reader(given, tree, may_change).faults(tree)))


class _Reader:
    """Reads one answer."""

    def __init__(self, given: ast.Module, tree: ast.Module, may_change: frozenset[str]) -> None:
        self._docstrings = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        self._own = _own_attributes(given) | _own_attributes(tree)
        imported = _imported_names(given) | _imported_names(tree)
        self._fixed = (defined_names(given) | imported) - may_change
        """Names of what is shared: nobody may change the attributes of these."""
        self._withheld = kept_records(given, may_change)
        """Names of the exercise's records, which its free parts do not use."""
        self._methods = _methods(given)
        """Names of methods that are called by what is kept: no object may hide them."""
        self._given = {_text(part) for part in _parts(given)}
        """What the answer has left as it was."""

    def faults(self, tree: ast.Module) -> Iterator[Fault]:
        """Yield what is wrong, in no order."""
        for part in _parts(tree):
            if _text(part) in self._given:
                continue
            for node in ast.walk(part):
                if isinstance(node, ast.MatchClass):
                    for name in node.kwd_attrs:
                        yield from ((node.lineno, reason) for reason in self._attribute(name))
                if isinstance(node, ast.expr | ast.stmt):
                    yield from ((node.lineno, sentence) for sentence in self._sentences(node))

    def _sentences(self, node: ast.expr | ast.stmt) -> Iterator[str]:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from self._imported(node)
            case ast.Name(id=name) if name in _BUILTINS | _GLOBALS:
                yield f"`{name}` could reach the judge; an answer does without it"
            case ast.Name(id=name) if name in self._withheld:
                yield f"`{name}` belongs to what is kept; an answer does without it"
            case ast.Call(func=ast.Name(id=name), args=args):
                yield from self._called(name, args)
            case ast.Constant(value=str(text)) if id(node) not in self._docstrings:
                if _SPECIAL.fullmatch(text) and text != MAIN:
                    yield f"{text!r} could reach the judge; an answer does without it"
            case ast.Attribute(attr=name):
                yield from self._attribute(name)
                if not isinstance(node.ctx, ast.Load):
                    yield from self._stored(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield from self._defined(node)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _import(alias.name)
            return
        module = "." if node.level or node.module is None else node.module
        yield from _import(module)
        for alias in node.names:
            is_inner = module == "multiprocessing" and alias.name in _INNER_MODULES
            is_back_door = alias.name in _WITHHELD | {"*"} or any(self._attribute(alias.name))
            if is_inner or is_back_door:
                yield f"`{alias.name}` of `{module}` is not for an answer; leave it out"

    def _called(self, function: str, arguments: list[ast.expr]) -> Iterator[str]:
        if function == "type" and len(arguments) != 1:
            yield "`type` with more than one argument makes a class; write it as one"
        if function not in _WITH_NAME:
            return
        match arguments:
            case [first, ast.Constant(value=str(name)), *_]:
                context = ast.Load() if function in {"getattr", "hasattr"} else ast.Store()
                yield from self._sentences(ast.Attribute(first, name, context))
            case _:
                yield f"`{function}` needs a name in quotes here, so that the judge can read it"

    def _attribute(self, name: str) -> Iterator[str]:
        """Yield why an attribute may not be used, if it may not."""
        is_special = _SPECIAL.fullmatch(name) is not None and name not in _ATTRIBUTES
        is_private = name.startswith("_") and not name.startswith("__") and name not in self._own
        if is_special or is_private or name.strip("_") in _MODULES or name in _INNER_NAMES:
            yield f"`.{name}` could reach the judge; an answer does without it"

    def _stored(self, node: ast.Attribute) -> Iterator[str]:
        if _SPECIAL.fullmatch(node.attr):
            yield f"`{node.attr}` of an object is not for an answer to change"
        elif _root(node) in self._fixed or node.attr in self._methods:
            yield f"`{ast.unparse(node)}` belongs to what is kept; an answer may not change it"

    def _defined(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ) -> Iterator[str]:
        if isinstance(node, ast.ClassDef):
            if node.keywords:
                yield "a metaclass could deceive the judge; an answer does without it"
        elif _SPECIAL.fullmatch(node.name) and node.name not in _METHODS:
            yield f"`{node.name}` decides what the judge is shown; an answer does without it"


def _parts(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements of a file; of a class, its head, and its members one by one."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from node.body
            node.body = [ast.Pass(lineno=node.lineno, col_offset=0)]
        yield node


def _text(part: ast.stmt) -> str:
    """Return what two equal parts have in common, whatever their docstrings say."""
    bare = copy.deepcopy(part)
    for node in ast.walk(bare):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [
                one
                for one in node.body
                if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
            ]
    return ast.dump(bare)


def _import(module: str) -> Iterator[str]:
    first, _, rest = module.partition(".")
    if first not in ALLOWED_MODULES:
        names = ", ".join(sorted(ALLOWED_MODULES - {"__future__"}))
        yield f"an answer may not import `{module}`; it may import {names}"
    elif rest and rest.partition(".")[0] not in _SUBMODULES.get(first, ()):
        yield f"an answer may not import `{module}`; `{first}` has what it needs"


def _root(node: ast.expr) -> str:
    """Return the name that an attribute is reached from: `Thread` for `Thread.start`."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _imported_names(tree: ast.Module) -> set[str]:
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _own_attributes(tree: ast.Module) -> set[str]:
    """Return the names that classes of a file define, or set on themselves: they may be private."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.ClassDef):
                    found.add(member.name)
                elif isinstance(member, ast.Assign | ast.AnnAssign):
                    found |= {name.id for name in ast.walk(member) if isinstance(name, ast.Name)}
    return found


def _methods(tree: ast.Module) -> set[str]:
    """Return the names of the methods, apart from properties, of a file's classes."""
    return {
        member.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for member in node.body
        if isinstance(member, ast.FunctionDef) and not member.decorator_list
    }
