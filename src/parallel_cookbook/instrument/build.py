"""Nodes of rewritten code. Names that begin with a dot are names that no program can spell."""

from __future__ import annotations

import ast
from typing import TypeVar

Node = TypeVar("Node", bound=ast.AST)


def name(identifier: str) -> ast.Name:
    """Return a load of the name."""
    return ast.Name(id=identifier, ctx=ast.Load())


def stored(identifier: str) -> ast.Name:
    """Return a store into the name."""
    return ast.Name(id=identifier, ctx=ast.Store())


def at(node: Node, original: ast.AST) -> Node:
    """Give `node`, and in the end its new children, the position of `original`."""
    return ast.copy_location(node, original)


def start_at_attribute(node: ast.expr, attribute: ast.Attribute) -> None:
    """Let `node` start at the name of `attribute` when that stands on a later line.

    So does the compiler (`update_start_location_to_match_attr` in CPython's compile.c).
    """
    end_line, end_column = attribute.end_lineno, attribute.end_col_offset
    if end_line is None or end_column is None or attribute.lineno == end_line:
        return
    node.lineno = end_line
    node.col_offset = max(end_column - len(attribute.attr), 0)


def statement(value: ast.expr, original: ast.AST) -> ast.Expr:
    """Return `value` as a statement at the position of `original`."""
    return at(ast.Expr(value=value), original)


def assign(target: ast.expr, value: ast.expr, original: ast.AST) -> ast.Assign:
    """Return `target = value` at the position of `original`."""
    return at(ast.Assign(targets=[target], value=value), original)


def delete(identifier: str, original: ast.AST) -> ast.Delete:
    """Return `del identifier` at the position of `original`."""
    return at(ast.Delete(targets=[ast.Name(id=identifier, ctx=ast.Del())]), original)


def in_sequence(*values: ast.expr) -> ast.expr:
    """Return an expression that evaluates `values` in order and yields the last."""
    return ast.Subscript(
        value=ast.Tuple(elts=list(values), ctx=ast.Load()),
        slice=ast.Constant(value=-1),
        ctx=ast.Load(),
    )


def slice_as_value(node: ast.expr) -> ast.expr:
    """Return the key of a subscript as an expression that may stand anywhere."""
    if isinstance(node, ast.Slice):
        bounds = [bound or ast.Constant(value=None) for bound in (node.lower, node.upper)]
        if node.step is not None:
            bounds.append(node.step)
        return at(ast.Call(func=name(".slice"), args=bounds, keywords=[]), node)
    if isinstance(node, ast.Tuple):
        node.elts = [slice_as_value(element) for element in node.elts]
    return node
