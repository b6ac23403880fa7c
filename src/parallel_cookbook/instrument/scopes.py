"""The scopes of a module: what each binds and uses, and when.

The scoping rules are those of CPython's `symtable` (the tests compare the two over the standard
library); what is added is *when* each name is bound and each inner function is made, in the order
of evaluation.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection

# A method visit_X notes what the node ast.X does. An assert states what must hold inside.
# ruff: noqa: D102, S101

ScopeKind = Literal["module", "function", "lambda", "class", "comprehension", "genexp", "types"]
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

CONSUMERS = frozenset(
    [
        "all",
        "any",
        "dict",
        "frozenset",
        "list",
        "max",
        "min",
        "set",
        "sorted",
        "sum",
        "tuple",
        "bytes",
        "bytearray",
    ]
)
"""Built-in functions that exhaust a generator expression before they return."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One place that binds or deletes a name; `order` counts places in evaluation order."""

    order: int
    is_repeated: bool


@dataclass(eq=False, slots=True)
class Scope:
    """One block of names, as the compiler sees it; `created` is when its function is made."""

    kind: ScopeKind
    parent: Scope | None
    class_name: str | None
    qualified_name: str
    created: int
    number: int
    consumer: str | None = None
    is_async: bool = False
    uses: set[str] = field(default_factory=set)
    locals: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    tracked_cells: set[str] = field(default_factory=set)
    places: dict[str, Scope | None] = field(default_factory=dict)
    imported: dict[str, str] = field(default_factory=dict)
    """The names that are imported from a module, and which."""

    @property
    def hidden_name(self) -> str:
        """The local that holds the identity of one activation of this scope."""
        return f".scope{self.number}"


def mangle(name: str, class_name: str | None) -> str:
    """Return `name` as the compiler spells it inside the class of that name."""
    if class_name is None or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    stripped = class_name.lstrip("_")
    return f"_{stripped}{name}" if stripped else name


