"""What the program's main module begins with: executed once, and found as it was by later executions.

Each execution begins from nothing, and most of what a module does first is the same each time: it imports,
and makes functions, classes and constants. To make them anew costs more than many a program's threads do.
So the first statements that do nothing else, the *prologue*, are executed once. Before each later
execution the module gets back the names that it had behind its prologue.

Sound because nothing is taken on trust. What a prologue may consist of is chosen so that it makes nothing
that could change, but for modules, functions and classes. All dicts of these are put back as they were, but
for those of classes, which nobody may write to; what else a program can change of functions and classes
is compared with what it was, by identity: objects can say that they equal anything. If one was
changed, or anything was made that is not known here, the module is executed as a whole, now and later.
"""

from __future__ import annotations

import ast
import sys
from operator import attrgetter, is_
from types import (
    BuiltinFunctionType,
    CellType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import TYPE_CHECKING, Any, Final

from parallel_cookbook.simulation import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import CodeType

    from parallel_cookbook.check.space import Space

# Objects of any kind are compared.
# ruff: noqa: ANN401

_CONSTANTS: Final = frozenset({int, float, complex, bool, str, bytes, type(None), type(...)})
_UNCHANGING: Final = frozenset({BuiltinFunctionType, GetSetDescriptorType, MemberDescriptorType})
_PLAIN_DECORATORS: Final = frozenset({"staticmethod", "classmethod", "property"})
_MAKERS_OF_CONSTANTS = (ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.Tuple)
_MAKERS_OF_ANNOTATIONS = (*_MAKERS_OF_CONSTANTS, ast.Attribute, ast.Subscript, ast.List)
_HARMLESS_MODULES: Final = frozenset({"typing", "__future__"})
"""Whose special objects never change."""
_IGNORED = (ast.expr_context, ast.operator, ast.unaryop)
_ANNOTATIONS: Final = () if sys.version_info >= (3, 14) else ("__annotations__",)
"""From 3.14 on they are made when they are asked for."""
_inside_of_function: Final[Callable[[Any], tuple[Any, ...]]] = attrgetter(
    *("__code__", "__defaults__", "__kwdefaults__", "__dict__", "__name__", "__qualname__"),
    *("__doc__", "__module__", *_ANNOTATIONS),
)
_inside_of_class: Final[Callable[[Any], tuple[Any, ...]]] = attrgetter(
    *("__name__", "__qualname__", "__bases__"),
)


def length_of_prologue(statements: Sequence[ast.stmt], is_private: Callable[[str], bool]) -> int:
    """Return with how many statements a module begins that a prologue may consist of.

    is_private: whether the program has a module of its own of this top-level name. Cost: a look at each
    node outside of functions.
    """
    length = 0
    for statement in statements:
        if not _belongs(statement, is_private):
            break
        length += 1
    return length


def _belongs(statement: ast.stmt, is_private: Callable[[str], bool]) -> bool:
    match statement:
        case ast.Import(names=names):
            return all(_may_import(alias.name, is_private) for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return all(alias.name != "*" for alias in names) and _may_import(module, is_private)
        case ast.ClassDef():
            return _is_plain_class(statement)
        case _:
            return _is_definition(statement)


def _may_import(name: str, is_private: Callable[[str], bool]) -> bool:
    return name in SIMULATED or not is_private(name.partition(".")[0])


def _is_plain_class(node: ast.ClassDef) -> bool:
    return (
        not node.decorator_list
        and not node.keywords
        and not getattr(node, "type_params", None)
        and all(isinstance(base, ast.Name | ast.Attribute) for base in node.bases)
        and all(_is_definition(statement, in_class=True) for statement in node.body)
    )


def _is_definition(node: ast.stmt, *, in_class: bool = False) -> bool:
    """Whether a statement only makes a function or a constant, or does nothing."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return _is_plain_function(node, in_class=in_class)
        case ast.Assign(targets=targets, value=value):
            return _makes(value) and all(_is_name(target, in_class) for target in targets)
        case ast.AnnAssign(target=target, annotation=annotation, value=annotated):
            return (
                _is_name(target, in_class)
                and _makes(annotation, _MAKERS_OF_ANNOTATIONS)
                and (annotated is None or _makes(annotated))
            )
        case ast.Expr(value=ast.Constant()) | ast.Pass():
            return True
    return False


def _is_plain_function(node: ast.FunctionDef | ast.AsyncFunctionDef, *, in_class: bool) -> bool:
    arguments = node.args
    annotations = [
        argument.annotation for argument in ast.walk(arguments) if isinstance(argument, ast.arg)
    ]
    defaults = [*arguments.defaults, *arguments.kw_defaults]
    return (
        all(_is_plain_decorator(one, in_class) for one in node.decorator_list)
        and not getattr(node, "type_params", None)
        and all(_makes(one) for one in defaults if one is not None)
        and all(
            _makes(one, _MAKERS_OF_ANNOTATIONS)
            for one in [*annotations, node.returns]
            if one is not None
        )
    )


def _is_plain_decorator(node: ast.expr, in_class: bool) -> bool:
    return in_class and isinstance(node, ast.Name) and node.id in _PLAIN_DECORATORS


def _makes(node: ast.expr, makers: tuple[type[ast.AST], ...] = _MAKERS_OF_CONSTANTS) -> bool:
    return all(isinstance(one, (*makers, *_IGNORED)) for one in ast.walk(node))


def _is_name(target: ast.expr, in_class: bool) -> bool:
    """Whether a plain name is bound; in a class, none that says what class it is."""
    if not isinstance(target, ast.Name):
        return False
    is_special = target.id.startswith("__") and target.id.endswith("__")
    return not is_special or (in_class and target.id == "__slots__")


class Beginning:
    """What a module, and the modules that it has imported, were behind the prologue."""

    def __init__(self, space: Space, module: ModuleType, rest: CodeType) -> None:
        """Take note of it; `is_known` says whether everything is of a kind that can be put back."""
        self.space = space
        self.module = module
        self.rest = rest
        modules = space.modules
        self._modules = list(modules.values())
        self._functions: list[tuple[FunctionType, tuple[Any, ...]]] = []
        self._cells: list[tuple[CellType, type]] = []
        """Where methods that call `super()` have their class from."""
        self._classes: list[tuple[type, tuple[Any, ...], list[Any], list[str], list[Any]]] = []
        self._tables = [_Table(names) for names in (modules, *map(vars, modules.values()))]
        self.is_known = all(
            one is module or (type(one) is ModuleType and name in SIMULATED)
            for name, one in modules.items()
        ) and self._knows_all({**vars(module), "__builtins__": None})

    def restore(self) -> bool:
        """Put all dicts back; False if functions or classes are not what they were."""
        for function, inside in self._functions:
            if not all(map(is_, _inside_of_function(function), inside)):
                return False
        for cell, owner in self._cells:
            if cell.cell_contents is not owner:
                return False
        for kind, inside, subclasses, names, values in self._classes:
            space = vars(kind)
            if (
                _inside_of_class(kind) != inside
                or type.__subclasses__(kind) != subclasses
                or list(space) != names
                or not all(map(is_, space.values(), values))
            ):
                return False
        if any(type(module) is not ModuleType for module in self._modules):
            return False
        for table in self._tables:
            table.put_back()
        return True

    def _knows_all(self, names: Mapping[str, Any]) -> bool:
        """Whether all values are known; annotations are a dict, which is put back."""
        for name, value in names.items():
            if name == "__annotations__" and type(value) is dict:
                self._tables.append(_Table(value))
            elif not self._knows(value):
                return False
        return True

    def _knows(self, value: Any) -> bool:  # noqa: PLR0911 - a table
        """Whether a value never changes, or is noted here so that a change of it is seen."""
        kind = type(value)
        if kind in _CONSTANTS:
            return True
        if kind is tuple:
            return all(self._knows(one) for one in value)
        if kind is FunctionType:
            return value.__globals__ is not vars(self.module) or self._note_function(value)
        if kind is ModuleType:
            return True  # the program's own are put back, and all others are shared anyway
        if isinstance(value, type):
            return value.__module__ != self.module.__name__ or self._note_class(value)
        if kind in {staticmethod, classmethod}:
            self._tables.append(_Table(vars(value)))
            return self._knows(value.__wrapped__)
        if kind is property:
            return all(self._knows(one) for one in (value.fget, value.fset, value.fdel))
        if kind is MethodType:
            return type(value.__self__) is str  # a function of the simulation
        return kind in _UNCHANGING or kind.__module__ in _HARMLESS_MODULES

    def _note_function(self, function: FunctionType) -> bool:
        inside = _inside_of_function(function)
        self._functions.append((function, inside))
        self._tables += [_Table(one) for one in inside if type(one) is dict]
        return all(self._note_cell(cell) for cell in function.__closure__ or ())

    def _note_cell(self, cell: CellType) -> bool:
        owner = cell.cell_contents
        if not isinstance(owner, type):
            return False
        self._cells.append((cell, owner))
        return True

    def _note_class(self, kind: type) -> bool:
        space = vars(kind)
        self._classes.append(
            (
                kind,
                _inside_of_class(kind),
                type.__subclasses__(kind),
                list(space),
                list(space.values()),
            )
        )
        return (
            type(kind) is type
            and not any("__init_subclass__" in vars(base) for base in kind.__mro__[:-1])
            and self._knows_all(space)
        )


class _Table:
    """A dict as it was once: the names of a module, the modules of the program, a function's attributes."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._order = list(names)
        self._values = list(names.values())

    def put_back(self) -> None:
        """Let them be the same again, in the same order; what is still the same is not touched."""
        if self._is_unchanged():
            return
        names, order = self._names, self._order
        if list(names)[: len(order)] != order:
            names.clear()
        for name in list(names)[len(order) :]:
            del names[name]
        names.update(zip(order, self._values, strict=True))

    def _is_unchanged(self) -> bool:
        order, values = self._order, self._values
        if len(self._names) != len(order):
            return False
        place = 0
        for name, value in self._names.items():
            if value is not values[place] or name is not order[place]:
                return False
            place += 1  # noqa: SIM113 - enumerate costs more when compiled
        return True
