"""Turns a module's source into code that calls a hook at each access others could see."""

from __future__ import annotations
import __future__

import ast
import importlib.util
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from parallel_cookbook.instrument.own_containers import uses_of_own_containers
from parallel_cookbook.instrument.statements import StatementRewriter
from parallel_cookbook.instrument.tracking import ScopeMap

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from types import CodeType

    from parallel_cookbook.instrument.sites import SiteTable


# An assert states what must hold inside.
# ruff: noqa: S101

_FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
"""The flags by which code says what was imported from `__future__`."""


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
    with _quiet_tree(source, filename, mode) as tree:
        if prepare is not None:
            prepare(tree)
        rewriter = _rewriter(tree, source, filename, sites, also_track)
        return _compiled(rewriter, tree, filename, mode)


def rewrite_in_two(
    source: bytes | str,
    filename: str,
    sites: SiteTable,
    length_of_first: Callable[[Sequence[ast.stmt]], int],
    *,
    also_track: Collection[str] = (),
    prepare: Callable[[ast.Module | ast.Interactive], None] | None = None,
) -> tuple[CodeType, CodeType]:
    """Do what `rewrite` does with a module; return two codes, to be executed one after the other.

    length_of_first: says of the module's statements how many are the first code.
    """
    with _quiet_tree(source, filename, "exec") as tree:
        assert isinstance(tree, ast.Module), tree
        if prepare is not None:
            prepare(tree)
        length = length_of_first(tree.body)
        rewriter = _rewriter(tree, source, filename, sites, also_track)
        parts = [ast.Module(body, []) for body in (tree.body[:length], tree.body[length:])]
        first = _compiled(rewriter, parts[0], filename, "exec")
        return first, _compiled(rewriter, parts[1], filename, "exec", first.co_flags & _FUTURES)


@contextmanager
def _quiet_tree(
    source: bytes | str, filename: str, mode: Literal["exec", "single"]
) -> Iterator[ast.Module | ast.Interactive]:
    """Parse; what the compiler has to say is about the program's tree, not about ours, and is said once."""
    compile(source, filename, mode, dont_inherit=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = compile(source, filename, mode, ast.PyCF_ONLY_AST, dont_inherit=True)
        assert isinstance(tree, ast.Module | ast.Interactive), tree
        yield tree


def _rewriter(
    tree: ast.Module | ast.Interactive,
    source: bytes | str,
    filename: str,
    sites: SiteTable,
    also_track: Collection[str],
) -> StatementRewriter:
    sites.begin(filename)
    rewriter = StatementRewriter(_lines(source), filename, sites, ScopeMap(tree, also_track))
    rewriter.own_containers = uses_of_own_containers(tree)
    return rewriter


def _compiled(
    rewriter: StatementRewriter,
    tree: ast.Module | ast.Interactive,
    filename: str,
    mode: Literal["exec", "single"],
    flags: int = 0,
) -> CodeType:
    rewriter.module(tree)
    ast.fix_missing_locations(tree)
    code: CodeType = compile(tree, filename, mode, flags, dont_inherit=True)
    return code


def _lines(source: bytes | str) -> list[str]:
    """Return the lines as the compiler counts them: only newlines end a line."""
    if isinstance(source, bytes):
        source = importlib.util.decode_source(source)
    else:
        source = source.replace("\r\n", "\n").replace("\r", "\n")
    return source.split("\n")
