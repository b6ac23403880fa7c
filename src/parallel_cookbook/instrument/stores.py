"""Rewrites what stores into names, attributes and items, and what deletes them.

Where the compiler leaves no room for a point before its own store (an unpacking, a `for` target,
a capture of `match` ...), a *tracked* name is bound to a temporary first, which is deleted as soon
as its value is stored. Names that are not tracked are bound as they were.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from parallel_cookbook.instrument import build, operands
from parallel_cookbook.instrument.expressions import ExpressionRewriter, is_super_call

if TYPE_CHECKING:
    from parallel_cookbook.instrument.sites import SiteTable
    from parallel_cookbook.instrument.tracking import ScopeMap

# A method visit_X rewrites the node ast.X.
# ruff: noqa: D102, N802


class StoreRewriter(ExpressionRewriter):
    """Rewrites assignments and `del`."""

    def __init__(self, lines: list[str], filename: str, sites: SiteTable, scopes: ScopeMap) -> None:
        super().__init__(lines, filename, sites, scopes)
        self._temporaries = 0

    # Stores

    def _temporary(self) -> str:
        self._temporaries += 1
        return f".t{self._temporaries}"

    def _has_tracked(self, target: ast.expr) -> bool:
        return any(
            isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Store)
            and self._is_tracked(node.id)
            for node in ast.walk(target)
        )

    def _store(
        self, target: ast.expr, value: ast.expr, original: ast.AST, *, is_read: bool = False
    ) -> list[ast.stmt]:
        """Return statements for `target = value`; `is_read`: unpacking `value` reads it."""
        if isinstance(target, ast.Name):
            point = self._point("write", target.id, target, value)
            if point is None:
                point = self._bound_once(target.id, target, value)
            return [build.assign(target, value if point is None else point, original)]
        if isinstance(target, ast.Attribute) and not is_super_call(target.value):
            self._note_static_attribute(target)
            owner = self._expression(target.value)
            attribute = ast.Constant(value=self._mangled(target.attr))
            site = self._site("store_attr", target)
            call = self._call("store_attr", target, value, site, owner, attribute)
            return [build.statement(call, original)]
        if isinstance(target, ast.Subscript):
            owner = self._expression(target.value)
            key = build.slice_as_value(self._expression(target.slice))
            call = self._call(
                "store_item", target, value, self._site("store_item", target), owner, key
            )
            return [build.statement(call, original)]
        if is_read:
            value = self._call("unpack", value, self._site("read_container", value), value)
        if isinstance(target, ast.Tuple | ast.List) and self._has_tracked(target):
            return self._unpack(target, value, original)
        assign = build.assign(self._target(target), value, original)
        return [assign, *self._bound(target)]

    def _unpack(
        self, target: ast.Tuple | ast.List, value: ast.expr, original: ast.AST
    ) -> list[ast.stmt]:
        """Unpack into temporaries, then store each in order: some of the names are tracked."""
        names = [self._temporary() for _ in target.elts]
        inner = [
            element.value if isinstance(element, ast.Starred) else element
            for element in target.elts
        ]
        stores: list[ast.expr] = [
            build.at(ast.Starred(value=build.stored(name), ctx=ast.Store()), element)
            if isinstance(element, ast.Starred)
            else build.at(build.stored(name), element)
            for name, element in zip(names, target.elts, strict=True)
        ]
        unpacked = build.at(ast.Tuple(elts=stores, ctx=ast.Store()), target)
        result: list[ast.stmt] = [build.assign(unpacked, value, original)]
        for name, element in zip(names, inner, strict=True):
            result += self._store(element, build.at(build.name(name), element), original)
            result.append(build.delete(name, original))
        return result

    def _bound(self, target: ast.AST) -> list[ast.stmt]:
        """Return the notices that follow a store into names that the module binds once."""
        return [
            notice
            for node in ast.walk(target)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            for notice in self._notice(node.id, node)
        ]

    def _notice(self, identifier: str, node: ast.AST) -> list[ast.stmt]:
        call = self._bound_once(identifier, node, ast.Constant(value=None))
        return [] if call is None else [build.statement(call, node)]

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        unpacks = any(isinstance(target, ast.Tuple | ast.List) for target in node.targets)
        is_read = unpacks and self._is_shareable(node.value)
        value = self._expression(node.value)
        if len(node.targets) == 1:
            return self._store(node.targets[0], value, node, is_read=is_read)
        if any(self._has_tracked(target) for target in node.targets):
            name = self._temporary()
            result: list[ast.stmt] = [build.assign(build.stored(name), value, node)]
            for target in node.targets:
                kept = build.at(build.name(name), node.value)
                result += self._store(target, kept, node, is_read=is_read)
            return [*result, build.delete(name, node)]
        notices = [notice for target in node.targets for notice in self._bound(target)]
        if is_read:
            site = self._site("read_container", node.value)
            value = self._call("read_container", node.value, site, value)
        node.value = value
        node.targets = [self._target(target) for target in node.targets]
        return [node, *notices]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | list[ast.stmt]:
        if node.value is None:
            if isinstance(node.target, ast.Attribute | ast.Subscript):
                # Without a value, the target's parts are evaluated and nothing is stored.
                node.target = self._expression(node.target)  # type: ignore[assignment]
            return node
        node.value = self._expression(node.value)
        if isinstance(node.target, ast.Name):
            point = self._point("write", node.target.id, node.target, node.value)
            if point is None:
                point = self._bound_once(node.target.id, node.target, node.value)
            if point is not None:
                node.value = point
        else:
            node.target = self._target(node.target)  # type: ignore[assignment]
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt | list[ast.stmt]:
        target = node.target
        if isinstance(target, ast.Name):
            return self._augmented_name(node, target)
        if isinstance(target, ast.Attribute) and is_super_call(target.value):
            target.value = self._expression(target.value)
            node.value = self._expression(node.value)
            return node
        begin: ast.expr
        if isinstance(target, ast.Attribute):
            owner = self._expression(target.value)
            attribute = ast.Constant(value=self._mangled(target.attr))
            site = self._site("load_attr", target)
            self._site("store_attr", target)
            begin = self._call("begin_aug_attr", target, site, owner, attribute)
            end = "end_aug_attr"
        else:
            owner = self._expression(target.value)
            key = build.slice_as_value(self._expression(target.slice))
            site = self._site("load_item", target)
            self._site("store_item", target)
            begin = self._call("begin_aug_item", target, site, owner, key)
            end = "end_aug_item"
        self._site("inplace", node, self._text_of(target))
        value = self._expression(node.value)
        operator = self._operator(node.op, "i")
        return build.statement(self._call(end, node, begin, value, operator), node)

    def _text_of(self, node: ast.expr) -> str:
        end_line = node.end_lineno or node.lineno
        return self._text(node, node.lineno, end_line, node.col_offset, node.end_col_offset or 0)

    def _augmented_name(self, node: ast.AugAssign, target: ast.Name) -> ast.stmt:
        may_change = operands.may_change_in_place(node.op, node.value)
        is_tracked = self._is_tracked(target.id)
        if not (is_tracked or may_change):
            node.value = self._expression(node.value)
            return node
        loaded = self._expression(build.at(build.name(target.id), target))
        value = self._expression(node.value)
        operator = self._operator(node.op, "i")
        if may_change:
            site = self._site("inplace", node, self._mangled(target.id))
            result = self._call("inplace", node, site, loaded, value, operator)
        else:
            result = build.at(ast.Call(func=operator, args=[loaded, value], keywords=[]), node)
        point = self._point("write", target.id, target, result)
        if point is None:
            point = self._bound_once(target.id, target, result)
        return build.assign(target, result if point is None else point, node)

    def visit_Delete(self, node: ast.Delete) -> list[ast.stmt]:
        return [statement for target in node.targets for statement in self._delete(target, node)]

    def _delete(self, target: ast.expr, original: ast.Delete) -> list[ast.stmt]:
        if isinstance(target, ast.Tuple | ast.List):
            inner = [part for element in target.elts for part in self._delete(element, original)]
            return inner or [build.at(ast.Pass(), original)]
        if isinstance(target, ast.Attribute) and not is_super_call(target.value):
            owner = self._expression(target.value)
            attribute = ast.Constant(value=self._mangled(target.attr))
            site = self._site("delete_attr", target)
            call = self._call("del_attr", target, site, owner, attribute)
            return [build.statement(call, original)]
        if isinstance(target, ast.Subscript):
            owner = self._expression(target.value)
            key = build.slice_as_value(self._expression(target.slice))
            call = self._call("del_item", target, self._site("delete_item", target), owner, key)
            return [build.statement(call, original)]
        result: list[ast.stmt] = []
        if isinstance(target, ast.Name):
            point = self._point("delete", target.id, target, ast.Constant(value=None))
            if point is not None:
                result.append(build.statement(point, original))
        else:
            target = self._expression(target)
        result.append(build.at(ast.Delete(targets=[target]), original))
        return result
