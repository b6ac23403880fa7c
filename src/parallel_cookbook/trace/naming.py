"""Find what the program's text calls what one of its calls makes: `self.lock = Lock()`, `{"a": Lock()}`.

The recorder tells the columns of the call; from there the way leads up through the text, to what is assigned.
"""

from __future__ import annotations

import ast
import tokenize
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLLECTS = {"append", "add", "appendleft", "insert", "put", "setdefault"}
"""Methods whose object gets what they are called with."""
_FACTORIES = {"default_factory", "default"}
"""Keywords of `dataclasses.field`: the field's name says it all."""
_Comprehension = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_Scope = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)


class _Way(NamedTuple):
    """A step from the call up through the text."""

    node: ast.AST
    child: ast.AST


class Texts:
    """The program's files, each parsed once."""

    def __init__(self) -> None:
        self._calls: dict[str, dict[tuple[int, int], list[_Way]]] = {}

    def name_at(self, file: str, end: tuple[int, int], ordinal: int) -> str:
        """Return what the call that ends at this line and column, in bytes, is assigned to; "" if nothing.

        ordinal: how often this call had been made before: of a comprehension it is the index.
        """
        if file not in self._calls:
            self._calls[file] = _calls_of(file)
        return _name(self._calls[file].get(end, []), ordinal)


def _calls_of(file: str) -> dict[tuple[int, int], list[_Way]]:
    """Return the way up from each call, by where it ends: no two end at one place."""
    try:
        with tokenize.open(file) as text:
            tree = ast.parse(text.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    calls = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.end_lineno and node.end_col_offset:
            way: list[_Way] = []
            child: ast.AST = node
            while child in parents:
                way.append(_Way(parents[child], child))
                child = parents[child]
            calls[node.end_lineno, node.end_col_offset] = way
    return calls


def _name(way: Sequence[_Way], ordinal: int) -> str:
    """Return the name that the way leads to; what it passes (an index, a key) is added behind."""
    inside: list[str | int] = []
    """From the outermost: indices of lists and tuples, and texts for all else."""
    repeats = 0
    for place, (node, child) in enumerate(way):
        if isinstance(node, _Scope):
            break
        if isinstance(node, _Comprehension):
            repeats += 1
            # Within two of them, or with a key, there is no telling which it is.
            is_told = repeats == 1 and not isinstance(node, ast.DictComp)
            inside = [_index(node, ordinal)] if is_told else []
        inside[:0] = _passed(node, child)
        name = _end(node, child, inside)
        if name is not None:
            return _in_class(name, way[place + 1 :])
    return ""


def _passed(node: ast.AST, child: ast.AST) -> list[str | int]:
    """Return where in `node` the child is: an index, a key, a keyword; empty if it is all of it."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [place for place, one in enumerate(node.elts) if one is child]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [f"[{ast.unparse(key)}]" for key, value in pairs if key and value is child]
    if isinstance(node, ast.keyword) and node.arg and node.arg not in _FACTORIES:
        return [f".{node.arg}"]
    return []


def _end(node: ast.AST, child: ast.AST, inside: Sequence[str | int]) -> str | None:
    """Return what the value is assigned to or put into here, with what is inside; None if it goes on."""
    if isinstance(node, ast.withitem):
        return _found(node.optional_vars, inside)
    if isinstance(node, ast.Assign):
        return _found(node.targets[0], inside)
    if isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        return _found(node.target, inside)
    method = node.func if isinstance(node, ast.Call) else None
    if isinstance(method, ast.Attribute) and child is not method and method.attr in _COLLECTS:
        return ast.unparse(method.value)
    return None


def _index(node: ast.AST, ordinal: int) -> int:
    """Return the index in a comprehension; again from 0 if it is executed again, where that can be told."""
    [first, *more] = node.generators  # type: ignore[attr-defined]
    if more or first.ifs or not isinstance(first.iter, ast.Call):
        return ordinal
    arguments = first.iter.args
    is_range = isinstance(first.iter.func, ast.Name) and first.iter.func.id == "range"
    if is_range and len(arguments) == 1 and isinstance(arguments[0], ast.Constant):
        length = arguments[0].value
        return ordinal % length if isinstance(length, int) and length > 0 else ordinal
    return ordinal


def _found(target: ast.expr | None, inside: Sequence[str | int]) -> str:
    """Return the target's name, with what is inside of it; `a, b = Lock(), Lock()` is taken apart."""
    if target is None:
        return ""
    if isinstance(target, ast.Tuple | ast.List):
        is_plain = not any(isinstance(one, ast.Starred) for one in target.elts)
        if inside and isinstance(inside[0], int) and is_plain and inside[0] < len(target.elts):
            return _found(target.elts[inside[0]], inside[1:])
        return ", ".join(ast.unparse(one) for one in target.elts)
    words = (f"[{one}]" if isinstance(one, int) else one for one in inside)
    return ast.unparse(target) + "".join(words)


def _in_class(name: str, way: Sequence[_Way]) -> str:
    """Return the name, with its class before it if it is a class' own."""
    scope = next((node for node, _ in way if isinstance(node, _Scope)), None)
    return f"{scope.name}.{name}" if isinstance(scope, ast.ClassDef) and name else name
