"""What files were rewritten to, kept for the next check in this process.

To rewrite a file costs as much as many executions. A test file is checked once for each of its tests, and a
learner's file again and again; only a change of the file makes it worth rewriting.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from parallel_cookbook.check.asserts import AssertExplainer
from parallel_cookbook.check.prologue import length_of_prologue
from parallel_cookbook.instrument import rewrite_in_two

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable
    from types import CodeType

    from parallel_cookbook.check.asserts import Explainer
    from parallel_cookbook.instrument import Site, SiteTable

_MAX_KEPT = 64


class _Rewritten(NamedTuple):
    codes: tuple[CodeType, CodeType]
    sites: tuple[Site, ...]
    tests: tuple[ast.expr, ...]
    """What its asserts say, if they are explained."""


_kept: dict[tuple[object, ...], _Rewritten] = {}


def rewritten(
    source: bytes,
    file: str,
    sites: SiteTable,
    *,
    names_to_track: frozenset[str],
    is_private: Callable[[str], bool],
    explainer: Explainer | None,
) -> tuple[CodeType, CodeType]:
    """Return the rewritten code of a file, its prologue and the rest; add its sites and its asserts.

    is_private: as for `length_of_prologue`. Raises what `rewrite` raises. Cost: some milliseconds for a
    hundred lines, the first time; some microseconds for each site if it was kept.
    """

    def rewrite_now() -> tuple[CodeType, CodeType]:
        return rewrite_in_two(
            source,
            file,
            sites,
            partial(length_of_prologue, is_private=is_private),
            also_track=names_to_track,
            prepare=None if explainer is None else explainer.prepare,
        )

    tests: list[ast.expr] = []
    if isinstance(explainer, AssertExplainer):
        tests = explainer.tests
    elif explainer is not None:
        return rewrite_now()  # it prepares the tree in its own way
    first_site, first_test = len(sites), len(tests)
    # The code holds the numbers of its sites and asserts: it is of use where they are the same again.
    key = (source, file, names_to_track, first_site, first_test, explainer is None)
    kept = _kept.pop(key, None)
    if kept is None:
        kept = _Rewritten(rewrite_now(), tuple(sites)[first_site:], tuple(tests[first_test:]))
    else:
        sites.begin(file)
        for site in kept.sites:
            sites.add(site)
        tests += kept.tests
    _kept[key] = kept  # the last one now
    while len(_kept) > _MAX_KEPT:
        del _kept[next(iter(_kept))]
    return kept.codes
