"""Rewrites expressions: each access that another task could see or disturb becomes a hook's call.

Order of evaluation is CPython's throughout. Hooks are described in `hooks.py`. Annotations, the
bounds of type parameters and the values of `type` statements are never rewritten.
"""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

from parallel_cookbook.instrument import build, operands
from parallel_cookbook.instrument.base import Rewriter

if TYPE_CHECKING:
    from parallel_cookbook.instrument.scopes import Comprehension, Scope
    from parallel_cookbook.instrument.sites import Kind

# A method visit_X rewrites the node ast.X.
# ruff: noqa: D102, N802

_FRAME_READERS = frozenset({"locals", "vars", "dir"})
_F_STRINGS_HAVE_POSITIONS = sys.version_info >= (3, 12)


class ExpressionRewriter(Rewriter):
    """Rewrites the expressions of one module."""

    # Attributes, subscripts, calls

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        is_super = is_super_call(node.value)
        node.value = self._expression(node.value)
        if is_super or not isinstance(node.ctx, ast.Load):
            return node
        return self._load_attribute("load_attr", "load_attr", node)

    def _load_attribute(self, hook: str, kind: Kind, node: ast.Attribute) -> ast.expr:
        attribute = ast.Constant(value=self._mangled(node.attr))
        call = self._call(hook, node, self._site(kind, node), node.value, attribute)
        build.start_at_attribute(call, node)
        return call

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        is_own = node.value in self.own_containers
        node.value = self._expression(node.value)
        node.slice = self._expression(node.slice)
        if is_own or not isinstance(node.ctx, ast.Load):
            return node
        key = build.slice_as_value(node.slice)
        return self._call("load_item", node, self._site("load_item", node), node.value, key)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = node.func
        if isinstance(function, ast.Attribute) and function.value in self.own_containers:
            self._visit_arguments(node)
            return node
        if isinstance(function, ast.Attribute):
            kind: Kind = (
                "call_method" if function.attr in operands.CONTAINER_METHODS else "load_attr"
            )
            if not is_super_call(function.value):
                function.value = self._expression(function.value)
            node.func = self._load_attribute("load_method", kind, function)
            self._visit_arguments(node)
            build.start_at_attribute(node, function)
            return node
        builtin = function.id if isinstance(function, ast.Name) else ""
        if builtin and not self._is_builtin(builtin):
            is_imported = self._scopes.is_imported_function(self._scope, self._mangled(builtin))
            builtin = ""
        else:
            is_imported = False
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        touches_container = (is_imported or builtin in operands.CONTAINER_FUNCTIONS) and any(
            not isinstance(argument, ast.Constant | ast.JoinedStr) for argument in given
        )
        node.func = self._expression(function)
        self._visit_arguments(node)
        if touches_container:
            site = self._site("call_builtin", node)
            node.args = [site, node.func, *node.args]
            node.func = self._hook("call_builtin")
        elif builtin in _FRAME_READERS and not given:
            return self._call("without_hidden", node, node) if self._hides_names() else node
        elif builtin == "globals" and not given:
            return self._call("own_globals", node, node)
        return node

    def _hides_names(self) -> bool:
        return self._scopes.sees_hidden_names(self._scope)

    def _visit_arguments(self, node: ast.Call) -> None:
        node.args = [self._expression(argument) for argument in node.args]
        for keyword in node.keywords:
            value = keyword.value
            keyword.value = self._read(value) if keyword.arg is None else self._expression(value)

    # Containers read as a whole

    def _read(self, node: ast.expr) -> ast.expr:
        """Rewrite `node`, whose value is about to be read as a whole."""
        return self._wrapped("read_container", "read_container", node)

    def _iterable(self, node: ast.expr) -> ast.expr:
        """Rewrite `node`, whose value is about to be iterated over."""
        return self._wrapped("iterate", "iterate", node)

    def _wrapped(self, hook: str, kind: Kind, node: ast.expr) -> ast.expr:
        is_shareable = self._is_shareable(node) and node not in self.own_containers
        new = self._expression(node)
        return self._call(hook, node, self._site(kind, node), new) if is_shareable else new

    def _truth(self, node: ast.expr) -> ast.expr:
        """Rewrite `node`, whose truth is tested: of a container, that is a read."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node.operand = self._truth(node.operand)
            return node
        if isinstance(node, ast.BoolOp):
            node.values = [self._truth(value) for value in node.values]
            return node
        if isinstance(node, ast.IfExp):
            node.test = self._truth(node.test)
            node.body = self._truth(node.body)
            node.orelse = self._truth(node.orelse)
            return node
        return self._wrapped("truth", "read_container", node)

    def _unpacked(self, node: ast.expr) -> ast.expr:
        """Rewrite `node`, whose value is about to be unpacked."""
        return self._wrapped("unpack", "read_container", node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        if isinstance(node.op, ast.Not):
            return self._truth(node)
        node.operand = self._expression(node.operand)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        *tested, last = node.values
        node.values = [*(self._truth(value) for value in tested), self._expression(last)]
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        node.test = self._truth(node.test)
        node.body = self._expression(node.body)
        node.orelse = self._expression(node.orelse)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        touches = operands.may_touch_container(node.left, node.op, node.right, self._is_builtin)
        node.left = self._expression(node.left)
        node.right = self._expression(node.right)
        if not touches:
            return node
        site = self._site("operator", node)
        return self._call("operate", node, site, node.left, node.right, self._operator(node.op))

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        left, *rights = every = [node.left, *node.comparators]
        touched = [
            operands.may_compare_container(one, operator, other, self._is_builtin)
            for one, operator, other in zip(every, node.ops, rights, strict=False)
        ]
        if len(rights) == 1 and touched[0]:
            return self._comparison(node, left, node.ops[0], rights[0])
        # A chain needs each operand twice: it is announced as it is evaluated, which for all but
        # the first is right before the comparison.
        is_first_read = touched[0] and not isinstance(node.ops[0], ast.In | ast.NotIn)
        node.left = self._read(left) if is_first_read else self._expression(left)
        node.comparators = [
            self._read(right) if touches else self._expression(right)
            for right, touches in zip(rights, touched, strict=True)
        ]
        return node

    def _comparison(
        self, node: ast.Compare, left: ast.expr, operator: ast.cmpop, right: ast.expr
    ) -> ast.expr:
        left, right = self._expression(left), self._expression(right)
        if isinstance(operator, ast.In):
            return self._call("contains", node, self._site("contains", node), left, right)
        if isinstance(operator, ast.NotIn):
            found = self._call("contains", node, self._site("contains", node), left, right)
            return build.at(ast.UnaryOp(op=ast.Not(), operand=found), node)
        site = self._site("operator", node)
        return self._call("operate", node, site, left, right, self._operator(operator))

    def visit_Starred(self, node: ast.Starred) -> ast.expr:
        if isinstance(node.ctx, ast.Load):
            node.value = self._unpacked(node.value)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        pairs = zip(node.keys, node.values, strict=True)
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for key, value in pairs:
            keys.append(None if key is None else self._expression(key))
            values.append(self._read(value) if key is None else self._expression(value))
        node.keys, node.values = keys, values
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        node.value = self._read(node.value)
        if node.format_spec is not None:
            node.format_spec = self._expression(node.format_spec)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        if _F_STRINGS_HAVE_POSITIONS or self._f_string_texts:
            self.generic_visit(node)
            return node
        self._f_string_texts = {
            inner: ast.unparse(inner)
            for value in node.values
            for inner in ast.walk(value)
            if isinstance(inner, ast.expr) and not isinstance(inner, ast.FormattedValue)
        }
        self.generic_visit(node)
        self._f_string_texts = {}
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.expr:
        node.value = self._wrapped("delegate", "iterate", node.value)
        return node

    # Scopes within expressions

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        self._visit_defaults(node.args)
        scope = self._scopes.of[node]
        with self._inside(scope):
            node.body = self._expression(node.body)
            if scope.tracked_cells:
                made = self._call("new_scope", node.body)
                kept = ast.NamedExpr(target=build.stored(scope.hidden_name), value=made)
                node.body = build.at(build.in_sequence(kept, node.body), node.body)
        return node

    def _visit_defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = [self._expression(default) for default in arguments.defaults]
        arguments.kw_defaults = [
            None if default is None else self._expression(default)
            for default in arguments.kw_defaults
        ]

    def visit_ListComp(self, node: Comprehension) -> ast.expr:
        first, *others = node.generators
        first_iterable = (
            self._expression(first.iter) if first.is_async else self._iterable(first.iter)
        )
        scope = self._scopes.of[node]
        with self._inside(scope):
            first.iter = self._announced(first, first_iterable, scope, is_first=True)
            first.target = self._target(first.target)
            if scope.tracked_cells:
                pair: list[ast.expr] = [build.stored(scope.hidden_name), first.target]
                first.target = build.at(ast.Tuple(elts=pair, ctx=ast.Store()), first.target)
            first.ifs = [self._truth(test) for test in first.ifs]
            for other in others:
                iterable = (
                    self._expression(other.iter) if other.is_async else self._iterable(other.iter)
                )
                other.iter = self._announced(other, iterable, scope, is_first=False)
                other.target = self._target(other.target)
                other.ifs = [self._truth(test) for test in other.ifs]
            if isinstance(node, ast.DictComp):
                node.key = self._expression(node.key)
                node.value = self._expression(node.value)
            else:
                node.elt = self._expression(node.elt)
        return node

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815 - ast's names

    def _announced(
        self, generator: ast.comprehension, iterable: ast.expr, scope: Scope, *, is_first: bool
    ) -> ast.expr:
        """Announce the stores into tracked cells, which only an inner function can share."""
        sites: list[ast.expr] = [
            self._site("write_cell", inner, self._mangled(inner.id))
            for inner in ast.walk(generator.target)
            if isinstance(inner, ast.Name)
            and isinstance(inner.ctx, ast.Store)
            and self._mangled(inner.id) in scope.tracked_cells
        ]
        if generator.is_async or not (sites or (is_first and scope.tracked_cells)):
            return iterable
        helper = "with_scope" if is_first else "announced"
        identity = self._call("new_scope", iterable) if is_first else build.name(scope.hidden_name)
        announced: ast.expr = ast.Tuple(elts=sites, ctx=ast.Load())
        return self._call(
            helper, generator.iter, iterable, identity, self._hook("write_cell"), announced
        )

    def _target(self, target: ast.expr) -> ast.expr:
        """Return a target that announces each store it makes into attributes and items.

        Names stay as they are. `obj.name` becomes `.attr_target(site, obj, name).value`: `obj` is
        evaluated when CPython evaluates it, right before the store.
        """
        if isinstance(target, ast.Attribute):
            is_super = is_super_call(target.value)
            target.value = self._expression(target.value)
            if is_super:
                return target
            self._note_static_attribute(target)
            attribute = ast.Constant(value=self._mangled(target.attr))
            site = self._site("store_attr", target)
            proxy = self._call("attr_target", target, site, target.value, attribute)
        elif isinstance(target, ast.Subscript):
            target.value = self._expression(target.value)
            key = build.slice_as_value(self._expression(target.slice))
            site = self._site("store_item", target)
            proxy = self._call("item_target", target, site, target.value, key)
        else:
            if isinstance(target, ast.Tuple | ast.List):
                target.elts = [self._target(element) for element in target.elts]
            elif isinstance(target, ast.Starred):
                target.value = self._target(target.value)
            return target
        return build.at(ast.Attribute(value=proxy, attr="value", ctx=ast.Store()), target)

    def _note_static_attribute(self, target: ast.Attribute) -> None:
        """Remember that a method stores `self.name` (see `StatementRewriter`)."""


def is_super_call(node: ast.expr) -> bool:
    """Whether `node` is a call of `super`, whose attributes nobody can store."""
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )
