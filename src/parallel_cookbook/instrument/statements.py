"""Rewrites blocks, and the statements that bind a name: imports, functions, classes ..."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from parallel_cookbook.instrument import build
from parallel_cookbook.instrument.stores import StoreRewriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parallel_cookbook.instrument.scopes import FunctionNode, Scope
    from parallel_cookbook.instrument.sites import SiteTable
    from parallel_cookbook.instrument.tracking import ScopeMap

# A method visit_X rewrites the node ast.X. An assert states what must hold inside.
# ruff: noqa: D102, N802, S101

_HAS_STATIC_ATTRIBUTES = sys.version_info >= (3, 13)


class StatementRewriter(StoreRewriter):
    """Rewrites one module, in place."""

    def __init__(self, lines: list[str], filename: str, sites: SiteTable, scopes: ScopeMap) -> None:
        super().__init__(lines, filename, sites, scopes)
        self._static_attributes: list[str] = []

    def module(self, tree: ast.Module | ast.Interactive) -> None:
        """Rewrite `tree`, whose scopes were given."""
        tree.body = self._body(tree.body)

    def _body(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        rewritten: list[ast.stmt] = []
        for statement in statements:
            new = self.visit(statement)
            if isinstance(new, list):
                rewritten += new
            else:
                rewritten.append(new)
        return rewritten

    # Loops and blocks

    def visit_While(self, node: ast.While) -> ast.stmt:
        node.test = self._truth(node.test)
        node.body = [self._tick(node), *self._body(node.body)]
        node.orelse = self._body(node.orelse)
        return node

    def visit_For(self, node: ast.For | ast.AsyncFor) -> ast.stmt:
        is_async = isinstance(node, ast.AsyncFor)
        node.iter = self._expression(node.iter) if is_async else self._iterable(node.iter)
        tick = self._tick(node)
        node.target, stores = self._block_target(node.target)
        node.body = [*stores, tick, *self._body(node.body)]
        node.orelse = self._body(node.orelse)
        return node

    visit_AsyncFor = visit_For  # noqa: N815 - the name is ast's

    def _tick(self, node: ast.While | ast.For | ast.AsyncFor) -> ast.stmt:
        first = node.body[0]
        subject = "while" if isinstance(node, ast.While) else "for"
        if subject == "for" and any(isinstance(one, ast.While) for one in ast.walk(node)):
            subject = "for around while"
        return build.statement(self._call("tick", first, self._site("loop", node, subject)), first)

    def _block_target(self, target: ast.expr) -> tuple[ast.expr, list[ast.stmt]]:
        """Return the target that a compound statement binds, and what its body begins with."""
        if not self._has_tracked(target):
            return self._target(target), self._bound(target)
        name = self._temporary()
        value = build.at(build.name(name), target)
        stores = self._store(target, value, target)
        return build.at(build.stored(name), target), [*stores, build.delete(name, target)]

    def visit_If(self, node: ast.If) -> ast.stmt:
        node.test = self._truth(node.test)
        node.body = self._body(node.body)
        node.orelse = self._body(node.orelse)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        node.test = self._truth(node.test)
        if node.msg is not None:
            node.msg = self._expression(node.msg)
        return node

    def visit_With(self, node: ast.With | ast.AsyncWith) -> ast.stmt:
        # A tracked target is stored before the next manager is entered.
        item, *others = node.items
        item.context_expr = self._expression(item.context_expr)
        stores: list[ast.stmt] = []
        if item.optional_vars is not None:
            item.optional_vars, stores = self._block_target(item.optional_vars)
        if others:
            inner = self.visit_With(build.at(type(node)(items=others, body=node.body), node))
            assert isinstance(inner, ast.With | ast.AsyncWith), inner
            if stores:
                node.items, node.body = [item], [*stores, inner]
            else:
                node.items, node.body = [item, *inner.items], inner.body
            return node
        node.items, node.body = [item], [*stores, *self._body(node.body)]
        return node

    visit_AsyncWith = visit_With  # noqa: N815 - the name is ast's

    def visit_Try(self, node: ast.stmt) -> ast.stmt:
        assert isinstance(node, ast.Try | ast.TryStar), node
        node.body = self._body(node.body)
        for handler in node.handlers:
            self.visit_ExceptHandler(handler)
        node.orelse = self._body(node.orelse)
        node.finalbody = self._body(node.finalbody)
        return node

    visit_TryStar = visit_Try  # noqa: N815 - the name is ast's

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        if node.type is not None:
            node.type = self._expression(node.type)
        if node.name is None or not self._is_tracked(node.name):
            node.body = self._body(node.body)
            return node
        # What the compiler makes of `except E as name`, with points.
        temporary, name = self._temporary(), build.at(build.stored(node.name), node)
        caught = build.at(build.name(temporary), node)
        start = [*self._store(name, caught, node), build.delete(temporary, node)]
        body = self._body(node.body)
        nothing = build.at(ast.Constant(value=None), node)
        end = [*self._store(name, nothing, node), build.delete(node.name, node)]
        block = ast.Try(body=body, handlers=[], orelse=[], finalbody=end)
        node.name = temporary
        node.body = [*start, build.at(block, node)]
        return node

    def visit_Match(self, node: ast.Match) -> list[ast.stmt]:
        node.subject = self._read(node.subject)
        end: list[ast.stmt] = []
        for case in node.cases:
            for temporary in self._visit_case(case):
                # A guard that was false has left its temporary bound.
                nothing = build.at(ast.Constant(value=None), node)
                end.append(build.assign(build.stored(temporary), nothing, node))
                end.append(build.delete(temporary, node))
        return [node, *end]

    def _visit_case(self, case: ast.match_case) -> list[str]:
        """Rewrite `case`; return the temporaries that its guard binds."""
        captures: dict[str, str] = {}
        notices: list[ast.stmt] = []
        for pattern in ast.walk(case.pattern):
            field = "rest" if isinstance(pattern, ast.MatchMapping) else "name"
            name = getattr(pattern, field, None)
            if not isinstance(name, str):
                continue
            if self._is_tracked(name):
                temporary = captures.setdefault(name, self._temporary())
                setattr(pattern, field, temporary)
            else:
                notices += self._notice(name, pattern)
        guard = None if case.guard is None else self._truth(case.guard)
        start: list[ast.stmt] = []
        values: list[ast.expr] = []
        for name, temporary in captures.items():
            target = build.at(build.stored(name), case.pattern)
            value = build.at(build.name(temporary), case.pattern)
            point = self._point("write", name, case.pattern, value)
            assert point is not None, name
            if guard is None:
                start.append(build.assign(target, point, case.pattern))
            else:
                # The guard sees the captures; they stay bound when it is false.
                forgotten = build.at(ast.Constant(value=None), case.pattern)
                values.append(build.at(ast.NamedExpr(target=target, value=point), case.pattern))
                values.append(
                    build.at(
                        ast.NamedExpr(target=build.stored(temporary), value=forgotten),
                        case.pattern,
                    )
                )
            start.append(build.delete(temporary, case.pattern))
        if guard is not None and values:
            guard = build.at(build.in_sequence(*values, guard), guard)
        case.guard = guard
        case.body = [*start, *notices, *self._body(case.body)]
        return list(captures.values()) if values else []

    # Imports, functions, classes

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__" and not node.level:
            return [node]
        stores: list[ast.stmt] = []
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            if bound == "*":
                continue
            has_own_name = alias.asname is not None or "." not in alias.name
            if self._is_tracked(bound) and (has_own_name or isinstance(node, ast.ImportFrom)):
                alias.asname = self._temporary()
                value = build.at(build.name(alias.asname), node)
                stores += self._store(build.at(build.stored(bound), node), value, node)
                stores.append(build.delete(alias.asname, node))
            elif self._is_tracked(bound):
                # `import a.b` binds `a`, and has no other form that does.
                point = self._point("write", bound, node, ast.Constant(value=None))
                assert point is not None, bound
                stores.append(build.statement(point, node))
            else:
                stores += self._notice(bound, node)
        return [node, *stores]

    visit_ImportFrom = visit_Import  # noqa: N815 - the name is ast's

    def visit_FunctionDef(self, node: FunctionNode) -> ast.stmt:
        node.decorator_list = [self._expression(one) for one in node.decorator_list]
        self._visit_defaults(node.args)
        scope = self._scopes.of[node]
        outer_attributes, self._static_attributes = self._static_attributes, []
        with self._inside(scope):
            node.body = self._body(node.body)
            start = self._prologue(scope, node.body[0])
        self._static_attributes = outer_attributes
        _insert_after_docstring(node.body, start)
        self._announce_definition(node)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name is ast's

    def _prologue(self, scope: Scope, first: ast.stmt) -> list[ast.stmt]:
        start: list[ast.stmt] = []
        if scope.tracked_cells:
            made = self._call("new_scope", first)
            start.append(build.assign(build.stored(scope.hidden_name), made, first))
        if self._static_attributes:
            # The compiler collects a class's `__static_attributes__` from stores into `self`;
            # it drops this block after that.
            targets: list[ast.expr] = [
                ast.Attribute(value=build.name("self"), attr=attribute, ctx=ast.Store())
                for attribute in dict.fromkeys(self._static_attributes)
            ]
            never = build.assign(targets[0], ast.Constant(value=None), first)
            never.targets = targets
            test = ast.Constant(value=False)
            start.append(build.at(ast.If(test=test, body=[never], orelse=[]), first))
        return start

    def _note_static_attribute(self, target: ast.Attribute) -> None:
        is_self = isinstance(target.value, ast.Name) and target.value.id == "self"
        if _HAS_STATIC_ATTRIBUTES and is_self and self._scope.kind == "function":
            self._static_attributes.append(target.attr)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        node.decorator_list = [self._expression(one) for one in node.decorator_list]
        with self._inside(self._scopes.type_parameters.get(node, self._scope)):
            node.bases = [self._expression(base) for base in node.bases]
            for keyword in node.keywords:
                value = keyword.value
                keyword.value = (
                    self._read(value) if keyword.arg is None else self._expression(value)
                )
        outer_hooks, self._hooks_used = self._hooks_used, set()
        with self._inside(self._scopes.of[node]):
            node.body = self._body(node.body)
        if self._hooks_used:
            # Without this, a class body would ask the namespace of `__prepare__` for the hooks.
            names = ast.Global(names=sorted(self._hooks_used))
            _insert_after_docstring(node.body, [build.at(names, node.body[0])])
        self._hooks_used |= outer_hooks
        self._announce_definition(node)
        return node

    def _announce_definition(self, node: FunctionNode | ast.ClassDef) -> None:
        """Make the point the outermost decorator: it runs last, right before the store."""
        nothing = ast.Constant(value=None)
        point = self._point("write", node.name, node, nothing)
        if point is None:
            point = self._bound_once(node.name, node, nothing)
        if point is None:
            return
        position = node.decorator_list[0] if node.decorator_list else node
        decorator = ast.Call(
            func=self._hook("partial"), args=[point.func, *point.args[:-1]], keywords=[]
        )
        node.decorator_list.insert(0, build.at(decorator, position))

    def visit_TypeAlias(self, node: ast.stmt) -> list[ast.stmt]:
        """Leave the value alone, which is evaluated lazily; announce the name."""
        target = getattr(node, "name", None)
        assert isinstance(target, ast.Name), target
        if not self._is_tracked(target.id):
            return [node, *self._notice(target.id, node)]
        point = self._point("write", target.id, node, ast.Constant(value=None))
        assert point is not None, target.id
        return [node, build.statement(point, node)]


def _insert_after_docstring(body: list[ast.stmt], statements: Sequence[ast.stmt]) -> None:
    first = body[0]
    has_docstring = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    body[has_docstring:has_docstring] = statements
