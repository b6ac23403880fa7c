"""Adds lines to a source that change nothing of what its tasks do to one another."""

from __future__ import annotations

import ast

ABOVE = """\
# A line, and an import, and a name that nobody else uses.
import string as unrelated_module

UNRELATED = {"letters": unrelated_module.ascii_letters}
"""
BETWEEN = """\


class Unrelated:
    kind = "unrelated"

    def describe(self):
        return self.kind.upper()


def unrelated(values):
    return [value * 2 for value in values]


UNRELATED_VALUES = unrelated([1, 2])
"""
INSIDE = 'unrelated_text = "a local variable"  # and a comment'


def lines_above(source: str) -> str:
    """Return the source with lines above its first statement."""
    return _with_lines(source, {_first_line(ast.parse(source).body): ABOVE})


def lines_between(source: str) -> str:
    """Return the source with lines before each second of its classes and functions, at least one."""
    body = ast.parse(source).body
    places = [_line_of(node) for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return _with_lines(source, dict.fromkeys(places[::2] or [_line_of(body[-1])], BETWEEN))


def lines_inside(source: str) -> str:
    """Return the source with a line at the beginning of each function of several lines."""
    added = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            first = next((one for one in node.body if not _is_docstring(one)), None)
            is_below = first is not None and first.lineno > node.lineno
            # What declares a name must come before its first use, which a new variable is not.
            if first is not None and is_below:
                added[_line_of(first)] = " " * first.col_offset + INSIDE
    return _with_lines(source, added)


def _first_line(body: list[ast.stmt]) -> int:
    for node in body:
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not is_future and not _is_docstring(node):
            return _line_of(node)
    raise AssertionError("a source without statements")


def _line_of(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _with_lines(source: str, added: dict[int, str]) -> str:
    """Put each text above the line with that number, counted from 1."""
    lines = source.splitlines()
    for number in sorted(added, reverse=True):
        lines[number - 1 : number - 1] = added[number].splitlines()
    return "\n".join(lines) + "\n"