class ScopeBuilder(ast.NodeVisitor):
    """Walks a module in the order of evaluation and notes what each scope binds and uses."""

    def __init__(self, tree: ast.Module | ast.Interactive) -> None:
        self.of: dict[ast.AST, Scope] = {}
        self.type_parameters: dict[ast.AST, Scope] = {}
        self.scopes: list[Scope] = []
        self._clock = 0
        self._loops = 0
        self.module = self._scope = self._open("module", None, None, "<module>")
        for statement in tree.body:
            self.visit(statement)

    def _open(
        self, kind: ScopeKind, parent: Scope | None, class_name: str | None, name: str
    ) -> Scope:
        self._clock += 1
        if parent is None or parent.kind == "module":
            qualified_name = name
        else:
            dot = "." if parent.kind in {"class", "types"} else ".<locals>."
            qualified_name = f"{parent.qualified_name}{dot}{name}"
        scope = Scope(kind, parent, class_name, qualified_name, self._clock, len(self.scopes))
        self.scopes.append(scope)
        return scope

    def _bind(self, name: str, *, scope: Scope | None = None, is_repeated: bool = False) -> None:
        scope = self._scope if scope is None else scope
        self._clock += 1
        name = mangle(name, self._scope.class_name)
        scope.locals.add(name)
        binding = Binding(self._clock, is_repeated or self._loops > 0)
        scope.bindings.setdefault(name, []).append(binding)

    def _visit_all(self, nodes: Collection[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    # Names

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._scope.uses.add(mangle(node.id, self._scope.class_name))
        else:
            self._bind(node.id)

    def visit_Global(self, node: ast.Global) -> None:
        self._scope.globals.update(mangle(name, self._scope.class_name) for name in node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self._scope.nonlocals.update(mangle(name, self._scope.class_name) for name in node.names)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                name = alias.asname or alias.name.partition(".")[0]
                self._bind(name)
                if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                    self._scope.imported[name] = node.module

    visit_ImportFrom = visit_Import  # noqa: N815 - the name is ast's

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._visit_all([node.type])
        if node.name is not None:
            self._bind(node.name)
        self._visit_all(node.body)
        if node.name is not None:
            self._bind(node.name)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.generic_visit(node)
        if node.name is not None:
            self._bind(node.name)

    visit_MatchStar = visit_MatchAs  # noqa: N815 - the name is ast's

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest is not None:
            self._bind(node.rest)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        scope = self._scope
        while scope.kind in {"comprehension", "genexp"} and scope.parent is not None:
            scope = scope.parent
        self._bind(node.target.id, scope=scope, is_repeated=scope is not self._scope)

    # Statements whose order of evaluation is not that of their text

    def visit_Assign(self, node: ast.Assign) -> None:
        self._visit_all([node.value, *node.targets])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._scope.uses.add(mangle(node.target.id, self._scope.class_name))
        self._visit_all([node.value, node.target])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._visit_all([node.value, node.target])
        elif isinstance(node.target, ast.Name):
            if node.simple:
                self._scope.locals.add(mangle(node.target.id, self._scope.class_name))
        else:
            self.visit(node.target)
        self.visit(node.annotation)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._loops += 1
        self._visit_all([node.target, *node.body])
        self._loops -= 1
        self._visit_all(node.orelse)

    visit_AsyncFor = visit_For  # noqa: N815 - the name is ast's

    def visit_While(self, node: ast.While) -> None:
        self._loops += 1
        self._visit_all([node.test, *node.body])
        self._loops -= 1
        self._visit_all(node.orelse)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        # The value is evaluated lazily, in a scope of its own; it is never rewritten.
        name = getattr(node, "name", None)
        assert isinstance(name, ast.Name), name
        self._bind(name.id)

    # Scopes

    def visit_FunctionDef(self, node: FunctionNode) -> None:
        arguments = node.args
        self._visit_all([*node.decorator_list, *arguments.defaults, *arguments.kw_defaults])
        annotations = [argument.annotation for argument in _all_arguments(arguments)]
        self._visit_all([*annotations, node.returns])
        if not node.decorator_list:
            # Nobody can have the function before its name is bound.
            self._bind(node.name)
        outer = self._scope
        self._open_type_parameters(node)
        scope = self._open("function", self._scope, outer.class_name, node.name)
        self._walk(node, scope, arguments, node.body)
        self._scope = outer
        if node.decorator_list:
            self._bind(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name is ast's

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_all([*node.args.defaults, *node.args.kw_defaults])
        scope = self._open("lambda", self._scope, self._scope.class_name, "<lambda>")
        self._walk(node, scope, node.args, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_all(node.decorator_list)
        outer = self._scope
        self._open_type_parameters(node)
        self._visit_all([*node.bases, *node.keywords])
        scope = self._open("class", self._scope, node.name, node.name)
        self._walk(node, scope, None, node.body)
        self._scope = outer
        self._bind(node.name)

    def _open_type_parameters(self, node: ast.AST) -> None:
        parameters = getattr(node, "type_params", None)
        if not parameters:
            return
        class_name = node.name if isinstance(node, ast.ClassDef) else self._scope.class_name
        scope = self._open("types", self._scope, class_name, "")
        # The names of functions and classes skip this scope.
        scope.qualified_name = scope.qualified_name.rstrip(".")
        self.type_parameters[node] = self._scope = scope
        for parameter in parameters:
            self._bind(parameter.name)

    def _walk(
        self,
        node: ast.AST,
        scope: Scope,
        arguments: ast.arguments | None,
        body: Collection[ast.AST],
    ) -> None:
        outer, loops = self._scope, self._loops
        self.of[node] = self._scope = scope
        self._loops = 0
        if arguments is not None:
            for argument in _all_arguments(arguments):
                self._bind(argument.arg)
        self._visit_all(body)
        self._scope, self._loops = outer, loops

    def visit_ListComp(self, node: Comprehension) -> None:
        self._comprehension(node, None)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815 - ast's names

    def visit_Call(self, node: ast.Call) -> None:
        if not (
            isinstance(node.func, ast.Name)
            and node.func.id in CONSUMERS
            and len(node.args) == 1
            and isinstance(node.args[0], ast.GeneratorExp)
        ):
            self.generic_visit(node)
            return
        self.visit(node.func)
        self._comprehension(node.args[0], node.func.id)
        self._visit_all(node.keywords)

    def _comprehension(self, node: Comprehension, consumer: str | None) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        outer, loops = self._scope, self._loops
        is_genexp = isinstance(node, ast.GeneratorExp)
        kind: ScopeKind = "genexp" if is_genexp else "comprehension"
        name = "<genexpr>" if is_genexp else f"<{type(node).__name__.lower()}>"
        scope = self._open(kind, outer, outer.class_name, name)
        scope.consumer = consumer
        scope.is_async = bool(first.is_async)
        self.of[node] = self._scope = scope
        self._loops += 1
        self._visit_all([first.target, *first.ifs])
        for generator in others:
            self._visit_all([generator.iter, generator.target, *generator.ifs])
        if isinstance(node, ast.DictComp):
            self._visit_all([node.key, node.value])
        else:
            self.visit(node.elt)
        self._scope, self._loops = outer, loops


def _all_arguments(arguments: ast.arguments) -> list[ast.arg]:
    optional = [arguments.vararg, arguments.kwarg]
    return [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        *(argument for argument in optional if argument is not None),
    ]
