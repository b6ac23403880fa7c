"""Turns a module's source into code that calls a hook at each access others could see."""

from __future__ import annotations

import ast
import importlib.util
import warnings
from typing import TYPE_CHECKING, Literal

from parallel_cookbook.instrument.own_containers import uses_of_own_containers
from parallel_cookbook.instrument.statements import StatementRewriter
from parallel_cookbook.instrument.tracking import ScopeMap

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import CodeType

    from parallel_cookbook.instrument.sites import SiteTable


# An assert states what must hold inside.
# ruff: noqa: S101


def rewrite(
    source: bytes | str,
    filename: str,
    sites: SiteTable,
    *,
    also_track: Collection[str] = (),
    prepare: Callable[[ast.Module | ast.Interactive], None] | None = None,
    mode: Literal["exec", "single"] = "exec",
) -> CodeType:
    """Compile `source` so that it calls the hooks of `hooks.Hooks`, and means the same otherwise.

    Lines, columns and tracebacks are those of the source; `sites` gets its new sites in the order
    of rewriting. The code runs in globals whose `__builtins__` holds the hooks.

    `also_track` names globals of this module that need points although they are bound once.
    `prepare` may change the tree before it is rewritten, if it leaves the positions as they are.
    Raises the SyntaxError (or ValueError) that `compile` raises, and issues its warnings once.
    """
    # The compiler's own errors and warnings are about the program's tree, not about ours.
    compile(source, filename, mode, dont_inherit=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = compile(source, filename, mode, ast.PyCF_ONLY_AST, dont_inherit=True)
        assert isinstance(tree, ast.Module | ast.Interactive), tree
        if prepare is not None:
            prepare(tree)
        sites.begin(filename)
        rewriter = StatementRewriter(_lines(source), filename, sites, ScopeMap(tree, also_track))
        rewriter.own_containers = uses_of_own_containers(tree)
        rewriter.module(tree)
        ast.fix_missing_locations(tree)
        code: CodeType = compile(tree, filename, mode, dont_inherit=True)
    return code


def _lines(source: bytes | str) -> list[str]:
    """Return the lines as the compiler counts them: only newlines end a line."""
    if isinstance(source, bytes):
        source = importlib.util.decode_source(source)
    else:
        source = source.replace("\r\n", "\n").replace("\r", "\n")
    return source.split("\n")
