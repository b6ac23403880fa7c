"""Say of a failed `assert` what it compared: `assert 1 == 2`, and where each value came from.

The values are noted down as they are evaluated, each in a hidden local, and shown from there; nothing
is evaluated twice, and no other task can get in between. Only the replay of a counterexample does
this, with the same scheduling points: the hidden locals stand around the program's expressions, whose
form and positions stay.

pytest's own rewriting would not do: it takes calls apart, so that `len(items)` is no longer seen to read
`items`, and it reads variables again after the comparison, when another task may have written them.
"""

from __future__ import annotations

import ast
import copy
import itertools
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parallel_cookbook.kernel import Kernel

EXPLAIN = ".explain"
"""The name under which rewritten code finds the explainer."""
_NOT_EVALUATED = ("not evaluated",)
_MAX_SHOWN = 240
_SHOWN_AS_WRITTEN = (
    ast.Constant,
    ast.JoinedStr,
    ast.GeneratorExp,
    ast.Lambda,
    ast.NamedExpr,
    ast.Slice,
    ast.Starred,
    ast.Yield,
    ast.YieldFrom,
)
"""Expressions whose value says no more than their source, or that may not stand in parentheses."""
_FRAME_READERS = frozenset({"locals", "vars", "dir", "eval", "exec"})
_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
Node = TypeVar("Node", bound=ast.AST)


class Explainer(Protocol):
    """Who prepares the program's own files before they are rewritten, and is called by what it has added."""

    def prepare(self, tree: ast.Module | ast.Interactive) -> None:
        """Change the tree, but not its positions."""

    def explain(self, number: int, values: tuple[object, ...], *message: object) -> str:
        """Return what a failed assert says."""


class AssertExplainer:
    """Prepares the asserts of one program, and explains those that fail.

    `compare` gets an operator and its two operands, and returns lines that show the difference; None if
    it has nothing to add to the operands themselves. pytest's plugins have such a function.
    """

    def __init__(
        self,
        kernel: Kernel,
        compare: Callable[[str, object, object], list[str] | None] = lambda *_: None,
    ) -> None:
        self._kernel = kernel
        self._compare = compare
        self.tests: list[ast.expr] = []
        """What the asserts say that were prepared."""

    def prepare(self, tree: ast.Module | ast.Interactive) -> None:
        """Let each `assert` in a function of `tree` note down its values, and explain itself."""
        _Preparer(self.tests).visit(tree)

    def explain(self, number: int, values: tuple[object, ...], *message: object) -> str:
        """Return what a failed assert says: its own message, and what it compared."""
        kernel, was_alone = self._kernel, self._kernel.is_alone
        kernel.is_alone = True  # what a __repr__ reads is no part of the program's story
        try:
            lines = _explanation(self.tests[number], values, self._compare)
        finally:
            kernel.is_alone = was_alone
        return "\n".join([*(str(part) for part in message), *lines])


# --- noting values down -------------------------------------------------------------------------
# A part of a test that is noted down has an attribute `place`: the number of its hidden local.


class _Preparer(ast.NodeTransformer):
    def __init__(self, tests: list[ast.expr]) -> None:
        self._tests = tests
        self._may_prepare = False

    def _visit_scope(self, node: ast.AST, *, may_prepare: bool) -> ast.AST:
        outer, self._may_prepare = self._may_prepare, may_prepare
        self.generic_visit(node)
        self._may_prepare = outer
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        # locals() would show the hidden names.
        names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        return self._visit_scope(node, may_prepare=names.isdisjoint(_FRAME_READERS))

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name is ast's

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._visit_scope(node, may_prepare=False)

    def visit_Assert(self, node: ast.Assert) -> ast.AST | list[ast.stmt]:
        if not self._may_prepare:
            return node
        places = itertools.count()
        _mark_parts(node.test, places)
        hidden = [_hidden(place) for place in range(next(places))]
        given: list[ast.expr] = [
            ast.Constant(value=len(self._tests)),
            ast.Tuple(elts=[ast.Name(id=name, ctx=ast.Load()) for name in hidden], ctx=ast.Load()),
        ]
        self._tests.append(copy.deepcopy(node.test))
        node.test = cast("ast.expr", _Wrapper().visit(node.test))
        if node.msg is not None:
            given.append(node.msg)
        explainer = ast.Name(id=EXPLAIN, ctx=ast.Load())
        node.msg = _at(ast.Call(func=explainer, args=given, keywords=[]), node.test)
        if not hidden:
            return node
        return [_assign(hidden, _NOT_EVALUATED, node), node, _assign(hidden, None, node)]


def _mark_parts(node: ast.expr, places: Iterator[int]) -> None:
    """Mark the parts of `node`, whose truth is tested; the rewriting looks at its form."""
    match node:
        case ast.UnaryOp(op=ast.Not()):
            _mark_parts(node.operand, places)
        case ast.BoolOp(values=values):
            for value in values:
                _mark_parts(value, places)
        case ast.Compare(left=left, comparators=others):
            for value in [left, *others]:
                _mark(value, places)
        case _:
            _mark(node, places)


