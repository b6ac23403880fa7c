"""Finds the containers that never leave the function that makes them: no other task can see them.

`threads = [Thread(...) for ...]`, then `for thread in threads:`, is in nearly every program. Who could share
such a list must have got it from the function; so a local name is *own* if all that is ever bound to it
is a display or a comprehension, and each of its uses is one that hands the container to nobody: it is
iterated over, an item is loaded, an item is added or removed. Anything else, and any inner function that
uses the name, gives it up. Accesses to own containers need no hook.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A method visit_X notes what the node ast.X does.

_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_SAFE_METHODS = frozenset({"append", "add", "clear", "pop", "popitem", "reverse"})
"""Methods that neither return their container nor look into another one."""
_FRAME_READERS = frozenset({"locals", "vars", "dir", "eval", "exec", "breakpoint"})


def uses_of_own_containers(tree: ast.AST) -> frozenset[ast.Name]:
    """Return the loads of names that hold an own container."""
    found: set[ast.Name] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found.update(_uses_in(node))
    return frozenset(found)


def _uses_in(function: ast.FunctionDef) -> Iterator[ast.Name]:
    uses = _Uses()
    for statement in function.body:
        uses.visit(statement)
    if uses.may_be_resumed_elsewhere:
        return
    arguments = function.args
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            uses.shared.add(argument.arg)
    for name in uses.made - uses.shared:
        yield from uses.safe.get(name, ())


class _Uses(ast.NodeVisitor):
    """Walks one function: which names are bound to new containers, and what is done with each."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        """Names that are bound to a new container somewhere."""
        self.shared: set[str] = set()
        """Names that are bound to something else too, or used in another way."""
        self.safe: dict[str, list[ast.Name]] = {}
        self.may_be_resumed_elsewhere = False
        """Whether it is a generator, whose locals belong to whoever goes on with it."""

    def _is_safe(self, node: ast.expr) -> bool:
        """Note a use that hands nothing on; say whether `node` is a name at all."""
        if not isinstance(node, ast.Name):
            return False
        self.safe.setdefault(node.id, []).append(node)
        return True

    def visit_Name(self, node: ast.Name) -> None:
        self.shared.add(node.id)
        if node.id in _FRAME_READERS:
            self.may_be_resumed_elsewhere = True

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        if (
            len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, _DISPLAYS)
        ):
            self.made.add(node.targets[0].id)
        else:
            for target in node.targets:
                self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
        if isinstance(node.target, ast.Name) and isinstance(node.value, _DISPLAYS):
            self.made.add(node.target.id)
        else:
            self.visit(node.target)

    def visit_For(self, node: ast.For) -> None:
        if not self._is_safe(node.iter):
            self.visit(node.iter)
        self.visit(node.target)
        for statement in (*node.body, *node.orelse):
            self.visit(statement)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not (isinstance(node.ctx, ast.Load) and self._is_safe(node.value)):
            self.visit(node.value)
        self.visit(node.slice)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if not (
            isinstance(function, ast.Attribute)
            and function.attr in _SAFE_METHODS
            and self._is_safe(function.value)
        ):
            self.visit(function)
        for argument in (*node.args, *node.keywords):
            self.visit(argument)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> None:
        first = node.generators[0]
        if not self._is_safe(first.iter):
            self.visit(first.iter)
        # All else belongs to an inner scope.
        inner = [first.target, *first.ifs, *node.generators[1:]]
        inner += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for part in inner:
            self._give_up_names_in(part)

    visit_SetComp = visit_DictComp = visit_ListComp  # noqa: N815 - the names are ast's

    def _give_up_names_in(self, node: ast.AST) -> None:
        """Note what an inner scope uses; it may run at any time, in any task."""
        self._note_binding(getattr(node, "name", None))
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                self.visit_Name(inner)
            elif isinstance(inner, ast.Yield | ast.YieldFrom | ast.Await):
                self.may_be_resumed_elsewhere = True

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _give_up_names_in  # noqa: N815 - ast's
    visit_ClassDef = visit_GeneratorExp = _give_up_names_in  # noqa: N815 - ast's

    def visit_Yield(self, node: ast.expr) -> None:
        self._give_up_names_in(node)

    visit_YieldFrom = visit_Yield  # noqa: N815 - the name is ast's

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.shared.update(node.names)

    visit_Nonlocal = visit_Global  # noqa: N815 - the name is ast's

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._note_binding(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self._note_binding(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs  # noqa: N815 - the name is ast's

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._note_binding(node.rest)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self._note_binding(alias.asname or alias.name.partition(".")[0])

    visit_ImportFrom = visit_Import  # noqa: N815 - the name is ast's

    def _note_binding(self, name: str | None) -> None:
        if name is not None:
            self.shared.add(name)
