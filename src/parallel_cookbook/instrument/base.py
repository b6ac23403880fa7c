"""What every part of the rewriting needs: sites, calls of hooks, the scope it is in, and names."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING

from parallel_cookbook.instrument import build
from parallel_cookbook.instrument.operands import may_be_shared
from parallel_cookbook.instrument.scopes import mangle
from parallel_cookbook.instrument.sites import Kind, Site, SiteTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.instrument.scopes import Scope
    from parallel_cookbook.instrument.tracking import ScopeMap

# A method visit_X rewrites the node ast.X. An assert states what must hold inside.
# ruff: noqa: D102, S101

_POINTS: dict[str, tuple[Kind, Kind]] = {
    "read": ("read_global", "read_cell"),
    "write": ("write_global", "write_cell"),
    "delete": ("delete_global", "delete_cell"),
}
"""The kinds of the site, for a global and a cell, by what is done with the name."""


class Rewriter(ast.NodeTransformer):
    """Rewrites the names of one module; its subclasses rewrite the rest, in place."""

    def __init__(self, lines: list[str], filename: str, sites: SiteTable, scopes: ScopeMap) -> None:
        self.own_containers: frozenset[ast.Name] = frozenset()
        """Loads of names that hold a container which nobody else can see."""
        self._lines = lines
        self._filename = filename
        self._sites = sites
        self._scopes = scopes
        self._scope: Scope = scopes.module
        self._hooks_used: set[str] = set()
        self._f_string_texts: dict[ast.AST, str] = {}

    # Sites, hooks and scopes

    def _site(self, kind: Kind, node: ast.AST, subject: str | None = None) -> ast.Constant:
        line: int = getattr(node, "lineno", 1)
        end_line: int = getattr(node, "end_lineno", line)
        column: int = getattr(node, "col_offset", 0)
        end_column: int = getattr(node, "end_col_offset", column)
        if subject is None:
            subject = self._text(node, line, end_line, column, end_column)
        function = self._scope.qualified_name
        site = Site(self._filename, line, end_line, column, end_column, kind, subject, function)
        return ast.Constant(value=self._sites.add(site))

    def _text(self, node: ast.AST, line: int, end_line: int, column: int, end_column: int) -> str:
        if self._f_string_texts:
            # Until 3.11, positions within f-strings are not those of the source.
            return self._f_string_texts.get(node, "")
        lines = self._lines[line - 1 : end_line]
        if not all(text.isascii() for text in lines):
            encoded = [text.encode() for text in lines]
            encoded[-1] = encoded[-1][:end_column]
            encoded[0] = encoded[0][column:]
            lines = [text.decode() for text in encoded]
        elif line == end_line:
            return lines[0][column:end_column]
        elif lines:
            lines[-1] = lines[-1][:end_column]
            lines[0] = lines[0][column:]
        return " ".join(" ".join(lines).split())

    def _hook(self, hook: str) -> ast.Name:
        identifier = f".{hook}"
        self._hooks_used.add(identifier)
        return build.name(identifier)

    def _call(self, hook: str, original: ast.AST, *arguments: ast.expr) -> ast.Call:
        call = ast.Call(func=self._hook(hook), args=list(arguments), keywords=[])
        return build.at(call, original)

    def _operator(self, operator: ast.AST, prefix: str = "") -> ast.Name:
        return self._hook(f"op_{prefix}{type(operator).__name__}")

    @contextmanager
    def _inside(self, scope: Scope) -> Iterator[None]:
        outer, self._scope = self._scope, scope
        yield
        self._scope = outer

    def _mangled(self, identifier: str) -> str:
        return mangle(identifier, self._scope.class_name)

    def _is_builtin(self, identifier: str) -> bool:
        return self._scopes.is_builtin(self._scope, self._mangled(identifier))

    def _is_shareable(self, node: ast.expr) -> bool:
        return may_be_shared(node, self._is_builtin)

    def _expression(self, node: ast.expr) -> ast.expr:
        new = self.visit(node)
        assert isinstance(new, ast.expr), new
        return new

    # Names

    def _point(
        self, action: str, identifier: str, node: ast.AST, *value: ast.expr
    ) -> ast.Call | None:
        """Return the point of `action` ("read", "write", "delete") on a name, if it needs one."""
        name = self._mangled(identifier)
        global_kind, cell_kind = _POINTS[action]
        hook = "read" if action == "read" else "write"
        if self._scopes.is_tracked_global(self._scope, name):
            return self._call(f"{hook}_global", node, self._site(global_kind, node, name), *value)
        owner = self._scopes.cell_owner(self._scope, name)
        if owner is None:
            return None
        site = self._site(cell_kind, node, name)
        return self._call(f"{hook}_cell", node, site, build.name(owner.hidden_name), *value)

    def _is_tracked(self, identifier: str) -> bool:
        name = self._mangled(identifier)
        return (
            self._scopes.is_tracked_global(self._scope, name)
            or self._scopes.cell_owner(self._scope, name) is not None
        )

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if not isinstance(node.ctx, ast.Load):
            return node
        point = self._point("read", node.id, node)
        if point is None:
            return node
        return build.at(ast.BoolOp(op=ast.Or(), values=[point, node]), node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        node.value = self._expression(node.value)
        point = self._point("write", node.target.id, node.target, node.value)
        if point is None:
            # A module's walrus binds after its value was evaluated, as an assignment does.
            point = self._bound_once(node.target.id, node.target, node.value)
        if point is not None:
            node.value = point
        return node

    def _bound_once(self, identifier: str, node: ast.AST, value: ast.expr) -> ast.Call | None:
        name = self._mangled(identifier)
        if not self._scopes.is_bound_once(self._scope, name):
            return None
        return self._call("bind_global", node, self._site("bind_global", node, name), value)