def _mark(node: ast.expr, places: Iterator[int]) -> None:
    match node:
        case ast.Attribute(value=value):
            _mark(value, places)
        case ast.Call(func=ast.Name(id="super")):
            return
        case ast.Call(func=function, args=arguments, keywords=keywords):
            if isinstance(function, ast.Attribute):
                _mark(function.value, places)
            for argument in [*arguments, *(keyword.value for keyword in keywords)]:
                _mark(argument, places)
        case ast.Subscript(value=value, slice=key):
            _mark(value, places)
            if not isinstance(key, ast.Tuple):
                _mark(key, places)
        case ast.BinOp(left=left, right=right):
            _mark(left, places)
            _mark(right, places)
    if not isinstance(node, _SHOWN_AS_WRITTEN):
        node.place = next(places)  # type: ignore[attr-defined]


class _Wrapper(ast.NodeTransformer):
    def visit(self, node: Node) -> ast.AST:
        self.generic_visit(node)
        place = getattr(node, "place", None)
        if place is None:
            return node
        target = ast.Name(id=_hidden(place), ctx=ast.Store())
        return _at(ast.NamedExpr(target=target, value=node), node)  # type: ignore[arg-type]


def _hidden(place: int) -> str:
    return f"@value{place}"  # pytest -l leaves out what begins so


def _assign(names: list[str], value: tuple[str] | None, original: ast.AST) -> ast.Assign:
    targets: list[ast.expr] = [ast.Name(id=name, ctx=ast.Store()) for name in names]
    constant = ast.Constant(value=value)  # type: ignore[arg-type] # a tuple will do
    return _at(ast.Assign(targets=targets, value=constant), original)


def _at(node: Node, original: ast.AST) -> Node:
    """Give `node`, and what is new in it, the position of `original`."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.expr | ast.stmt) and not hasattr(inner, "lineno"):
            ast.copy_location(inner, original)
    return node


# --- showing them -------------------------------------------------------------------------------


def _explanation(
    test: ast.expr,
    values: tuple[object, ...],
    compare: Callable[[str, object, object], list[str] | None],
) -> Iterator[str]:
    """Yield `assert …` with values in place of names, the difference, and where values came from."""
    known = {place: value for place, value in enumerate(values) if not _is_missing(value)}
    first, *others = _difference(test, known, compare) or [_with_values(test, known)]
    yield f"assert {first}"
    yield from (f"  {line}" for line in others)
    yield from _origins(test, known, 1)


def _is_missing(value: object) -> bool:
    return type(value) is tuple and value == _NOT_EVALUATED


def _difference(
    test: ast.expr,
    known: dict[int, object],
    compare: Callable[[str, object, object], list[str] | None],
) -> list[str] | None:
    if not isinstance(test, ast.Compare) or len(test.ops) > 1:
        return None
    operands: list[object] = []
    for operand in [test.left, *test.comparators]:
        if isinstance(operand, ast.Constant):
            operands.append(operand.value)
        elif getattr(operand, "place", None) in known:
            operands.append(known[operand.place])  # type: ignore[attr-defined]
        else:
            return None
    return compare(_OPERATORS[type(test.ops[0])], operands[0], operands[1])


def _origins(node: ast.AST, known: dict[int, object], depth: int) -> Iterator[str]:
    """Yield for each part that is no plain name or display where its value came from."""
    place = getattr(node, "place", None)
    if place in known and not isinstance(
        node, ast.Name | ast.List | ast.Tuple | ast.Dict | ast.Set
    ):
        assert isinstance(node, ast.expr)  # noqa: S101 - only expressions are marked
        made_from = _with_values(node, known, is_outer=True)
        yield f" +{'  ' * depth}where {_shown(known[place])} = {made_from}"
        depth += 1
    for child in ast.iter_child_nodes(node):
        yield from _origins(child, known, depth)


def _with_values(node: ast.expr, known: dict[int, object], *, is_outer: bool = False) -> str:
    """Return the source of `node`, with values in place of its parts, and of itself if not `is_outer`."""
    node = copy.deepcopy(node)
    if is_outer:
        del node.place  # type: ignore[attr-defined]
    return ast.unparse(_Filler(known).visit(node))


class _Filler(ast.NodeTransformer):
    """Puts the text of values in place of the parts that they are the values of."""

    def __init__(self, known: dict[int, object]) -> None:
        self._known = known

    def visit(self, node: ast.AST) -> ast.AST:
        place = getattr(node, "place", None)
        if place not in self._known:
            return self.generic_visit(node)
        value = self._known[place]
        if isinstance(node, ast.Name) and callable(value):
            return node  # a function or a class is best known by its name
        return ast.Name(id=_shown(value), ctx=ast.Load())


def _shown(value: object) -> str:
    """Return `repr(value)`, shortened, or what can be said if that fails."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a broken __repr__ of the program's
        text = f"<[{type(error).__name__} in repr()] {type(value).__name__}>"
    half = _MAX_SHOWN // 2
    return text if len(text) <= _MAX_SHOWN else f"{text[:half]}…{text[-half:]}"
