"""The scopes found are the compiler's own, over the standard library."""

from __future__ import annotations

import ast
import os
import symtable
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from parallel_cookbook.instrument.tracking import ScopeMap, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parallel_cookbook.instrument.scopes import Scope

LIBRARY = Path(os.__file__).parent
FILES = [
    *sorted(LIBRARY.glob("[a-f]*.py")),
    *sorted(LIBRARY.glob("asyncio/*.py")),
    LIBRARY / "test" / "test_scope.py",
    LIBRARY / "test" / "test_named_expressions.py",
    LIBRARY / "test" / "test_patma.py",
    LIBRARY / "test" / "test_grammar.py",
]
IMPLICIT = {"__class__", "__classdict__", "__conditional_annotations__"}
"""Names that the compiler adds."""


def _blocks(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _blocks(child)


def _theirs(table: symtable.SymbolTable) -> dict[str, str]:
    kinds = {}
    for symbol in table.get_symbols():
        name = symbol.get_name()
        if not name.startswith(".") and name not in IMPLICIT:
            is_free = "free" if symbol.is_free() else "local"
            kinds[name] = "global" if symbol.is_global() else is_free
    return kinds


def _ours(scope: Scope, module: Scope) -> dict[str, str]:
    kinds = {}
    for name in scope.uses | scope.locals | scope.globals | scope.nonlocals:
        owner = owner_of(scope, name)
        is_local = owner is None or owner is scope
        if name not in IMPLICIT:
            kinds[name] = "global" if owner is module else "local" if is_local else "free"
    return kinds


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_names_have_the_scope_that_symtable_gives_them(path: Path) -> None:
    """Every function, class, lambda and comprehension, matched by name and line."""
    source = path.read_text(encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = symtable.symtable(source, str(path), "exec")
        tree = ast.parse(source)
    scopes = ScopeMap(tree, ())
    theirs: dict[tuple[str, int], list[dict[str, str]]] = {}
    for block in _blocks(root):
        # symtable takes a function of that name for a module.
        if block.get_name() != "top":
            theirs.setdefault((block.get_name(), block.get_lineno()), []).append(_theirs(block))
    for node, scope in scopes.of.items():
        name = getattr(node, "name", None) or scope.qualified_name.rpartition("<")[2].rstrip(">")
        # Since 3.12, symtable counts comprehensions, which are inlined, as part of their function.
        is_inlined = scope.kind == "comprehension" and sys.version_info >= (3, 12)
        if name == "top" or is_inlined:
            continue
        assert isinstance(node, ast.expr | ast.stmt)
        ours = _ours(scope, scopes.module)
        blocks = theirs[name, node.lineno]
        assert any(
            all(block.get(key, kind) == kind for key, kind in ours.items()) for block in blocks
        ), (name, node.lineno, ours, blocks)
