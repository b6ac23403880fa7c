"""Mistakes that people make, made one by one in a right answer."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WEAKER = {"notify_all": "notify", "wait_for": "notify", "join": "is_alive", "start": "run"}
"""Methods, and what somebody calls in their place."""


def mutants(source: str, may_change: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield what was done and the text that came of it, for each mistake in what may be changed.

    A lock is not taken, or not both of two; a `while` becomes an `if`; not all are notified, threads are not
    joined or not started; a statement is left out. Comments are lost.
    """
    seen = {ast.unparse(ast.parse(source))}
    for number in range(len(_places(ast.parse(source), may_change))):
        for how in ("bare", "first", "if", "weaker", "gone"):
            tree = ast.parse(source)
            node, block, index = _places(tree, may_change)[number]
            what = _mutate(node, block, index, how)
            text = ast.unparse(ast.fix_missing_locations(tree))
            if what and text not in seen:
                seen.add(text)
                yield f"{how}: {what}", text


def _places(
    tree: ast.Module, may_change: frozenset[str]
) -> list[tuple[ast.stmt, list[ast.stmt], int]]:
    """Return each statement of the free parts' functions, with the block that it stands in."""
    found = []
    for part in tree.body:
        members = part.body if isinstance(part, ast.ClassDef) else [part]
        for member in members:
            if not isinstance(member, ast.FunctionDef):
                continue
            owner = getattr(part, "name", "")
            if not may_change.isdisjoint({owner, f"{owner}.{member.name}"}):
                found += list(_statements(member))
    return found


def _statements(function: ast.FunctionDef) -> Iterator[tuple[ast.stmt, list[ast.stmt], int]]:
    for node in ast.walk(function):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield from ((one, block, index) for index, one in enumerate(block))


def _mutate(node: ast.stmt, block: list[ast.stmt], index: int, how: str) -> str:
    """Make one mistake; return the line in which it was made, or nothing if it cannot be made here."""
    line = ast.unparse(node).splitlines()[0]
    match how, node:
        case "bare", ast.With():
            block[index : index + 1] = node.body
        case "first", ast.With(items=[_, _, *_]):
            node.items = node.items[:1]
        case "if", ast.While():
            block[index] = ast.If(copy.deepcopy(node.test), node.body, [])
        case "weaker", ast.Expr(value=ast.Call(func=ast.Attribute() as function)):
            if function.attr not in _WEAKER:
                return ""
            function.attr = _WEAKER[function.attr]
        case "gone", ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise():
            block[index] = ast.Pass()
        case _:
            return ""
    return line
