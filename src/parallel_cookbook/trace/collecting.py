"""Keeps Python's garbage collection off while millions of small values are made, and no cycles among them.

It would look at all of them again and again, and find nothing.
"""

from __future__ import annotations

import functools
import gc
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def without_collecting(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function, during which nothing is collected that only a collection would find."""

    @functools.wraps(function)
    def call(*arguments: P.args, **options: P.kwargs) -> R:
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return function(*arguments, **options)
        finally:
            if was_enabled:
                gc.enable()

    return call
